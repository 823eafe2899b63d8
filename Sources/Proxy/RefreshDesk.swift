internal import Credentials
internal import OAuth
internal import Sockets
internal import Synchronization

/// Step 1 of a refresh (DESIGN §7): one flight a profile in this process, on a short-lived thread.
///
/// Whoever asks while a flight is under way waits for that one. A flight is never cancelled: not by a client that leaves, nor by the drain.
/// A token endpoint that is slow holds up what is refreshed there, and nothing else; those that a request waits for come first.
final class RefreshDesk: Sendable {
    /// How the last flight of a token failed. Another generation (a new login) does not inherit its back-off.
    private struct Failure {
        let fingerprint: String
        let result: RefreshResult
    }
    private struct Flight {
        var waiters: [Mailbox<Message>]
    }
    private struct Place {
        var underWay = 0
        var queue: [(candidate: Candidate, cause: Cause)] = []
    }
    private struct State {
        var flights: [ProfileKey: Flight] = [:]
        /// The token endpoints at which a flight is under way or waits.
        var places: [String: Place] = [:]
        var threads = 0
        var backoffs: [ProfileKey: Backoff] = [:]
        var lastFailures: [ProfileKey: Failure] = [:]
        /// The secrets that an upstream refused and that were asked for again.
        var askedAgain: [ProfileKey: String] = [:]
    }
    private static let threadLimit = 32
    private static let limitOfPlace = 8

    private let state = Mutex(State())
    private let board: CredentialBoard
    private let log: EventLog

    init(board: CredentialBoard, log: EventLog) {
        self.board = board
        self.log = log
    }

    /// Asks for a refresh; `replyTo` hears of its end. Nil: in the background, nobody waits.
    func ask(_ candidate: Candidate, cause: Cause, replyTo: Mailbox<Message>?) {
        let now = Clock.wall()
        let immediate: RefreshResult? = state.withLock { state in
            if state.flights[candidate.key] != nil {
                if let replyTo { state.flights[candidate.key]?.waiters.append(replyTo) }
                return nil
            }
            if let failure = state.lastFailures[candidate.key], failure.fingerprint == candidate.fingerprint,
                failure.result != .renewed || cause.isEarly, let backoff = state.backoffs[candidate.key], !backoff.permits(now: now)
            {
                return failure.result
            }
            state.flights[candidate.key] = Flight(waiters: replyTo.map { [$0] } ?? [])
            let name = candidate.refreshPlace
            state.places[name, default: Place()].queue.append((candidate, cause))
            // Beyond the limit it is for those that are at work there.
            if let place = state.places[name], place.underWay + place.queue.count <= Self.limitOfPlace { startThread(&state) }
            return nil
        }
        if let immediate { replyTo?.post(.refreshed(candidate.key, immediate)) }
    }

    /// Whether a refresh token is on its way to be spent: the process must not end now.
    var isBusy: Bool { state.withLock { !$0.flights.isEmpty } }

    /// Unless there are as many as there may be: each looks for more before it ends.
    private func startThread(_ state: inout State) {
        guard state.threads < Self.threadLimit else { return }
        state.threads += 1
        Thread(name: "kb-refresh") { self.work() }.detach()
    }

    /// Takes flights until there are none.
    private func work() {
        Thread.giveWay()
        while let (candidate, cause) = take() {
            let outcome = perform(candidate, cause)
            end(candidate, outcome)
        }
    }

    /// The next flight: one that a request waits for, if there is one, where the fewest are under way.
    private func take() -> (Candidate, Cause)? {
        state.withLock { state in
            let open = state.places.filter { !$0.value.queue.isEmpty && $0.value.underWay < Self.limitOfPlace }
                .sorted { $0.value.underWay < $1.value.underWay }
            let flights = state.flights
            let awaited = open.lazy.compactMap { name, place in
                place.queue.firstIndex { flights[$0.candidate.key]?.waiters.isEmpty == false }.map { (name, $0) }
            }.first
            guard let (name, next) = awaited ?? open.first.map({ ($0.key, 0) }) else {
                state.threads -= 1
                return nil
            }
            state.places[name]?.underWay += 1
            return state.places[name]?.queue.remove(at: next)
        }
    }

    /// A flight is over there.
    private static func leave(_ name: String, _ places: inout [String: Place]) {
        places[name]?.underWay -= 1
        if let place = places[name], place.underWay == 0, place.queue.isEmpty { places[name] = nil }
    }

    private func perform(_ candidate: Candidate, _ cause: Cause) -> RefreshOutcome {
        let store = board.store(of: candidate.key.agentID)
        if let issuance = candidate.issuance {
            return Minter(store: store).issue(profileID: candidate.key.profileID, by: issuance, client: candidate.client, cause: cause)
        }
        if let overlay = candidate.overlay { return reread(candidate, overlay, cause, store) }
        guard let client = candidate.client else { return candidate.isReference ? follow(candidate, cause, store) : .unchanged }
        return Refresher(store: store).refresh(
            profileID: candidate.key.profileID, client: client, cause: cause, known: board.knownSnapshot(of: store))
    }

