internal import Configuration
internal import Routing
internal import Sockets

/// What a request brings to the choice.
struct SurveyWish {
    /// `ModelKey` of its model; 0: nobody knows which.
    var model: UInt64 = 0
    /// The position that its session prefers, and the one that served it in its absence; -1: none.
    var preferred = -1
    var alternate = -1
    /// Who has refused it already.
    var tried = TriedPositions()
    /// A subscription has just refused it.
    var leavesSubscription = false
}

extension Standings {
    /// Who of a lineup would serve a request now. Takes nothing and changes nothing, so that `explain` asks the same question as a request.
    func survey(
        _ lineup: Lineup, _ auth: borrowing AuthSettings, _ wish: SurveyWish, now: Int64
    ) -> (verdict: Chooser.Verdict, isDiverted: Bool) {
        guard !wish.tried.isFull else { return (.nobody(paidWithheld: false), false) }
        let isFailover = wish.tried.count > 0
        // DESIGN §8: not from a subscription that has just refused it to a metered key, wherever that stands in the order.
        let leavesSubscription = isFailover && wish.leavesSubscription
        let strategy = auth.strategy
        var chooser = Chooser(
            strategy: strategy, allowsPaid: auth.allowPaidFallback, count: lineup.entrants.count, isFailover: isFailover, now: now)
        let (preferred, alternate) = (wish.preferred, wish.alternate)
        if lineup.entrants.indices.contains(preferred), !wish.tried.contains(preferred) {
            let entrant = lineup.entrants[preferred]
            let isDecided = chooser.offerPreferred(
                preferred, availability(entrant.slot, model: wish.model, now: now),
                isPaid: entrant.followsSubscription || entrant.isMetered && leavesSubscription,
                isCrowded: isCrowded(entrant.slot, isDiverted: isFailover, now: now))
            if isDecided { return (chooser.verdict, isFailover) }
        }
        if lineup.entrants.indices.contains(alternate), alternate != preferred, !wish.tried.contains(alternate) {
            let entrant = lineup.entrants[alternate]
            // It is no newcomer there, and need not wait its turn.
            let isDecided = chooser.offerPreferred(
                alternate, availability(entrant.slot, model: wish.model, now: now),
                isPaid: entrant.followsSubscription || entrant.isMetered && leavesSubscription, isCrowded: false)
            if isDecided { return (chooser.verdict, false) }
        }
        if !isFailover, !lineup.hasPaid, let position = least(lineup.slots, by: strategy, now: now) {
            _ = chooser.offer(position, .ready, isPaid: false, isCrowded: false, rank: .min)
            return (chooser.verdict, chooser.isDiverted)
        }
        // Those who surely rest are passed over at a glance; only when nobody else is left is each one's time asked for.
        for pass in 0..<2 {
            var position = 0
            while position < lineup.entrants.count {
                if pass == 0, strategy == .order {
                    let open = firstOpen(lineup.slots, from: position, now: now)
                    if open > position { chooser.passOver() }
                    position = open
                    guard position < lineup.entrants.count else { break }
                }
                if position != preferred, position != alternate, !(isFailover && wish.tried.contains(position)) {
                    let entrant = lineup.entrants[position]
                    let isDecided = chooser.offer(
                        position, availability(entrant.slot, model: wish.model, now: now),
                        isPaid: entrant.followsSubscription || entrant.isMetered && leavesSubscription,
                        isCrowded: isCrowded(entrant.slot, isDiverted: isFailover || chooser.isDiverted, now: now),
                        rank: rank(entrant.slot, by: strategy))
                    if isDecided { break }
                }
                position += 1
            }
            if case .use = chooser.verdict { break }
        }
        return (chooser.verdict, isFailover || chooser.isDiverted)
    }
}
