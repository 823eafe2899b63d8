internal import Credentials
internal import Files
internal import Glibc
internal import JSON
internal import OAuth
internal import Sandbox

/// Where one scenario of the self-test plays: a provider that revokes a login whose refresh token comes twice, a store with one login of
/// it, and processes that refresh it. Nothing of the user's is read or written.
final class SelftestStage {
    static let profileID = "openai-codex:selftest"
    /// The provider's token endpoint, for faults.
    static let tokenPath = "/oauth/token"

    let sandbox: SandboxServer
    let store: AgentStore
    let client: OAuthClient
    private let folder: String
    private var children = 0
    private var accounts = 0
    /// The store as it was written, without the members that a refresh changes.
    private var untouched: Value = nil
    private var postsBefore = 0

    /// A stage in `folder`, which it makes. `grace`: how long the provider takes a replaced refresh token once more.
    init(in folder: String, grace: Duration = .zero) throws {
        self.folder = folder
        let sink = folder + "/state"
        store = AgentStore(sink: sink)
        _ = try PrivateDirectory.ensure(store.directory)
        try PrivateFile.replace("\(sink)/\(SelftestChild.mark)", with: [])
        var options = SandboxServer.Options(directory: folder)
        options.refreshGrace = grace
        sandbox = try SandboxServer(options)
        client = OAuthClient(
            tokenURL: sandbox.baseURL + Self.tokenPath, clientID: SandboxProvider.openaiCodex.clientID, caFile: sandbox.caFile)
    }

    deinit { sandbox.stop() }

    // MARK: The login

    /// Puts a new login into the store, whose access token has expired. Every second one belongs to the account of the one before, and
    /// so finds its lane's journal as a refresh has left it.
    ///
    /// - Parameters:
    ///   - others: how many other profiles the store holds, so that it is large.
    ///   - expires: what the store says, in ms since 1970; nil for the truth.
    func prepare(others: Int = 1, expires: Int64? = nil) throws {
        let login = sandbox.addAccount(.openaiCodex, expired: expires == nil, named: "acct-selftest-\(accounts / 2)")
        accounts += 1
        var profiles = Object()
        for number in 0..<others {
            profiles["other:\(number)"] = [
                "type": "api_key", "provider": "other", "key": .string("key-\(String(repeating: "x", count: 400))-\(number)"),
            ]
        }
        profiles[Self.profileID] = [
            "type": "oauth", "provider": "openai-codex", "access": .string(login.access), "refresh": .string(login.refresh),
            "expires": .integer(expires ?? login.expires), "accountId": .string(login.accountID), "note": "kept",
        ]
        // What Keybearer does not know must survive, to the last digit.
        let root: Object = [
            "version": 1, "x-neighbour": NumberText(text: "1.50").map { .number($0) } ?? nil, "profiles": .object(profiles),
        ]
        untouched = Self.withoutTokens(.object(root))
        try PrivateFile.replace(store.profilesPath, with: Writer.pretty(.object(root)))
        postsBefore = sandbox.audit.tokenPosts
    }

