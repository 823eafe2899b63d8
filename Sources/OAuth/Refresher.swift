public import Credentials
import Files

/// Renews the token of an oauth profile: across threads and processes exactly once, and so that no crash, full disk or lying endpoint
/// loses a token (DESIGN §7, whose steps this file follows; spec/threats.md §3). Blocks for as long as it takes, at most about twice
/// ``Lane/waitBound``; it is no call for an event loop. Nothing that happens to the caller's clients cancels it.
///
/// Step 1, one flight per profile in a process and the decision when to refresh (``RefreshWindow``, ``Backoff``), is the caller's.
public struct Refresher: Sendable {
    var store: AgentStore
    let transport: any TokenTransport
    let clock: WallClock
    /// Looks up an installed app's client secret.
    let environment: @Sendable (_ name: String) -> String?
    /// Called after each step; tests end the refresh there, as a crash would.
    var checkpoint: @Sendable (RefreshStep) throws(Ending) -> Void = { _ in }

    /// A refresher of one agent's profiles.
    public init(
        store: AgentStore, transport: any TokenTransport = CurlTransport(), clock: WallClock = .system,
        environment: @escaping @Sendable (_ name: String) -> String? = ProcessEnvironment.value
    ) {
        self.store = store
        self.transport = transport
        self.clock = clock
        self.environment = environment
    }

    /// Renews the access token of `profileID`, or adopts what someone else has put into the store. `known`: what the store holds, where the
    /// caller knows; it says which lane to enter, and under that lane's lock the store is read.
    public func refresh(profileID: String, client: OAuthClient, cause: Cause, known: StoreSnapshot? = nil) -> RefreshOutcome {
        let flight = Flight(profileID: profileID, client: client, cause: cause)
        do throws(Ending) {
            let lane = try lane(of: flight, known)

            // 2. One holder a lane; whoever waits leaves as soon as the store holds a newer token.
            let lock = try enter(lane, flight)
            defer { withExtendedLifetime(lock) {} }
            try checkpoint(.laneEntered)
            return try excludingNeighbours(flight) { refresher throws(Ending) in try refresher.refresh(flight, in: lane) }
        } catch {
            return error.outcome
        }
    }

    private func refresh(_ flight: Flight, in lane: Lane) throws(Ending) -> RefreshOutcome {
        // 3. Under the lock the store is read again, after what a crash left open has been settled.
        let journal = try openJournal(lane, flight)
        let retries = try settleOpenIntent(in: journal, flight)
        let (profile, token) = try readAgain(flight, lane, last: try? journal.lastIntent())
        try checkpoint(.storeRead)

        // 4. Nothing is spent unless its successor can be kept.
        try proveDurability()
        let request = try request(spending: token, of: profile, flight).through(profile.proxy)
        StartSpacing.waitForTurn(in: lane, of: store, clock: clock)
        try checkpoint(.durabilityProved)

        return try SignalShield.during { () throws(Ending) in
            // 5. The intent, and 6. the request.
            let (intent, answer, retryAfter) = try spend(token, request, journal, flight, retries: retries)
            // 7. Before anyone looks into the answer, it is on the disk.
            let isRecorded = (try? journal.record(answer, to: intent)) ?? false
            try checkpoint(.answerJournalled)
            // 8. The store, and 9. the end of the intent.
            return try settle(answer, retryAfter, to: intent, for: profile, by: flight.client, journal, isRecorded: isRecorded)
        }
    }

    // MARK: 2. The lane

    /// The lane to enter, from a first look at the store.
    private func lane(of flight: Flight, _ known: StoreSnapshot?) throws(Ending) -> Lane {
        guard EndpointURL(flight.client.place) != nil else {
            throw .failed(.settings, detail: "the token URL must be https, or http to a loopback host")
        }
        let snapshot = if let known { known } else { try load() }
        guard let profile = snapshot.profile(flight.profileID), profile.kind == .oauth else { throw Ending(.unchanged) }
        return Lane(client: flight.client, profile: profile, agentID: store.agentID)
    }

    private func enter(_ lane: Lane, _ flight: Flight) throws(Ending) -> FileLock {
        var lookout = Lookout()
        let lock: FileLock?
        do throws(FileError) {
            _ = try PrivateDirectory.ensure(store.locksDirectory)
            lock = try FileLock.acquire(store.lockPath(of: lane), timeout: Lane.waitBound) { lookout.waits(for: flight, self) }
        } catch {
            // Where no lock can be made, a newer token in the store still helps.
            _ = try readAgain(flight, lane, last: nil)
            throw .failed(.notDurable, detail: error.description)
        }
        if let newer = lookout.newer { throw Ending(.adopted(newer)) }
        guard let lock else { throw .failed(.laneHeld) }
        return lock
    }

