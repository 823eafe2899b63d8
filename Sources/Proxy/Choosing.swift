internal import Configuration
internal import Credentials
internal import Routing
internal import Sockets

/// The candidates that a request has done with: it was refused there, or they cannot be had.
struct TriedPositions {
    private var positions = InlineArray<16, UInt16>(repeating: 0)
    private var filled: UInt8 = 0

    var count: Int { Int(filled) }
    /// After so many the request has seen enough.
    var isFull: Bool { count == positions.count }

    mutating func insert(_ position: Int) {
        guard !isFull else { return }
        // Of a line-up with more than 65,535 places, the last ones are one.
        positions[count] = UInt16(clamping: position)
        filled += 1
    }
    @inline(__always)
    func contains(_ position: Int) -> Bool {
        for at in 0..<count where positions[at] == UInt16(clamping: position) { return true }
        return false
    }
}

// MARK: - Step 3: which of the candidates (the decision is `Routing.Chooser`)

extension Worker {
    /// Chooses, and takes what was chosen: its ramp is counted, and if its rest may be over, this request finds out.
    mutating func choosePosition(_ id: Int32) -> Chooser.Verdict {
        for look in 0..<2 {
            let (verdict, isDiverted) = survey(id, now: wall)
            guard case .use(let position, _) = verdict, let slot = exchanges[id].lineup?.entrants[position].slot else { return verdict }
            if shared.standings.take(slot, model: exchanges[id].modelKey, isDiverted: isDiverted, now: wall) || look == 1 {
                return verdict
            }
        }
        return .nobody(paidWithheld: false)
    }

    /// What a choice would come to now.
    func survey(_ id: Int32, now: Int64) -> (verdict: Chooser.Verdict, isDiverted: Bool) {
        survey(id, without: exchanges[id].tried, now: now)
    }

    func survey(_ id: Int32, without tried: TriedPositions, now: Int64) -> (verdict: Chooser.Verdict, isDiverted: Bool) {
        guard let lineup = exchanges[id].lineup else { return (.nobody(paidWithheld: false), false) }
        let wish = SurveyWish(
            model: exchanges[id].modelKey, preferred: exchanges[id].preferred, alternate: exchanges[id].alternate, tried: tried,
            leavesSubscription: exchanges[id].candidate?.billing == .subscription)
        return shared.standings.survey(lineup, exchanges[id].setup.settings.auth, wish, now: now)
    }

    /// Goes on with the next candidate; false when there is none.
    mutating func advance(_ id: Int32) -> Bool {
        guard !exchanges[id].isPinned else { return false }
        exchanges[id].tried.insert(exchanges[id].position)
        guard case .use(let position, let reason) = choosePosition(id) else { return false }
        exchanges[id].position = position
        exchanges[id].candidate = exchanges[id].lineup?.candidates[position]
        exchanges[id].reason = reason
        exchanges[id].attempts.nextCredential()
        credential(id)
        return true
    }

    // MARK: Nobody

    /// All rest: the one honest answer, with everybody's reason and the soonest time.
    func everybodyRests(_ id: Int32, until: Int64) -> Refusal {
        let seconds = max(1, Int((until - wall + 999) / 1000))
        var refusal = Refusal(
            .allCooling, naming: "provider \(exchanges[id].setup.settings.providers[exchanges[id].provider].credentialsFrom), \(seconds) s",
            candidates: explanation(id))
        refusal.retryAfterSeconds = seconds
        return refusal
    }

    /// Every profile and how it stands, for the request at hand.
    func explanation(_ id: Int32) -> [(profile: String, reason: String)] {
        guard let lineup = exchanges[id].lineup else { return [] }
        let model = exchanges[id].modelKey
        return lineup.candidates.map { candidate in
            (candidate.key.profileID, standing(of: candidate, model: model, now: wall))
        } + lineup.dropped
    }

    /// `ok`, or what keeps a candidate from serving: `rate_limit, 42 s left`.
    func standing(of candidate: Candidate, model: UInt64, now: Int64) -> String {
        shared.standings.text(of: candidate, setup.settings.auth, model: model, now: now)
    }

    /// The subscription in whose place a metered key serves, and why it cannot: for the header, the log and the books.
    func subscriptionReplaced(_ id: Int32) -> (profile: String, reason: String)? {
        guard let lineup = exchanges[id].lineup else { return nil }
        let resting = lineup.candidates.first { $0.billing == .subscription }
        if let resting {
            let rest = shared.standings.health(resting.slot).resting(model: exchanges[id].modelKey, now: wall)
            return (resting.key.profileID, rest?.reason.name ?? "refused")
        }
        return lineup.others.first { $0.billing == .subscription }.map { ($0.key.profileID, $0.eligibility.rawValue) }
    }
}

extension Standings {
    /// `ok`, or what keeps a candidate from serving: `rate_limit, 42 s left`.
    func text(of candidate: Candidate, _ auth: AuthSettings, model: UInt64, now: Int64) -> String {
        if let rest = health(candidate.slot).resting(model: model, now: now) { return rest.text(now: now) }
        if candidate.followsSubscription, !auth.allowPaidFallback { return "metered; auth.allowPaidFallback is off" }
        return candidate.eligibility.rawValue
    }
}

extension Cooldown {
    /// For people: why, and for how long.
    func text(now: Int64) -> String {
        let seconds = (max(until, probeUntil) - now + 999) / 1000
        switch seconds {
        case (86_400 * 60)...: return "\(reason.name), until it is changed"
        case 7_200...: return "\(reason.name), \(seconds / 3600) h left"
        case 120...: return "\(reason.name), \(seconds / 60) min left"
        default: return "\(reason.name), \(max(seconds, 1)) s left"
        }
    }
}