    /// Lets the store look like one that is shared with an OpenClaw of February 2026.
    func share() throws {
        try PrivateFile.replace(store.sink + "/openclaw.json", with: Array(#"{"meta":{"lastTouchedVersion":"2026.2.27"}}"#.utf8))
    }

    /// Does what a neighbour does that finds the lock too old: removes it, takes it, changes the store, gives it back. False when there was
    /// none to steal.
    func stealLock() throws -> Bool {
        let path = store.profilesPath + ".lock"
        guard unsafe unlink(path) == 0 else { return false }
        let created = Timestamp.rfc3339(WallClock.system.now())
        try PrivateFile.replace(path, with: Writer.pretty(["pid": .integer(Int64(getpid())), "createdAt": .string(created)]))
        var root = try store.document().root
        root["x-neighbour"] = "changed meanwhile"
        untouched = Self.withoutTokens(.object(root))
        try PrivateFile.replace(store.profilesPath, with: Writer.pretty(.object(root)))
        return unsafe unlink(path) == 0
    }

    /// Requests at the token endpoint since the login was put in place.
    var posts: Int { sandbox.audit.tokenPosts - postsBefore }

    /// Refresh tokens that came twice, of any login of this stage.
    var reuses: Int { sandbox.audit.reusesDetected }

    /// The login as the store has it.
    func profile() throws -> Profile {
        guard let profile = try store.load().profile(Self.profileID) else { throw Failure.failed("the login is gone from the store") }
        return profile
    }

    // MARK: Refreshes

    /// Starts one refresh in a process of its own.
    func start(_ options: [String] = []) throws -> SelftestProcess {
        children += 1
        return try SelftestProcess(
            [
                "selftest", "refresh", "--folder", store.sink, "--profile", Self.profileID, "--token-url", client.tokenURL, "--client-id",
                client.clientID, "--ca-file", client.caFile ?? "",
            ] + options, outputPath: "\(folder)/out-\(children)")
    }

    /// Starts one that does something to itself.
    func start(_ act: SelftestAct, at point: SelftestPoint) throws -> SelftestProcess {
        try start(["--at", point.rawValue, "--act", act.rawValue])
    }

    /// One refresh, nothing in its way, to its end.
    @discardableResult
    func refresh(_ options: [String] = []) throws -> SelftestOutcome {
        let process = try start(options)
        guard process.wait(for: .seconds(40)) == 0, let outcome = process.outcomes.first else {
            throw Failure.failed("a refresh did not end as it should: \(process.output)")
        }
        return outcome
    }

    // MARK: What is left

    /// What a crash has left, when nobody is at work any more.
    struct Remains {
        /// The store holds the successor of the token that was there.
        var holdsNewToken = false
        var isIntentOpen = false
        /// The journal holds the answer, whole.
        var hasAnswer = false

        /// The request may have been sent, and nothing of its answer is on the disk.
        var isInDoubt: Bool { isIntentOpen && !hasAnswer && !holdsNewToken }
    }

    /// What is left of the refresh that spent `token`.
    func remains(ofSpending token: Secret?) throws -> Remains {
        let profile = try profile()
        var remains = Remains(holdsNewToken: profile.refresh != token)
        let path = store.journalPath(of: Lane(client: client, profile: profile, agentID: store.agentID))
        // Opening would make one.
        guard PrivateFile.identity(of: path) != nil else { return remains }
        let journal = try RefreshJournal(path: path)
        guard let intent = try journal.lastIntent(), intent.isOpen else { return remains }
        remains.isIntentOpen = true
        remains.hasAnswer = try journal.answer(to: intent) != nil
        return remains
    }

    /// Why the store is not as it must be after any crash and its recovery; nil when it is.
    func flaw() throws -> String? {
        var status = stat()
        guard unsafe lstat(store.profilesPath, &status) == 0, status.st_mode & 0o7777 == 0o600 else {
            return "the store's mode is not 0600"
        }
        let document: StoreDocument
        do {
            document = try store.document()
        } catch {
            return "the store cannot be read: \(error)"
        }
        if try profile().refresh == nil { return "the refresh token was blanked" }
        guard Self.withoutTokens(.object(document.root)) == untouched else { return "something else in the store was changed" }
        let left = Directory.names(in: store.directory).filter { $0.hasPrefix(".auth-") || $0.contains(".corrupt-") }
        return left.isEmpty ? nil : "files with secrets were left behind: \(left.joined(separator: ", "))"
    }

    /// Whether the provider still takes the login: asked by one more refresh, since nothing else proves a refresh token.
    func isAlive() throws -> Bool {
        guard let held = try profile().secret?.fingerprint else { return false }
        let clock = WallClock(now: WallClock.system.now, sleep: { _ in })
        let outcome = Refresher(store: store, clock: clock).refresh(profileID: Self.profileID, client: client, cause: .rejected(held))
        guard case .refreshed(let snapshot) = outcome else { return false }
        return snapshot.needsLogin[Self.profileID] == nil
    }

    private static func withoutTokens(_ root: Value) -> Value {
        guard var members = root.object, var profiles = members["profiles"]?.object, var entry = profiles[profileID]?.object else {
            return nil
        }
        for name in ["access", "refresh", "expires"] { entry[name] = nil }
        profiles[profileID] = .object(entry)
        members["profiles"] = .object(profiles)
        return .object(members)
    }
}
