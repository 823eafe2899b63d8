internal import Synchronization

/// What is remembered of each generation of a token, from the first roster that it is in.
final class TokenSightings: Sendable {
    struct Sighting {
        /// When it was issued, in ms since 1970, as far as it can be told of an opaque one: the first that is seen of a profile may be of any
        /// age (nil), a later one has just been issued.
        let issued: Int64?
        /// For its ``RefreshWindow``. Drawn once: of draws for each roster the earliest would win, and profiles that expire together would
        /// be refreshed together.
        let jitter: Double
    }
    private struct State {
        var sightings: [String: Sighting] = [:]
        var profiles: Set<ProfileKey> = []
    }
    private let state = Mutex(State())

    func sighting(of fingerprint: String, _ profile: ProfileKey, now: Int64) -> Sighting {
        state.withLock { state in
            if let known = state.sightings[fingerprint] { return known }
            let sighting = Sighting(issued: state.profiles.insert(profile).inserted ? nil : now, jitter: .random(in: 0...1))
            if state.sightings.count > 10_000 { state.sightings.removeAll() }  // generations long gone
            state.sightings[fingerprint] = sighting
            return sighting
        }
    }
}
