import Credentials
import Digest
import Glibc
import JSON
import Synchronization
import Testing

@testable import OAuth

@Suite struct MinterTests {
    private static let id = "copilot:me"
    private static let start: Int64 = 1_769_000_000_000

    /// Answers as told, in turn (the last one again and again), and remembers what it was asked.
    private final class ScriptedMint: TokenTransport {
        struct Asked: Equatable {
            let url: String
            let method: Mint.Method
            let credential: String
            let body: String
        }
        private let answers: [(status: Int, body: String)]
        private let asked = Mutex<[Asked]>([])

        init(_ answers: (status: Int, body: String)...) { self.answers = answers }

        var requests: [Asked] { asked.withLock { $0 } }

        func post(_ request: TokenRequest) throws(TransportFailure) -> TokenAnswer {
            let text = { (bytes: SensitiveBytes) in String(decoding: bytes.bytes, as: UTF8.self) }
            let number = asked.withLock { asked in
                asked.append(
                    Asked(
                        url: request.url, method: request.method, credential: request.credential.map(text) ?? "", body: text(request.body)))
                return asked.count - 1
            }
            let answer = answers[min(number, answers.count - 1)]
            return TokenAnswer(status: answer.status, body: SensitiveBytes(answer.body))
        }
    }

    private let folder = TestFolder("mint")
    private let store: AgentStore
    private let mint = Mint(
        url: "https://auth.example/token", method: .get, header: "authorization", prefix: "token ", tokenPath: ["data", "token"],
        expiryPath: ["expires_at"])

    init() throws {
        store = AgentStore(sink: folder.path)
        _ = try store.put(.token(Secret("gho_parent")!, provider: "copilot", expires: nil), id: Self.id)
    }

    private func minter(_ transport: ScriptedMint) -> Minter {
        Minter(store: store, transport: transport, clock: WallClock(now: { Self.start }, sleep: { _ in }))
    }

    private func mint(_ transport: ScriptedMint, _ cause: Cause = .expired, by mint: Mint? = nil) -> RefreshOutcome {
        minter(transport).mint(profileID: Self.id, by: mint ?? self.mint, client: nil, cause: cause)
    }

