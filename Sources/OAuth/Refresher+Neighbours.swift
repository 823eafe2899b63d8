import Credentials
import Files

/// Waiting for the lane and for neighbours, with an eye on the store: whoever is at it may be about to store what is wanted.
struct Lookout {
    /// What the store held when somebody else's newer token came into it.
    private(set) var newer: StoreSnapshot?
    private var seen: StoreIdentity?

    /// Whether to wait on: the store does not hold a newer token yet.
    mutating func waits(for flight: Flight, _ refresher: Refresher) -> Bool {
        let identity = refresher.store.identity()
        guard identity != seen else { return true }
        seen = identity
        guard let snapshot = try? refresher.store.load(), let profile = snapshot.profile(flight.profileID) else { return true }
        guard flight.isSatisfied(by: profile, now: refresher.clock.now()) else { return true }
        newer = snapshot
        return false
    }
}

extension Refresher {
    /// Runs `body` with a refresher that may spend the token without a neighbour spending it as well (spec/credential-formats.md §2.5).
    /// A lock that a signal would leave behind costs the neighbour half a minute, so signals wait until it is given back.
    func excludingNeighbours(
        _ flight: Flight, _ body: (Refresher) throws(Ending) -> RefreshOutcome
    ) throws(Ending) -> RefreshOutcome {
        guard store.isShared, let profile = try load().profile(flight.profileID) else { return try body(self) }
        return try SignalShield.watching { (shield) throws(Ending) in
            let hold = try hold(for: profile, flight, shield)
            defer { hold?.release() }
            var refresher = self
            refresher.store = store.using(hold)
            return try body(refresher)
        }
    }

    private func hold(for profile: Profile, _ flight: Flight, _ shield: SignalShield) throws(Ending) -> NeighbourHold? {
        var lookout = Lookout()
        do throws(StoreError) {
            return try store.excludingNeighbours(refreshing: profile) { !shield.isInterrupted && lookout.waits(for: flight, self) }
        } catch {
            if let newer = lookout.newer { throw Ending(.adopted(newer)) }
            if let profile = try load().profile(flight.profileID), flight.isSatisfied(by: profile, now: clock.now()) {
                throw Ending(.adopted(try load()))
            }
            guard case .locked = error else { throw .failed(.notDurable, detail: error.description) }
            throw .failed(.laneHeld, detail: error.description)
        }
    }
}
