internal import Configuration
internal import Credentials
internal import Digest
internal import Glibc
internal import OAuth
internal import Proxy
internal import Sandbox

/// A provider's data tried out: each way to log in, a request with what it brought, a refresh, all against a sandbox that has the data's own
/// shape. Nothing leaves this machine, and nothing of the user's is read.
struct ProviderTrial {
    /// One thing that was tried.
    struct Step {
        let name: String
        /// Why it did not work; nil: it did.
        let flaw: String?
        var detail = ""
    }

    private let provider: Provider
    private let settings: Settings
    private let sandbox: SandboxServer
    private let store: AgentStore

    /// Sets it up in `folder`. The process must have no other thread yet: an environment variable is set.
    init(_ id: String, _ installed: Settings, in folder: String) throws {
        unsafe _ = setenv(TrialPlace.secretVariable, "trial-secret-" + Base64URL.encode(Random.bytes(12)), 1)
        let shape = ProviderShape(
            of: try installed.moved(id, to: "http://localhost:1").provider(id), environment: OAuth.ProcessEnvironment.value)
        var options = SandboxServer.Options(directory: folder)
        options.tls = false
        options.shape = shape
        sandbox = try SandboxServer(options)
        settings = try installed.moved(id, to: sandbox.baseURL)
        guard let provider = settings.provider(id) else { throw Failure.failed("\(id) is gone") }
        self.provider = provider
        store = AgentStore(sink: folder, programs: SecretPrograms(SecretPlaces(), Installation.runner))
    }

    /// Runs all of it.
    func run() throws -> [Step] {
        var steps: [Step] = []
        var profiles: [String] = []
        for (name, profile, attempt) in ways {
            do {
                let id = try attempt(profile)
                profiles.append(id)
                steps.append(Step(name: name, flaw: nil, detail: id))
            } catch {
                steps.append(Step(name: name, flaw: Failure(error)?.description ?? "\(error)"))
            }
        }
        guard !profiles.isEmpty || !provider.needsCredential else { return steps }
        let server = try Server(
            settings: settings, sink: store.sink, runner: Installation.runner, logger: StandardErrorLog.logger(settings.log))
        defer {
            server.drain()
            server.cut()
            server.waitUntilStopped()
        }
        let client = try TrialClient(server, provider, sandbox)
        if !provider.needsCredential { steps.append(client.request(with: nil, in: store)) }
        for profile in profiles { steps.append(client.request(with: profile, in: store)) }
        for profile in profiles { if let step = client.refresh(profile, in: store) { steps.append(step) } }
        return steps
    }

    private typealias Way = (name: String, profile: String, attempt: (String) throws -> String)

    /// Every way that the data has to a credential.
    private var ways: [Way] {
        guard provider.credentialsFrom == provider.id, provider.needsCredential else { return [] }
        var ways: [Way] = []
        if provider.oauth?.login?.redirect != nil { ways.append(("log in by browser", "\(provider.id):browser", logInByBrowser)) }
        if case .standard = provider.oauth?.login?.device {
            ways.append(("log in by another device", "\(provider.id):device", logInByDevice))
        }
        if provider.onDemand != nil { ways.append(("be given a token on demand", "\(provider.id):demand", storeOnDemand)) }
        if provider.injection(for: .apiKey) != nil {
            ways.append(("store an API key", "\(provider.id):key", { try storeStatic($0) { .apiKey($0, provider: provider.id) } }))
        }
        if provider.injection(for: .token) != nil {
            ways.append(
                ("store a token", "\(provider.id):token", { try storeStatic($0) { .token($0, provider: provider.id, expires: nil) } }))
        }
        return ways
    }

    private func login(_ profile: String) throws -> (OAuthClient, Login) {
        guard let data = provider.oauth else { throw Failure.failed("there is no `oauth`") }
        let client = try data.prepared()
        return (
            client,
            Login(
                store: store, client: client,
                target: LoginTarget(
                    provider: provider.id, profileID: profile, needsAccountID: provider.injection(for: .oauth)?.accountHeader != nil))
        )
    }

    private func logInByBrowser(_ profile: String) throws -> String {
        let (client, login) = try login(profile)
        _ = try login.prepare()
        guard let request = AuthorizationRequest(client) else { throw Failure.failed("there is no page to log in at") }
        guard let back = sandbox.signIn(at: request.url) else {
            throw Failure.failed("the authorization request was refused: a parameter of OAuth's is missing or wrong in it")
        }
        guard let query = back.split(separator: "?", maxSplits: 1).dropFirst().first, let answer = AuthorizationAnswer(query: query) else {
            throw Failure.failed("the page led nowhere")
        }
        return try login.exchange(try request.accept(answer, from: .callback)).profileID
    }

    private func logInByDevice(_ profile: String) throws -> String {
        let (_, login) = try login(profile)
        _ = try login.prepare()
        guard let result = try login.finishDevice(try login.startDevice(), while: { true }) else {
            throw Failure.failed("the device login did not end")
        }
        return result.profileID
    }

    private func storeOnDemand(_ profile: String) throws -> String {
        sandbox.accept(TrialPlace.programToken)
        try store.put(.onDemand(provider: provider.id), id: profile)
        return profile
    }

    private func storeStatic(_ profile: String, _ credential: (Secret) -> Credential) throws -> String {
        let text = "trial-" + Base64URL.encode(Random.bytes(24))
        guard let secret = Secret(text) else { throw Failure.failed("no secret could be made") }
        sandbox.accept(text)
        try store.put(credential(secret), id: profile)
        return profile
    }
}
