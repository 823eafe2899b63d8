public import Configuration

/// Which of the candidates serves: they are offered one by one, in their order, and the verdict is asked for.
///
/// A value of a few words: nothing is allocated, nothing is read, and with the strategy `order` the first sound candidate ends it.
public struct Chooser: Sendable {
    /// What was decided.
    public enum Verdict: Sendable, Equatable {
        /// This one serves.
        case use(position: Int, reason: ChoiceReason)
        /// All rest; the one at `position` comes back first.
        case wait(position: Int, until: Int64)
        /// There is nobody, or only who would cost money that nobody has given leave to spend.
        case nobody(paidWithheld: Bool)
    }

    private let strategy: AuthSettings.Strategy
    private let allowsPaid: Bool
    private let isSole: Bool
    private let isFailover: Bool
    private let now: Int64

    private var chosen = -1
    private var chosenIsPaid = false
    private var chosenRank = Int64.max
    private var isPreferred = false
    /// Sound, but many have just moved to it: taken when there is no other.
    private var spare = -1
    private var spareIsPaid = false
    private var soonest = -1
    private var soonestAt = Int64.max
    private var soonestIsPaid = false
    private var soonestMayBeTried = false
    /// A candidate was passed over since it rests: whoever serves in its place was not meant to.
    private(set) public var isDiverted = false
    private var paidWithheld = false

    /// Begins a choice among `count` candidates. `isFailover`: one of them was refused this request already.
    @inlinable
    public init(strategy: AuthSettings.Strategy, allowsPaid: Bool, count: Int, isFailover: Bool, now: Int64) {
        self.init(strategy, allowsPaid, isSole: count == 1, isFailover, now)
    }
    @usableFromInline
    init(_ strategy: AuthSettings.Strategy, _ allowsPaid: Bool, isSole: Bool, _ isFailover: Bool, _ now: Int64) {
        self.strategy = strategy
        self.allowsPaid = allowsPaid
        self.isSole = isSole
        self.isFailover = isFailover
        self.now = now
    }

    /// Offers the candidate that the session prefers, before all others. True when that decides it.
    public mutating func offerPreferred(_ position: Int, _ availability: Availability, isPaid: Bool, isCrowded: Bool) -> Bool {
        isPreferred = offer(position, availability, isPaid: isPaid, isCrowded: isCrowded, rank: .min)
        return isPreferred
    }

    /// Offers a candidate. True when no other one need be looked at.
    ///
    /// - Parameters:
    ///   - isPaid: it is metered, and a subscription stands before it in the order.
    ///   - isCrowded: many were just sent to it in another's place.
    ///   - rank: by the strategy; the least goes first. Of no meaning for `order`.
    public mutating func offer(_ position: Int, _ availability: Availability, isPaid: Bool, isCrowded: Bool, rank: Int64) -> Bool {
        if isPaid, !allowsPaid {
            paidWithheld = true
            return false
        }
        if case .cooling(let until, let early, let isStated) = availability {
            isDiverted = true
            let at = min(until, isSole && !isStated ? now : early)
            if at < soonestAt {
                (soonest, soonestAt, soonestIsPaid) = (position, at, isPaid)
                soonestMayBeTried = at <= now
            }
            return false
        }
        if isCrowded {
            if spare < 0 { (spare, spareIsPaid) = (position, isPaid) }
            return false
        }
        if strategy == .order || rank == .min {
            (chosen, chosenIsPaid) = (position, isPaid)
            return true
        }
        // Who costs money comes behind all who do not.
        let isBetter = chosen < 0 || (isPaid == chosenIsPaid ? rank < chosenRank : chosenIsPaid)
        if isBetter { (chosen, chosenIsPaid, chosenRank) = (position, isPaid, rank) }
        return false
    }

    /// Passes over candidates that surely rest, without asking for how long: they are offered when nobody else is left.
    public mutating func passOver() { isDiverted = true }

    /// What the offers come to.
    public var verdict: Verdict {
        if chosen >= 0 { return .use(position: chosen, reason: reason(isPaid: chosenIsPaid)) }
        if spare >= 0 { return .use(position: spare, reason: reason(isPaid: spareIsPaid)) }
        guard soonest >= 0 else { return .nobody(paidWithheld: paidWithheld) }
        if soonestMayBeTried { return .use(position: soonest, reason: reason(isPaid: soonestIsPaid)) }
        return .wait(position: soonest, until: soonestAt)
    }

    private func reason(isPaid: Bool) -> ChoiceReason {
        if isPaid { return .paidFallback }
        if isFailover { return .failover }
        if isPreferred { return .session }
        if isDiverted { return .cooldown }
        switch strategy {
        case .order: return .order
        case .leastUsed: return .leastUsed
        case .drainSoonest: return .drainSoonest
        case .roundRobin: return .roundRobin
        }
    }
}