    /// Asks for the secret that the store only refers to. One that an upstream has refused is asked for again, once: a program that says
    /// the same is not run for every request that fails.
    private func follow(_ candidate: Candidate, _ cause: Cause, _ store: AgentStore) -> RefreshOutcome {
        if case .rejected(let fingerprint) = cause {
            guard state.withLock({ $0.askedAgain.updateValue(fingerprint, forKey: candidate.key) }) != fingerprint else {
                return .unchanged
            }
        }
        do throws(StoreError) {
            let snapshot = try store.following([candidate.key.profileID])
            guard let profile = snapshot.profile(candidate.key.profileID) else { return .unchanged }
            if let secret = profile.secret { return secret.fingerprint == candidate.fingerprint ? .unchanged : .refreshed(snapshot) }
            let problem = snapshot.problems.first { $0.profileID == profile.id }
            return .transient(RefreshFailure(.reference, detail: problem?.message), retryAfter: nil)
        } catch {
            return .transient(RefreshFailure(.store, detail: error.description), retryAfter: nil)
        }
    }

    /// Another program's login is never refreshed by us, whatever the cause: its file is read again.
    private func reread(_ candidate: Candidate, _ overlay: Overlay, _ cause: Cause, _ store: AgentStore) -> RefreshOutcome {
        let snapshot: StoreSnapshot
        do throws(StoreError) {
            snapshot = try store.load()
        } catch {
            return .transient(RefreshFailure(.store, detail: error.description), retryAfter: nil)
        }
        // Also when nothing is new in it: from now on the roster says that it has expired.
        board.adopt(snapshot, of: candidate.key.agentID)
        guard let profile = snapshot.profile(candidate.key.profileID), profile.secret?.fingerprint != candidate.fingerprint,
            profile.isUsable(now: Clock.wall())
        else { return .transient(RefreshFailure(.notRenewed, detail: overlay.sentence(after: cause)), retryAfter: nil) }
        return .adopted(snapshot)
    }

    private func end(_ candidate: Candidate, _ outcome: RefreshOutcome) {
        let key = candidate.key
        switch outcome {
        case .refreshed(let snapshot), .adopted(let snapshot): board.adopt(snapshot, of: key.agentID)
        case .needsLogin, .unchanged: board.reload()
        case .transient: break
        }
        log.refresh(key, outcome)
        let now = Clock.wall()
        let (result, waiters) = state.withLock { state in
            Self.leave(candidate.refreshPlace, &state.places)
            let result = Self.result(of: outcome, &state.backoffs[key, default: Backoff()], now: now)
            if result == .renewed, !outcome.changedNothing { state.backoffs[key] = nil }
            state.lastFailures[key] =
                result == .renewed && !outcome.changedNothing ? nil : Failure(fingerprint: candidate.fingerprint, result: result)
            return (result, state.flights.removeValue(forKey: key)?.waiters ?? [])
        }
        for waiter in Set(waiters.map { ObjectIdentifier($0) }).compactMap({ id in waiters.first { ObjectIdentifier($0) == id } }) {
            waiter.post(.refreshed(key, result))
        }
    }

    /// Finishes what a crash has left between an answer and the store (DESIGN §7, recovery); sends nothing.
    func recover(_ candidates: [Candidate]) {
        Thread(name: "kb-recover") {
            Thread.giveWay()
            for candidate in candidates {
                guard let client = candidate.client else { continue }
                let refresher = Refresher(store: self.board.store(of: candidate.key.agentID))
                switch refresher.recover(profileID: candidate.key.profileID, client: client) {
                case .refreshed(let snapshot), .adopted(let snapshot): self.board.adopt(snapshot, of: candidate.key.agentID)
                case .unchanged: continue
                case .transient(let failure, _), .needsLogin(let failure): self.log.recovery(candidate.key, failure)
                }
            }
        }.detach()
    }

    private static func result(of outcome: RefreshOutcome, _ backoff: inout Backoff, now: Int64) -> RefreshResult {
        switch outcome {
        case .refreshed, .adopted: return .renewed
        case .unchanged:
            // Asking again at once would find the same; only a background wish is put off by this.
            _ = backoff.failed(now: now, jitter: .random(in: 0...1))
            return .renewed
        case .transient(let failure, _) where failure.reason == .notRenewed:
            // Its owner may renew it at any moment, and then the file's change brings it; this only keeps a crowd from reading it.
            _ = backoff.failed(now: now, jitter: .random(in: 0...1))
            return .notRenewed(failure.detail ?? failure.description)
        case .transient(let failure, let wish):
            let pause = backoff.failed(now: now, retryAfter: wish, jitter: .random(in: 0...1))
            return .failed(failure.description, retryAfterSeconds: max(1, Int((pause.milliseconds + 999) / 1000)))
        case .needsLogin(let failure): return .needsLogin(failure.description)
        }
    }
}

extension Candidate {
    /// Where its token is asked for: the token endpoint, or else its provider's name.
    fileprivate var refreshPlace: String { client?.place ?? String(key.profileID.prefix { $0 != ":" }) }
}

extension Overlay {
    /// Why it cannot be used, and what to do.
    fileprivate func sentence(after cause: Cause) -> String {
        guard case .rejected = cause else { return expiredSentence }
        return "the provider refuses the token of \(path), and the file holds no newer one; \(advice)"
    }
}

extension Cause {
    /// Nobody waits for it.
    fileprivate var isEarly: Bool { if case .early = self { true } else { false } }
}

extension RefreshOutcome {
    fileprivate var changedNothing: Bool { if case .unchanged = self { true } else { false } }
}
