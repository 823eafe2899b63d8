internal import Digest
internal import Sockets
internal import Synchronization

/// Everything that changes while the sandbox runs, behind one lock: connection threads come one at a time.
final class Records: Sendable {
    struct State: Sendable {
        var tokens: TokenLedger
        var authorizations = AuthorizationLedger()
        var faults = FaultQueue()
        var audit = Audit()
    }

    /// How long access tokens live, in seconds.
    let accessTokenLifetime: Int
    private let mint = TokenMint()
    private let state: Mutex<State>

    init(accessTokenLifetime: Int, refreshGrace: Duration) {
        self.accessTokenLifetime = accessTokenLifetime
        state = Mutex(
            State(
                tokens: TokenLedger(
                    mint: mint, lifetime: Int64(accessTokenLifetime) * 1000, grace: Int64(refreshGrace / .milliseconds(1)))))
    }

    /// Runs `body` alone, with the time in milliseconds since 1970.
    func with<R, E: Error>(_ body: (inout State, _ now: Int64) throws(E) -> sending R) throws(E) -> sending R {
        try state.withLock { state throws(E) in try body(&state, Clock.wall()) }
    }

    /// Who holds this key or access token.
    func holder(of secret: String) throws(TokenLedger.AccessRefusal) -> TokenLedger.Holder {
        try with { state, now throws(TokenLedger.AccessRefusal) in try state.tokens.holder(of: secret, now: now) }
    }

    /// A new account with a login, bound to the client id that real tools use.
    func login(_ provider: SandboxProvider, expired: Bool = false, named name: String? = nil) -> SandboxLogin {
        with { state, now in
            let account = state.tokens.account(provider, named: name)
            return state.tokens.login(account, clientID: provider.clientID, expired: expired, now: now)
        }
    }

    /// What the person at the device page decides; false when no device waits under `userCode`.
    func decideDevice(userCode: String, approve: Bool, named name: String?) -> Bool {
        with { state, _ in
            guard let provider = state.authorizations.provider(waitingFor: userCode) else { return false }
            let account = approve ? state.tokens.account(provider, named: name) : nil
            state.authorizations.decide(userCode: userCode, account: account)
            return true
        }
    }

    /// A PKCE verifier, for the flow in which the server chooses it.
    func verifier() -> String { mint.opaque(32) }

    /// The ID token that OpenAI sends with every pair.
    func idToken(for login: SandboxLogin, clientID: String) -> String {
        mint.jwt(
            account: Account(id: login.accountID, provider: login.provider), issuedAt: login.expires - Int64(accessTokenLifetime) * 1000,
            expires: login.expires, audience: clientID)
    }
}

extension Audit.Entry {
    /// What is known of a request before it is answered. Credentials are replaced.
    init(_ request: Request) {
        method = request.method
        target = request.path
        if !request.query.isEmpty {
            let shown = request.query.map { pair in
                let isSecret = ["key", "api_key", "access_token", "code"].contains(pair.name)
                return "\(pair.name)=\(isSecret ? "‹secret›" : Form.escape(pair.value))"
            }
            target += "?" + shown.joined(separator: "&")
        }
        fields = request.fields.map { field in
            Audit.Field(name: field.name, value: Self.secretFields.contains(field.name) ? "‹secret›" : field.value)
        }
        bodyBytes = request.body.count
        bodySHA256 = request.body.sha256
    }

    private static let secretFields: Set<String> = [
        "authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie", "proxy-authorization",
    ]

    /// Names the payer without showing the secret.
    mutating func credit(_ holder: TokenLedger.Holder, secret: String) {
        account = holder.account.id
        credentialKind = holder.kind.rawValue
        fingerprint = String(Hexadecimal.encode(SHA256.hash(secret)).prefix(16))
    }
}