    // MARK: 3. Under the lock

    /// The journal. Where there can be none, a newer token in the store still helps; spending one does not.
    private func openJournal(_ lane: Lane, _ flight: Flight) throws(Ending) -> RefreshJournal {
        do throws(FileError) {
            _ = try PrivateDirectory.ensure(store.journalDirectory)
            return try RefreshJournal(path: store.journalPath(of: lane))
        } catch {
            _ = try readAgain(flight, lane, last: nil)
            throw .failed(.notDurable, detail: error.description)
        }
    }

    /// The profile and the refresh token to spend, unless the store says that none is to be spent.
    private func readAgain(
        _ flight: Flight, _ lane: Lane, last: RefreshIntent?
    ) throws(Ending) -> (profile: Profile, token: Secret) {
        let snapshot = try load()
        guard let profile = snapshot.profile(flight.profileID), profile.kind == .oauth else { throw Ending(.unchanged) }
        if flight.isSatisfied(by: profile, now: clock.now()) { throw Ending(.adopted(snapshot)) }
        guard Lane(client: flight.client, profile: profile, agentID: store.agentID) == lane else {
            throw .failed(.laneHeld, detail: "the profile was replaced by another account's meanwhile")
        }
        if let mark = snapshot.needsLogin[profile.id] {
            throw Ending(.needsLogin(RefreshFailure(.refused, status: mark.status, code: mark.code)))
        }
        // Refused into a refresh once already, and the provider gave the same access token again.
        if let last, !last.isOpen, let rejected = flight.cause.rejected, last.rejected == rejected { throw Ending(.unchanged) }
        guard let token = profile.refresh else { throw Ending(.unchanged) }
        return (profile, token)
    }

    // MARK: 4. Durability

    /// The journal is there; the folder in which the store is really must take a file of its size, too.
    private func proveDurability() throws(Ending) {
        let size = Int(clamping: store.identity().profiles?.size ?? 0)
        do throws(FileError) {
            try PrivateDirectory.proveWritable(store.writtenDirectory, size: max(size * 2, 64 << 10))
        } catch {
            throw .failed(.notDurable, detail: error.description)
        }
    }

    private func request(spending token: Secret, of profile: Profile, _ flight: Flight) throws(Ending) -> TokenRequest {
        var clientSecret: String?
        if let name = flight.client.clientSecretEnvironment {
            clientSecret = environment(name).flatMap { $0.isEmpty ? nil : $0 }
            if clientSecret == nil, !flight.client.secretIsOptional { throw .failed(.settings, detail: "$\(name) is not set") }
        }
        return .refresh(token, client: try ready(flight.client, for: profile), clientSecret: clientSecret)
    }

    /// The client that the login was made with, at the endpoint that it was made at, as far as the data leaves them open.
    private func ready(_ client: OAuthClient, for profile: Profile) throws(Ending) -> OAuthClient {
        var client = client
        if let name = client.clientIDEnvironment {
            guard let id = profile.facts.clientID ?? environment(name), !id.isEmpty else {
                throw .failed(.settings, detail: "$\(name) is not set")
            }
            client.clientID = id
        }
        if client.tokenURL.isEmpty, let known = profile.facts.tokenEndpoint, client.mayUse(endpoint: known) { client.tokenURL = known }
        do throws(LoginFailure) {
            return try client.discovered(transport, profile.proxy)
        } catch {
            let reason: RefreshFailure.Reason = error.reason == .unreachable || error.reason == .inDoubt ? .unreachable : .settings
            throw .failed(reason, status: error.status, code: error.code, detail: error.description)
        }
    }

    // MARK: 5. and 6. Intent and request

    /// A request that ended in doubt is repeated at once if that leaves the lane within its wait bound.
    private static let promptly = Duration.seconds(5)

    private func spend(
        _ token: Secret, _ request: TokenRequest, _ journal: borrowing RefreshJournal, _ flight: Flight, retries: Int
    ) throws(Ending) -> (RefreshIntent, JournalledAnswer, retryAfter: Duration?) {
        let deadline = ContinuousClock.now + Self.promptly
        for retries in retries... {
            let intent = RefreshIntent(
                profileID: flight.profileID, spent: token.fingerprint, rejected: flight.cause.rejected, at: clock.now(), retries: retries)
            do throws(FileError) {
                try journal.open(intent)
            } catch {
                throw .failed(.notDurable, detail: error.description)
            }
            try checkpoint(.intentJournalled)
            let failure: TransportFailure
            switch Result(catching: { () throws(TransportFailure) in try transport.post(request) }) {
            case .success(let answer):
                let received = JournalledAnswer(status: answer.status, receivedAt: clock.now(), body: answer.body)
                try checkpoint(.answered)
                return (intent, received, answer.retryAfter)
            case .failure(let error): failure = error
            }
            switch failure {
            case .notSent(let code):
                close(intent, in: journal, isDone: false)
                throw .failed(.unreachable, code: code)
            case .tooLarge(let status):
                close(intent, in: journal, isDone: false)
                throw .failed(.invalidAnswer, status: status, detail: "larger than any token answer")
            case .inDoubt(let code):
                // The intent stays open: the next refresh, here or elsewhere, settles it.
                guard flight.client.retryInDoubt == .once, retries == 0, ContinuousClock.now < deadline else {
                    throw .failed(.inDoubt, code: code)
                }
            }
        }
        throw .failed(.inDoubt)
    }

