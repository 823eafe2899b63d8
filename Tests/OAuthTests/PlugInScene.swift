import Credentials
import Glibc
import JSON
import Synchronization

@testable import OAuth

/// What the tests of providers' data share.
enum PlugIn {
    static let start: Int64 = 1_769_000_000_000
    static let clock = WallClock(now: { start }, sleep: { _ in })

    /// A client as its data may change it.
    static func client(_ change: (inout OAuthClient) -> Void = { _ in }, login: LoginRules? = nil) -> OAuthClient {
        var client = OAuthClient(
            tokenURL: "https://a.example/token", authorizeURL: "https://a.example/page", clientID: "c 1", scopes: ["s"], login: login)
        change(&client)
        return client
    }
}

/// Answers each address as told, in turn, the last one again and again; remembers what it was asked.
final class ScriptedEndpoints: TokenTransport {
    struct Asked: Equatable {
        let url: String
        let method: Mint.Method
        let credential: String?
        let body: String
    }
    private let answers: Mutex<[String: [(Int, String)]]>
    private let asked = Mutex<[Asked]>([])

    init(_ answers: [String: [(Int, String)]]) { self.answers = Mutex(answers) }

    var requests: [Asked] { asked.withLock { $0 } }

    func post(_ request: TokenRequest) throws(TransportFailure) -> TokenAnswer {
        let text = { (bytes: SensitiveBytes) in String(decoding: bytes.bytes, as: UTF8.self) }
        asked.withLock {
            $0.append(
                Asked(url: request.url, method: request.method, credential: request.credential.map(text), body: text(request.body)))
        }
        let answer: (Int, String)? = answers.withLock { answers in
            guard var list = answers[request.url], let first = list.first else { return nil }
            if list.count > 1 { list.removeFirst() }
            answers[request.url] = list
            return first
        }
        guard let answer else { throw .notSent(code: "connection_refused") }
        return TokenAnswer(status: answer.0, body: SensitiveBytes(answer.1))
    }
}

/// An empty sink.
final class PlugInScene {
    private let folder = TestFolder("plugin")
    let store: AgentStore

    init() { store = AgentStore(sink: folder.path) }

    var entry: Object? { try? store.document().entry(store.document().profileIDs.first ?? "") }
}
