internal import Configuration
internal import Credentials
internal import JSON
internal import Proxy
internal import Sandbox
internal import Sockets

/// The tool in a trial: asks the proxy, and looks at what arrived at the sandbox.
struct TrialClient {
    private let port: UInt16
    private let provider: Provider
    private let sandbox: SandboxServer

    init(_ server: Server, _ provider: Provider, _ sandbox: SandboxServer) throws {
        guard let port = server.addresses.first?.split(separator: ":").last.flatMap({ UInt16($0) }) else {
            throw Failure.failed("the trial's proxy has no address")
        }
        self.port = port
        self.provider = provider
        self.sandbox = sandbox
    }

    /// One request with this profile.
    func request(with profile: String?, in store: AgentStore) -> ProviderTrial.Step {
        let name = "make a request\(profile.map { " with \($0)" } ?? "")"
        let (status, arrival) = ask(profile)
        guard let arrival else { return ProviderTrial.Step(name: name, flaw: "it did not arrive: Keybearer answered \(status)") }
        if let flaw = profile.flatMap({ try? store.load().profile($0) }).flatMap({ flaw(in: arrival, of: $0) }) {
            return ProviderTrial.Step(name: name, flaw: flaw)
        }
        guard status == 200 else { return ProviderTrial.Step(name: name, flaw: "the stand-in did not take its credential (\(status))") }
        return ProviderTrial.Step(name: name, flaw: nil, detail: "arrived at \(arrival.target)")
    }

    /// A request with this login after its token has ended; nil for what is not renewed.
    func refresh(_ id: String, in store: AgentStore) -> ProviderTrial.Step? {
        guard let before = try? store.load().profile(id), before.kind == .oauth else { return nil }
        let name = "refresh \(id)"
        do {
            try store.update { document throws(StoreError) in
                guard var entry = document.entry(id) else { return false }
                entry["expires"] = 1000
                document.setEntry(id, entry)
                return true
            }
        } catch {
            return ProviderTrial.Step(name: name, flaw: "\(error)")
        }
        // The server hears of the change by itself, within a second.
        for _ in 0..<30 {
            let (status, _) = ask(id)
            guard let after = try? store.load().profile(id), after.secret != before.secret else {
                Pause.milliseconds(100)
                continue
            }
            let flaw = status == 200 ? nil : "the new token was not taken (\(status))"
            return ProviderTrial.Step(name: name, flaw: flaw, detail: "a new token, and a new refresh token")
        }
        return ProviderTrial.Step(name: name, flaw: "it was not renewed; the token endpoint's rules are not those of `oauth`")
    }

    private func ask(_ profile: String?) -> (status: Int, arrival: ShapedArrival?) {
        let before = sandbox.arrivals.count
        let pin = profile.map { [(name: "Keybearer-Profile", value: $0)] } ?? []
        let answer = DemoClient(port: port)?.post("/\(provider.id)\(Self.path)", json: "{}", fields: pin)
        return (answer?.status ?? 0, sandbox.arrivals.dropFirst(before).last)
    }
    private static let path = "/trial/request"

    /// What the data says of a request and is not in it.
    private func flaw(in arrival: ShapedArrival, of profile: Profile) -> String? {
        guard let injection = provider.injection(for: profile.kind) else { return "the data does not say how it is sent" }
        let shown = arrival.values(injection.header)
        guard shown.count == 1, shown[0].hasPrefix(injection.prefix) else {
            return "\(injection.header) was not there as `auth` says"
        }
        if provider.mint != nil, !shown[0].contains("minted-") { return "\(injection.header) did not carry what was minted" }
        if profile.kind == .oauth, let header = injection.accountHeader, arrival.values(header) != [ProviderShape.accountID] {
            return "\(header) did not carry the account"
        }
        for field in provider.headers where arrival.values(field.name) != [field.value] { return "\(field.name) was not set" }
        for field in injection.merge where !arrival.values(field.name).contains(where: { $0.contains(field.value) }) {
            return "\(field.name) was not merged"
        }
        return nil
    }
}

extension ProviderShape {
    /// The shape that a provider's data gives its endpoints, where they are while it is tried out.
    init(of provider: Provider?, environment: (String) -> String?) {
        self.init()
        takesAnyone = provider?.needsCredential == false
        if let mint = provider?.mint {
            self.mint = TrialPlace.mint.path
            mintHeader = mint.header
            mintPrefix = mint.prefix
            mintMethod = mint.method.rawValue
            minted = mint.tokenPath
            mintedEnd = mint.expiryPath
        }
        var client = provider?.oauth
        if case .clientCredentials(let own) = provider?.onDemand { client = own }
        if let client { take(client, environment) }
    }

    private mutating func take(_ client: OAuthClient, _ environment: (String) -> String?) {
        issuer = client.issuer == nil ? nil : TrialPlace.issuer.path
        authorize = TrialPlace.authorize.path
        token = TrialPlace.token.path
        userinfo = client.userinfoURL == nil ? nil : TrialPlace.userinfo.path
        takesJSON = client.bodyForm == .json
        clientID = client.clientID
        clientSecret = client.clientSecretEnvironment.flatMap(environment)
        isBasic = client.authentication == .basic
        wantsState = client.login?.state.isSentInExchange ?? false
        parameters = Dictionary(client.tokenParameters.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        let answer = client.answer
        (access, refresh, expiry, end) = (answer.access, answer.refresh, answer.expiry, End(answer.expiryForm))
        (account, email, address) = (answer.account, answer.email, answer.baseURL)
        accountClaim =
            answer.accountClaim.isEmpty && answer.account.isEmpty
            ? ["https://api.openai.com/auth", "chatgpt_account_id"] : answer.accountClaim
        emailClaim = answer.emailClaim.isEmpty ? ["email"] : answer.emailClaim
        (status, granted) = (answer.status, answer.granted.first ?? "")
        guard case .standard(_, let manners) = client.login?.device else { return }
        deviceStart = TrialPlace.deviceStart.path
        deviceGrant = manners.grantType
        deviceKey = manners.pollKey.rawValue
        (devicePKCE, deviceState) = (manners.usesPKCE, manners.sendsState)
        (deviceExpiry, deviceEnd) = (manners.expiry, End(manners.expiryForm))
        (pending, pendingStatus) = (manners.pending.first, manners.pendingStatuses.first)
        for parameter in manners.parameters { startParameters[parameter.name] = parameter.value }
    }
}

extension ProviderShape.End {
    fileprivate init(_ form: ExpiryForm) {
        self =
            switch form {
            case .life: .life
            case .seconds: .seconds
            case .milliseconds, .any: .milliseconds
            case .instant: .instant
            }
    }
}