    private func held() throws -> MintedToken? {
        let snapshot = try store.load()
        return snapshot.issued(for: try #require(snapshot.profile(Self.id)), by: .exchange(mint))
    }

    private static func answer(_ token: String, _ expiry: String = "1769003600") -> (status: Int, body: String) {
        (200, #"{"data":{"token":"\#(token)"},"expires_at":\#(expiry)}"#)
    }

    @Test func `A token is minted once, kept for every process, and asked for anew when it is near its end or was refused`() throws {
        let transport = ScriptedMint(Self.answer("short-1"), Self.answer("short-2"))
        guard case .refreshed = mint(transport) else { return #expect(Bool(false), "it was minted") }
        #expect(
            transport.requests == [
                .init(url: "https://auth.example/token", method: .get, credential: "authorization: token gho_parent", body: "")
            ])
        let first = try #require(try held())
        #expect(first.secret.revealed == "short-1" && first.expires == 1_769_003_600_000)
        guard case .adopted = mint(transport) else { return #expect(Bool(false), "it is there") }
        #expect(transport.requests.count == 1)
        guard case .refreshed = mint(transport, .rejected(first.secret.fingerprint)) else { return #expect(Bool(false), "it was minted") }
        #expect(try held()?.secret.revealed == "short-2")
        // Whoever held the first one finds the second.
        guard case .adopted = mint(transport, .early(holding: first.secret.fingerprint)) else { return #expect(Bool(false), "it is there") }
        #expect(transport.requests.count == 2)
        let profile = try #require(try store.load().profile(Self.id))
        #expect(profile.secret?.revealed == "gho_parent" && profile.carrying(first).secret == first.secret)
    }

    @Test func `The cache says whose it is, is closed to others, and may be deleted`() throws {
        let transport = ScriptedMint(Self.answer("short-1"))
        _ = mint(transport)
        let file = store.directory + "/auth.json"
        var info = stat()
        #expect(stat(file, &info) == 0 && info.st_mode & 0o777 == 0o600)
        let root = try Reader.parse(contents(file))
        #expect(root["version"]?.int64 == 1 && root["managedBy"]?.string == "keybearer")
        let key = try #require(root["minted"]?.object?.map(\.name).first)
        #expect(key.hasPrefix(Secret("gho_parent")!.fingerprint))
        unlink(file)
        guard case .refreshed = mint(transport) else { return #expect(Bool(false), "it was minted") }
        #expect(try store.load().profiles.map(\.id) == [Self.id], "it is not taken for a legacy file")
    }

    @Test func `Accounts never share a token`() throws {
        _ = mint(ScriptedMint(Self.answer("short-1")))
        _ = try store.put(.token(Secret("gho_other")!, provider: "copilot", expires: nil), id: Self.id)
        #expect(try held() == nil)
        _ = mint(ScriptedMint(Self.answer("short-of-other")))
        #expect(try held()?.secret.revealed == "short-of-other")
    }

    @Test func `A file of another program's is left as it is, and that is said`() throws {
        let file = store.directory + "/auth.json"
        let text = #"{"openai":{"type":"api_key","key":"sk-of-pi"}}"#
        write(text, to: file)
        guard case .transient(let failure, _) = mint(ScriptedMint(Self.answer("short-1"))) else { return #expect(Bool(false), "it cannot") }
        #expect(failure.detail?.contains("\(file) holds another program's logins") == true)
        #expect(String(decoding: contents(file), as: UTF8.self) == text)
    }

    @Test(arguments: [
        ("1769003600", 1_769_003_600_000), ("1769003600123", 1_769_003_600_123), ("1800", start + 1_800_000),
        (#""1800""#, start + 1_800_000),
        ("null", start + 3_600_000), (#""soon""#, start + 3_600_000), ("-5", start + 3_600_000),
    ])
    func `The end is told in ms or seconds since 1970, or as a life; else it is an hour`(text: String, expires: Int64) throws {
        _ = mint(ScriptedMint(Self.answer("short-1", text)))
        #expect(try held()?.expires == expires)
    }

    @Test(arguments: [
        (401, "{}", RefreshFailure.Reason.status), (503, "", .status), (200, "<html>", .invalidAnswer), (200, "{}", .invalidAnswer),
        (200, #"{"data":{"token":"with space"}}"#, .invalidAnswer), (200, #"{"data":"token"}"#, .invalidAnswer),
    ])
    func `What is no token changes nothing`(status: Int, body: String, reason: RefreshFailure.Reason) throws {
        guard case .transient(let failure, _) = mint(ScriptedMint((status, body))) else { return #expect(Bool(false), "it failed") }
        #expect(failure.reason == reason && failure.status == status)
        #expect(try held() == nil && access(store.directory + "/auth.json", F_OK) != 0)
    }

    @Test func `A POST has its parameters in the form that was said`() {
        let transport = ScriptedMint(Self.answer("short-1"))
        let parameters = [LoginParameter(name: "grant", value: "a b")]
        for form in [OAuthClient.BodyForm.form, .json] {
            let mint = Mint(
                url: "https://auth.example/\(form.rawValue)", header: "x-parent", prefix: "", parameters: parameters, bodyForm: form,
                tokenPath: ["data", "token"], expiryPath: [])
            _ = self.mint(transport, by: mint)
        }
        #expect(transport.requests.map(\.body) == ["grant=a%20b", #"{"grant":"a b"}"#])
        #expect(transport.requests.allSatisfy { $0.method == .post && $0.credential == "x-parent: gho_parent" })
    }

    @Test func `A login is renewed before a token is minted of it, and once more when the mint refuses it`() throws {
        let client = OAuthClient(tokenURL: "https://auth.example/oauth", clientID: "c")
        let login = { (access: String, expires: Int64) in
            try store.put(
                .oauth(access: Secret(access)!, refresh: Secret("r0")!, expires: expires, provider: "copilot", accountID: nil, email: nil),
                id: Self.id)
        }
        _ = try login("old", Self.start - 1)
        let renewal = (200, #"{"access_token":"new","refresh_token":"r1","expires_in":3600}"#)
        let expired = ScriptedMint(renewal, Self.answer("short-1"))
        guard case .refreshed = minter(expired).mint(profileID: Self.id, by: mint, client: client, cause: .expired) else {
            return #expect(Bool(false), "it was minted")
        }
        #expect(expired.requests.map(\.url) == ["https://auth.example/oauth", "https://auth.example/token"])
        #expect(expired.requests.last?.credential == "authorization: token new")
        _ = try login("revoked", Self.start + 1_000_000)
        let revoked = ScriptedMint((401, "{}"), (200, #"{"access_token":"newer","expires_in":3600}"#), Self.answer("short-2"))
        guard case .refreshed = minter(revoked).mint(profileID: Self.id, by: mint, client: client, cause: .expired) else {
            return #expect(Bool(false), "it was minted")
        }
        #expect(revoked.requests.count == 3 && revoked.requests.last?.credential == "authorization: token newer")
    }

    @Test func `A credential that may go to some hosts alone goes to no mint elsewhere`() {
        let transport = ScriptedMint(Self.answer("short-1"))
        for (hosts, isAsked) in [(#"["models.example"]"#, false), (#"["models.example","auth.example"]"#, true)] {
            write(
                #"{"version":1,"profiles":{"copilot:me":{"type":"token","provider":"copilot","token":"gho_parent","allowedHosts":\#(hosts)}}}"#,
                to: store.profilesPath)
            let outcome = mint(transport)
            #expect(transport.requests.count == (isAsked ? 1 : 0))
            guard !isAsked, case .transient(let failure, _) = outcome else { continue }
            #expect(failure.detail == "the allowedHosts of copilot:me do not have the mint's host, auth.example")
        }
    }

    @Test func `Eight at once have one minted`() {
        let transport = ScriptedMint(Self.answer("short-1"))
        let group = Mutex(0)
        for _ in 0..<8 {
            let thread = minter(transport)
            let mint = mint
            var handle = pthread_t()
            let body = Unmanaged.passRetained(
                Work {
                    _ = thread.mint(profileID: Self.id, by: mint, client: nil, cause: .expired)
                    group.withLock { $0 += 1 }
                })
            pthread_create(
                &handle, nil,
                {
                    Unmanaged<Work>.fromOpaque($0!).takeRetainedValue().body()
                    return nil
                }, body.toOpaque())
            pthread_detach(handle)
        }
        for _ in 0..<2000 where group.withLock({ $0 < 8 }) { usleep(5000) }
        #expect(group.withLock { $0 } == 8 && transport.requests.count == 1)
    }

    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private func contents(_ path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(descriptor, &buffer, buffer.count)
        return Array(buffer.prefix(max(0, count)))
    }

    private func write(_ text: String, to path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        _ = Glibc.write(descriptor, text, text.utf8.count)
        close(descriptor)
    }
}