    // MARK: 8. and 9. The store and the end of the intent

    /// Does what `answer` says, then closes `intent`. Also the recovery of an answer that a crash left in the journal.
    func settle(
        _ answer: JournalledAnswer, _ retryAfter: Duration?, to intent: RefreshIntent, for profile: Profile, by client: OAuthClient,
        _ journal: borrowing RefreshJournal, isRecorded: Bool
    ) throws(Ending) -> RefreshOutcome {
        let outcome: RefreshOutcome
        var isDone = false
        switch TokenVerdict(answer, for: profile, by: client) {
        case .renewed(let tokens):
            do throws(Ending) {
                outcome = try keep(tokens, intent, isRecorded: isRecorded)
            } catch {
                if !isRecorded { UnwrittenAnswers.hold(answer, to: intent) }
                throw error
            }
            isDone = true
        case .refused(let failure): outcome = markNeedsLogin(failure, intent)
        case .failed(let failure): outcome = .transient(failure, retryAfter: retryAfter)
        }
        try checkpoint(.stored)
        close(intent, in: journal, isDone: isDone)
        try checkpoint(.intentClosed)
        return outcome
    }

    /// Puts the tokens into the store, unless the profile holds another refresh token than the one that was spent.
    private func keep(_ tokens: RenewedTokens, _ intent: RefreshIntent, isRecorded: Bool) throws(Ending) -> RefreshOutcome {
        // An answer that is not in the journal is nowhere else: a store that cannot be written now may be in a moment.
        var pauses: [Duration] = isRecorded ? [] : [.milliseconds(100), .seconds(1)]
        while true {
            do throws(StoreError) {
                var isRenewed = false
                let snapshot = try store.update { document throws(StoreError) in
                    isRenewed = document.renew(intent.profileID, spent: intent.spent, with: tokens)
                    return isRenewed
                }
                return isRenewed ? .refreshed(snapshot) : superseded(intent, snapshot)
            } catch {
                // With the answer in the journal the intent stays open, and the next refresh finishes without another request.
                guard let pause = pauses.first else { throw .failed(.notDurable, detail: error.description) }
                pauses.removeFirst()
                clock.sleep(pause)
            }
        }
    }

    /// Marks the spent token as refused; the store is read once more under its lock, and another token there is not marked.
    func markNeedsLogin(_ failure: RefreshFailure, _ intent: RefreshIntent) -> RefreshOutcome {
        let mark = NeedsLogin(
            fingerprint: intent.spent, code: failure.code ?? failure.reason.rawValue, status: failure.status, at: clock.now(),
            accessRejected: intent.rejected != nil)
        // A mark that cannot be written is made again by the next refusal.
        guard let snapshot = try? store.markNeedsLogin(id: intent.profileID, mark) else { return .needsLogin(failure) }
        guard snapshot.needsLogin[intent.profileID] == nil else { return .needsLogin(failure) }
        return superseded(intent, snapshot)
    }

    /// The profile was replaced, renewed by another tool or removed while we asked.
    private func superseded(_ intent: RefreshIntent, _ snapshot: StoreSnapshot) -> RefreshOutcome {
        snapshot.profile(intent.profileID)?.isUsable(now: clock.now()) == true ? .adopted(snapshot) : .unchanged
    }

    /// Closes `intent`. A failure leaves it open, and the next refresh settles it. Only a refresh that was done counts as the one that
    /// a rejected access token gets.
    func close(_ intent: RefreshIntent, in journal: borrowing RefreshJournal, isDone: Bool) {
        var intent = intent
        if !isDone { intent.rejected = nil }
        UnwrittenAnswers.release(intent)
        try? journal.close(intent)
    }

    func load() throws(Ending) -> StoreSnapshot {
        do throws(StoreError) {
            return try store.load()
        } catch {
            throw .failed(.store, detail: error.description)
        }
    }
}
