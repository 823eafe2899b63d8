internal import Configuration
internal import Credentials
internal import Routing
internal import Sockets

/// Why a request is held, and until when (`auth.hold`).
///
/// A request is held once, however often nobody can serve it; a class, since few ever are, and each would hold the room.
final class Hold {
    /// Monotonic milliseconds at which it is given up.
    let until: Int64
    /// What it would have been answered; nil while it goes on.
    var refusal: Refusal?

    init(until: Int64) { self.until = until }
}

// MARK: - Waiting for a profile (`auth.hold`)

extension Worker {
    /// Nobody can serve: waits for the one who comes back first, if that is near, or for a person to log in again; else refuses.
    mutating func holdOrRefuse(_ id: Int32, _ refusal: Refusal) {
        guard let limit = exchanges[id].setup.settings.auth.hold, mayHold(id, refusal, limit) else { return refuse(id, refusal) }
        if exchanges[id].hold == nil {
            exchanges[id].hold = Hold(until: now + limit.milliseconds)
            shared.log.held(refusal, request: RequestID.text(exchanges[id].number), seconds: limit.components.seconds)
            if refusal.code == .needsLogin { shared.notices.loginNeeded(refusal.profile) }
        }
        exchanges[id].hold?.refusal = refusal
        exchanges[id].stage = .parked
        downstreams[exchanges[id].downstream].readDeadline = .max
        held.append(id)
    }

    private func mayHold(_ id: Int32, _ refusal: Refusal, _ limit: Duration) -> Bool {
        if draining { return false }
        if let hold = exchanges[id].hold, now >= hold.until { return false }
        // What was sent of the body is needed again, and a pin waits for its own profile only.
        guard exchanges[id].replay.isWhole || exchanges[id].request.byteCount == 0 else { return false }
        switch refusal.code {
        case .needsLogin: return true
        case .allCooling: return Int64(refusal.retryAfterSeconds ?? .max) <= limit.components.seconds
        default: return false
        }
    }

    /// Looks whether those who wait can go on: after the store has changed, and with each sweep.
    mutating func lookAfterHeld() {
        guard !held.isEmpty else { return }
        takeNews()
        let waiting = held
        held.removeAll(keepingCapacity: true)
        for id in waiting where exchanges[id].stage == .parked { tryAgain(id) }
    }

    private mutating func tryAgain(_ id: Int32) {
        guard let hold = exchanges[id].hold, let refusal = hold.refusal else { return }
        if now >= hold.until {
            exchanges[id].stage = .choosing
            return refuse(id, refusal)
        }
        renewLineup(id)
        if canServe(id) {
            exchanges[id].stage = .choosing
            hold.refusal = nil
            return chooseAgain(id)
        }
        held.append(id)
    }

    /// The candidates as they are now: somebody may have logged in.
    private mutating func renewLineup(_ id: Int32) {
        guard renewSetup(id), let agent = exchanges[id].lineup?.agentID, let roster = rosters.roster(of: agent) else { return }
        let lineup = lineup(id, roster, exchanges[id].provider)
        guard lineup !== exchanges[id].lineup else { return }
        exchanges[id].lineup = lineup
        exchanges[id].tried = TriedPositions()
        exchanges[id].preferred = -1
        guard exchanges[id].isPinned, let pinned = exchanges[id].candidate else { return }
        exchanges[id].candidate = lineup.named(pinned.key.profileID) ?? pinned
    }

    private func canServe(_ id: Int32) -> Bool {
        if exchanges[id].isPinned {
            switch exchanges[id].candidate?.readiness(now: wall) {
            case .ready, .early, .expired: return true
            case .unusable, nil: return false
            }
        }
        if case .use = survey(id, without: TriedPositions(), now: wall).verdict { return true }
        return false
    }

    private mutating func chooseAgain(_ id: Int32) {
        exchanges[id].tried = TriedPositions()
        exchanges[id].attempts.nextCredential()
        exchanges[id].attempts.refreshed = false
        if choose(id) { credential(id) }
    }
}
