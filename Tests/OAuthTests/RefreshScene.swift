import Credentials
import Digest
import Glibc
import JSON
import Synchronization

@testable import OAuth

/// A sink in a fresh folder with one oauth profile, a provider to refresh it at, and a clock to turn.
final class RefreshScene: Sendable {
    static let id = "openai-codex:me"
    static let start: Int64 = 1_769_000_000_000

    private let folder = TestFolder("oauth")
    let store: AgentStore
    let provider: RotatingProvider
    let time = Time(RefreshScene.start)
    let client: OAuthClient

    /// The profile's access token ended `ago` ms before the start (negative: it still works).
    init(expiredFor ago: Int64 = 1000, retryInDoubt: OAuthClient.RetryInDoubt = .once, bodyForm: OAuthClient.BodyForm = .form) {
        store = AgentStore(sink: folder.path)
        provider = RotatingProvider(refresh: "refresh-0")
        client = OAuthClient(
            tokenURL: "https://auth.example/token", clientID: "client", bodyForm: bodyForm, retryInDoubt: retryInDoubt)
        login(access: "access-0", refresh: "refresh-0", expires: Self.start - ago)
    }

    var path: String { folder.path }

    func login(access: String, refresh: String, expires: Int64, account: String? = "acc") {
        _ = try! store.put(
            .oauth(
                access: Secret(access)!, refresh: Secret(refresh)!, expires: expires, provider: "openai-codex", accountID: account,
                email: nil),
            id: Self.id)
    }

    func refresher(
        transport: (any TokenTransport)? = nil, endingAfter step: RefreshStep? = nil
    ) -> Refresher {
        let time = time
        var refresher = Refresher(
            store: store, transport: transport ?? provider,
            clock: WallClock(now: { time.now }, sleep: { time.advance($0.milliseconds) }),
            environment: { $0 == "SET" ? "client-secret" : nil })
        if let step {
            refresher.checkpoint = { reached throws(Ending) in
                if reached == step { throw Ending(.unchanged) }
            }
        }
        return refresher
    }

    func refresh(_ cause: Cause = .expired) -> RefreshOutcome {
        refresher().refresh(profileID: Self.id, client: client, cause: cause)
    }

    var snapshot: StoreSnapshot { get throws { try store.load() } }

    var profile: Profile { get throws { try snapshot.profile(Self.id)! } }

    var lane: Lane { get throws { Lane(client: client, profile: try profile, agentID: "main") } }

    /// The journal's bytes as text, to look for secrets in.
    var journalText: String { get throws { String(decoding: contents(store.journalPath(of: try lane)), as: UTF8.self) } }

    /// The journal's intent; nil when there is no journal either.
    var lastIntent: RefreshIntent? {
        get throws {
            let path = store.journalPath(of: try lane)
            return access(path, F_OK) == 0 ? try RefreshJournal(path: path).lastIntent() : nil
        }
    }

    func contents(_ path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = read(descriptor, &bytes, bytes.count)
        return Array(bytes.prefix(max(count, 0)))
    }
}

/// A clock that stands still unless it is told.
final class Time: Sendable {
    private let value: Atomic<Int64>

    init(_ start: Int64) { value = Atomic(start) }

    var now: Int64 { value.load(ordering: .relaxed) }

    func advance(_ milliseconds: Int64) { value.wrappingAdd(milliseconds, ordering: .relaxed) }
}

/// A token endpoint that rotates strictly: every refresh token works once, and a second use revokes the login. What happens to a
/// request before or after the endpoint has done its part can be scripted.
final class RotatingProvider: TokenTransport {
    /// What becomes of one request.
    enum Fate: Sendable {
        case served
        /// It never arrives.
        case unsent
        /// It is lost on the way.
        case lostBefore
        /// The endpoint rotates, and its answer is lost.
        case lostAfter
        /// Something else answers.
        case answer(Int, String, retryAfter: Int? = nil)
        case tooLarge
    }

    struct State {
        var refresh: String
        var generation = 0
        var posts = 0
        var reuses = 0
        var isRevoked = false
        var rotates = true
        var fates: [Fate] = []
        var bodies: [String] = []
        var account = "acc"
        var expiresIn = "3600"
    }

    let state: Mutex<State>
    /// How long the endpoint takes.
    let delay: Duration

    init(refresh: String, delay: Duration = .zero) {
        state = Mutex(State(refresh: refresh))
        self.delay = delay
    }

    var posts: Int { state.withLock { $0.posts } }
    var reuses: Int { state.withLock { $0.reuses } }
    /// The refresh token that works now.
    var current: String { state.withLock { $0.refresh } }

    func script(_ fates: Fate...) { state.withLock { $0.fates = fates } }

    func post(_ request: TokenRequest) throws(TransportFailure) -> TokenAnswer {
        if delay > .zero { usleep(UInt32(delay.milliseconds * 1000)) }
        let body = String(decoding: request.body.bytes, as: UTF8.self)
        let (fate, status, text) = state.withLock { state in
            state.posts += 1
            state.bodies.append(body)
            let fate = state.fates.isEmpty ? .served : state.fates.removeFirst()
            switch fate {
            case .served, .lostAfter:
                let (status, text) = Self.serve(body, &state)
                return (fate, status, text)
            default: return (fate, 0, "")
            }
        }
        switch fate {
        case .served: return TokenAnswer(status: status, body: SensitiveBytes(text))
        case .unsent: throw .notSent(code: "connection_refused")
        case .lostBefore, .lostAfter: throw .inDoubt(code: "connection_lost")
        case .answer(let status, let text, let retryAfter):
            return TokenAnswer(status: status, retryAfter: retryAfter.map { .seconds($0) }, body: SensitiveBytes(text))
        case .tooLarge: throw .tooLarge(status: 200)
        }
    }

    private static func serve(_ body: String, _ state: inout State) -> (Int, String) {
        let sent = body.split(whereSeparator: { "&\":,{}".contains($0) })
        guard !state.isRevoked, sent.contains("refresh_token=\(state.refresh)") || sent.contains("\(state.refresh)") else {
            state.reuses += 1
            state.isRevoked = true
            return (400, #"{"error":{"message":"used before","type":"invalid_request_error","code":"refresh_token_reused"}}"#)
        }
        state.generation += 1
        let access = jwt(account: state.account, generation: state.generation)
        guard state.rotates else { return (200, #"{"access_token":"\#(access)","expires_in":\#(state.expiresIn)}"#) }
        state.refresh = "refresh-\(state.generation)"
        return (
            200,
            #"{"token_type":"Bearer","access_token":"\#(access)","refresh_token":"\#(state.refresh)","expires_in":\#(state.expiresIn)}"#
        )
    }

    static func jwt(account: String, generation: Int) -> String {
        let payload = #"{"https://api.openai.com/auth":{"chatgpt_account_id":"\#(account)"},"n":\#(generation)}"#
        return "e30.\(Base64URL.encode(Array(payload.utf8))).c2ln"
    }
}

extension RefreshOutcome {
    /// The case's name, for tables.
    var name: String {
        switch self {
        case .refreshed: "refreshed"
        case .adopted: "adopted"
        case .unchanged: "unchanged"
        case .transient(let failure, _): "transient \(failure.reason.rawValue)"
        case .needsLogin: "needsLogin"
        }
    }
}
