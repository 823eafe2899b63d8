import Credentials
import Digest
import Files
import Glibc
import Synchronization

@testable import OAuth

/// An empty sink, a token endpoint that exchanges codes, and a clock to turn.
final class LoginScene: Sendable {
    static let start: Int64 = 1_769_000_000_000

    private let folder = TestFolder("login")
    let store: AgentStore
    let provider = CodeExchangeProvider()
    let time = Time(LoginScene.start)
    private let codes = Atomic(0)

    init() { store = AgentStore(sink: folder.path) }

    deinit { mendStore() }

    private var path: String { folder.path }

    func login(profileID: String? = nil, replaces: Bool = false, device: DeviceRules? = nil, secretFrom variable: String? = nil) -> Login {
        let time = time
        return Login(
            store: store,
            client: OAuthClient(
                tokenURL: "https://auth.example/oauth/token", authorizeURL: "https://auth.example/oauth/authorize", clientID: "client-1",
                clientSecretEnvironment: variable, scopes: ["openid", "email"], login: LoginRules(device: device)),
            target: LoginTarget(provider: "openai-codex", profileID: profileID, replaces: replaces, needsAccountID: true),
            transport: provider, clock: WallClock(now: { time.now }, sleep: { time.advance($0.milliseconds) }),
            environment: { $0 == "SET" ? "client-secret" : nil })
    }

    /// A code that was never used: `code-1`, `code-2`, …
    func code() -> AuthorizationCode {
        let number = codes.wrappingAdd(1, ordering: .relaxed).newValue
        return AuthorizationCode(
            code: Secret("code-\(number)")!, verifier: Secret(AuthorizationRequestTests.verifier)!,
            redirectURI: AuthorizationRequestTests.redirect)
    }

    /// The store becomes a folder, which nothing can be written to whoever tries, the journal staying what it is.
    func breakStore() {
        mkdir(path + "/agents", 0o700)
        mkdir(path + "/agents/main", 0o700)
        rename(path + "/agents/main/agent", path + "/agents/main/aside")
        close(open(path + "/agents/main/agent", O_CREAT | O_WRONLY, 0o600))
    }

    func mendStore() {
        guard unlink(path + "/agents/main/agent") == 0 else { return }
        rename(path + "/agents/main/aside", path + "/agents/main/agent")
    }

    func text(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        return String(decoding: bytes.prefix(max(read(descriptor, &bytes, bytes.count), 0)), as: UTF8.self)
    }

    /// What the journals hold.
    func journals() -> [String] { Directory.names(in: store.journalDirectory).map { text("\(store.journalDirectory)/\($0)") } }
}

/// A token endpoint that exchanges each code once for tokens of one account.
final class CodeExchangeProvider: TokenTransport {
    /// What becomes of one request.
    enum Fate: Sendable {
        case served
        case answer(Int, String)
        case unsent
        case lost
        case tooLarge
    }

    struct State {
        var fates: [Fate] = []
        var bodies: [String] = []
        var used: Set<String> = []
        var generation = 0
        var lastAccess = ""
        var account = ("acc-1", "me@x.example")
        /// Something that happens while the answer is on its way.
        var beforeAnswer: (@Sendable () -> Void)?
    }

    let state = Mutex(State())

    var bodies: [String] { state.withLock { $0.bodies } }
    var lastAccess: String { state.withLock { $0.lastAccess } }

    func script(_ fates: Fate...) { state.withLock { $0.fates = fates } }

    func post(_ request: TokenRequest) throws(TransportFailure) -> TokenAnswer {
        let body = String(decoding: request.body.bytes, as: UTF8.self)
        let (fate, happening) = state.withLock { state in
            state.bodies.append(body)
            return (state.fates.isEmpty ? Fate.served : state.fates.removeFirst(), state.beforeAnswer)
        }
        happening?()
        switch fate {
        case .answer(let status, let text): return TokenAnswer(status: status, body: SensitiveBytes(text))
        case .unsent: throw .notSent(code: "connection_refused")
        case .lost: throw .inDoubt(code: "connection_lost")
        case .tooLarge: throw .tooLarge(status: 200)
        case .served: return serve(body)
        }
    }

    private func serve(_ body: String) -> TokenAnswer {
        let code = body.split(separator: "&").first { $0.hasPrefix("code=") || $0.hasPrefix("device_code=") }.map(String.init) ?? ""
        return state.withLock { state in
            guard state.used.insert(code).inserted else {
                return TokenAnswer(status: 400, body: SensitiveBytes(#"{"error":"invalid_grant"}"#))
            }
            state.generation += 1
            let claims =
                #"{"https://api.openai.com/auth":{"chatgpt_account_id":"\#(state.account.0)","chatgpt_user_id":"user-\#(state.account.0)"},"#
                + #""https://api.openai.com/profile":{"email":"\#(state.account.1)"},"n":\#(state.generation)}"#
            state.lastAccess = "e30.\(Base64URL.encode(Array(claims.utf8))).c2ln"
            return TokenAnswer(
                status: 200,
                body: SensitiveBytes(
                    #"{"token_type":"Bearer","access_token":"\#(state.lastAccess)","refresh_token":"refresh-\#(state.generation)","expires_in":3600}"#
                ))
        }
    }
}
