public import Credentials
import Files

/// Turns a code into a stored login: with the shield, the journal and the order of a refresh (DESIGN §7), because a code, like a refresh
/// token, is spent by the question and not by the answer. Blocks for as long as a token request takes; nothing cancels it.
public struct Login: Sendable {
    let store: AgentStore
    let client: OAuthClient
    let target: LoginTarget
    let proxy: OutboundProxy?
    let transport: any TokenTransport
    let clock: WallClock
    let environment: @Sendable (_ name: String) -> String?

    /// Logins of one provider into one agent's store, by way of `proxy` if there is one, which is kept with the profile.
    public init(
        store: AgentStore, client: OAuthClient, target: LoginTarget, proxy: OutboundProxy? = nil,
        transport: any TokenTransport = CurlTransport(),
        clock: WallClock = .system, environment: @escaping @Sendable (_ name: String) -> String? = ProcessEnvironment.value
    ) {
        self.store = store
        self.client = client
        self.target = target
        self.proxy = proxy
        self.transport = transport
        self.clock = clock
        self.environment = environment
    }

    /// Before a person is sent to the browser: proves that a login could be stored, and finishes one that was interrupted between the
    /// provider's answer and the store. Nil when there is none.
    public func prepare() throws(LoginFailure) -> LoginResult? {
        guard EndpointURL(client.tokenURL) != nil else {
            throw LoginFailure(.settings, detail: "the token URL must be https, or http to a loopback host")
        }
        _ = try clientSecret()
        return try inLane(waiting: .seconds(5)) { journal throws(LoginFailure) in
            guard let (intent, answer) = unfinished(journal) else { return nil }
            return try settle(answer, intent, journal)
        }
    }

    /// Exchanges `code` and stores the login.
    public func exchange(_ code: AuthorizationCode) throws(LoginFailure) -> LoginResult {
        let request = TokenRequest.exchange(code, client: client, clientSecret: try clientSecret()).through(proxy)
        return try inLane(waiting: Lane.waitBound) { journal throws(LoginFailure) in
            try SignalShield.during { () throws(LoginFailure) in
                let intent = intent(spending: code.code)
                try open(intent, journal)
                let answer: TokenAnswer
                do throws(TransportFailure) {
                    answer = try transport.post(request)
                } catch {
                    close(intent, journal)
                    throw LoginFailure(error)
                }
                return try settle(journalled(answer), intent, journal)
            }
        }
    }

    /// Stores what a poll of a device login has brought; `code` names the attempt.
    func keep(_ answer: TokenAnswer, spending code: Secret) throws(LoginFailure) -> LoginResult {
        let answer = journalled(answer)
        return try inLane(waiting: Lane.waitBound) { journal throws(LoginFailure) in
            let intent = intent(spending: code)
            try open(intent, journal)
            return try settle(answer, intent, journal)
        }
    }

    /// The app's secret, where the provider wants one.
    func clientSecret() throws(LoginFailure) -> String? {
        guard let name = client.clientSecretEnvironment else { return nil }
        guard let value = environment(name), !value.isEmpty else {
            if client.secretIsOptional { return nil }
            throw LoginFailure(.settings, detail: "$\(name) is not set")
        }
        return value
    }

    // MARK: Lane and journal

    /// Logins of one client have a lane of their own, under a name that no profile can have.
    private var lane: Lane {
        let nobody = Profile(id: "\0login\0\(target.provider)", provider: target.provider, kind: .oauth, secret: nil)
        return Lane(client: client, profile: nobody, agentID: store.agentID)
    }

    private func inLane<Result>(
        waiting: Duration, _ body: (borrowing RefreshJournal) throws(LoginFailure) -> Result
    ) throws(LoginFailure) -> Result {
        let lock = try enter(waiting)
        defer { withExtendedLifetime(lock) {} }
        return try body(try openJournal())
    }

    private func enter(_ patience: Duration) throws(LoginFailure) -> FileLock {
        let lock: FileLock?
        do throws(FileError) {
            _ = try PrivateDirectory.ensure(store.locksDirectory)
            lock = try FileLock.acquire(store.lockPath(of: lane), timeout: patience)
        } catch {
            throw LoginFailure(.notDurable, detail: error.description)
        }
        guard let lock else { throw LoginFailure(.busy) }
        return lock
    }

    /// The journal; and the folder of the store must take a file.
    private func openJournal() throws(LoginFailure) -> RefreshJournal {
        do throws(FileError) {
            _ = try PrivateDirectory.ensure(store.journalDirectory)
            _ = try PrivateDirectory.ensure(store.directory)
            try PrivateDirectory.proveWritable(store.writtenDirectory)
            return try RefreshJournal(path: store.journalPath(of: lane))
        } catch {
            throw LoginFailure(.notDurable, detail: error.description)
        }
    }

    /// An answer that was journalled and not stored. An intent without one is closed: its code cannot be used again.
    private func unfinished(_ journal: borrowing RefreshJournal) -> (RefreshIntent, JournalledAnswer)? {
        guard let intent = try? journal.lastIntent(), intent.isOpen else { return nil }
        if let answer = try? journal.answer(to: intent) { return (intent, answer) }
        close(intent, journal)
        return nil
    }

    /// The profile that was asked for is kept with it, for whoever has to finish.
    private func intent(spending code: Secret) -> RefreshIntent {
        RefreshIntent(profileID: target.profileID ?? "", spent: code.fingerprint, rejected: nil, at: clock.now(), retries: 0)
    }

    private func open(_ intent: RefreshIntent, _ journal: borrowing RefreshJournal) throws(LoginFailure) {
        do throws(FileError) {
            try journal.open(intent)
        } catch {
            throw LoginFailure(.notDurable, detail: error.description)
        }
    }

    func close(_ intent: RefreshIntent, _ journal: borrowing RefreshJournal) { try? journal.close(intent) }

    private func journalled(_ answer: TokenAnswer) -> JournalledAnswer {
        JournalledAnswer(status: answer.status, receivedAt: clock.now(), body: answer.body)
    }
}
