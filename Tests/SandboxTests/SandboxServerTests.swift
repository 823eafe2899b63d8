import Digest
import CLinux
import Glibc
import JSON
import Testing

@testable import Sandbox

/// The model APIs over real TLS, and the server's own life.
@Suite struct SandboxServerTests {
    private func key(_ running: Running) -> String { running.sandbox.addAPIKey(.anthropic) }

    @Test func `curl gets a streamed answer that names the account`() throws {
        let running = try Running()
        let answer = running.curl("/v1/messages", "-H", "x-api-key: \(key(running))", "-d", #"{"model":"m","stream":true}"#)
        #expect(answer.exit == 0 && answer.status == 200)
        let events = answer.body.split(separator: "\n").filter { $0.hasPrefix("event: ") }.map { $0.dropFirst(7) }
        #expect(events.first == "message_start" && events.last == "message_stop")
        #expect(answer.body.contains(#""text":" acct-1""#))
        let entry = try #require(running.sandbox.audit.entries.last)
        #expect(
            entry.account == "acct-1" && entry.stream && entry.bodyBytes == 27 && entry.status == 200 && entry.credentialKind == "api_key")
        #expect(running.sandbox.audit.requestsByAccount == ["acct-1": 1])
    }

    @Test func `the certificate is right for all three names and for nobody without its authority`() throws {
        let running = try Running()
        for host in ["localhost", "127.0.0.1"] {
            let url = "https://\(host):\(running.sandbox.port)/sandbox"
            #expect(Curl.run(["-sS", "--cacert", running.sandbox.caFile, "-o", "/dev/null", url]).exit == 0)
        }
        #expect(Curl.run(["-s", "-o", "/dev/null", running.sandbox.baseURL + "/sandbox"]).exit == 60)
        let ipv6 = try Running { $0.address = "::1" }
        let url = "https://[::1]:\(ipv6.sandbox.port)/sandbox"
        #expect(Curl.run(["-sS", "--cacert", ipv6.sandbox.caFile, "-o", "/dev/null", url]).exit == 0)
    }

    @Test func `a body of any size and framing is hashed to its last byte`() throws {
        let running = try Running()
        let path = running.directory.path + "/body"
        let file = open(path, O_CREAT | O_WRONLY, 0o600)
        let content = (0..<3_145_728).map { UInt8($0 % 251) }
        #expect(write(file, content, content.count) == content.count)
        close(file)
        let headers = [
            "-H", "x-api-key: \(key(running))", "-H", "anthropic-version: 2023-06-01", "-H", "Content-Type: application/octet-stream",
        ]
        var hashes: Set<String> = []
        for framing in ["Expect:", "Expect: 100-continue", "Transfer-Encoding: chunked"] {
            let arguments =
                ["-sS", "--cacert", running.sandbox.caFile, "-D", "-", "-o", "/dev/null", "-H", framing, "-T", path, "-X", "POST"] + headers
                + [running.sandbox.baseURL + "/v1/files"]
            let (exit, head) = Curl.run(arguments)
            #expect(exit == 0)
            let line = head.split(whereSeparator: \.isNewline).first { $0.hasPrefix("Sandbox-Body-SHA256: ") }
            hashes.insert(String(line?.dropFirst(21) ?? "none"))
        }
        #expect(hashes == [Hexadecimal.encode(SHA256.hash(content))])
        #expect(running.sandbox.audit.entries.map(\.bodyBytes) == [3_145_728, 3_145_728, 3_145_728])
    }

    @Test(arguments: ["length", "chunked", "close"])
    func `a download has the bytes of its pattern in every framing`(framing: String) throws {
        let running = try Running()
        let path = running.directory.path + "/body"
        let answer = running.curl(
            "/v1/models", "-H", "x-api-key: \(key(running))", "-H", "anthropic-version: 2023-06-01", "-H", "Sandbox-Bytes: 1000003", "-H",
            "Sandbox-Framing: \(framing)", "-o", path)
        #expect(answer.exit == 0)
        let file = open(path, O_RDONLY)
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1_000_010)
        #expect(read(file, &bytes, bytes.count) == 1_000_003)
        #expect((0..<1_000_003).allSatisfy { bytes[$0] == UInt8($0 % 251) })
    }

    @Test(arguments: [
        ("status", #""status":429,"retryAfter":7"#, Int32(0), 429), ("status", #""status":529"#, 0, 529),
        ("status", #""status":403"#, 0, 403),
        ("cut", #""afterBytes":10"#, 18, 200), ("excessLength", #""bytes":5"#, 18, 200), ("html", #""x":0"#, 0, 200),
    ])
    func `a fault is played once and then all is well`(kind: String, members: String, exit: Int32, status: Int) throws {
        let running = try Running()
        let secret = key(running)
        #expect(running.curl("/sandbox/faults", "-d", #"{"path":"/v1/messages","kind":"\#(kind)",\#(members)}"#).status == 200)
        let ask = { running.curl("/v1/messages", "-H", "x-api-key: \(secret)", "-d", #"{"model":"m"}"#) }
        let spoilt = ask()
        // OpenSSL 3 reports a TLS connection without close_notify as curl's error 56.
        #expect(spoilt.exit == exit || (exit == 18 && spoilt.exit == 56))
        #expect(spoilt.status == status)
        #expect(ask().json?["content"]?.array?.first?["text"]?.string == "Hello from account acct-1.")
        #expect(running.sandbox.audit.entries.first?.fault != nil)
    }

    @Test(arguments: [
        (SandboxProvider.anthropic, "/v1/messages", "x-api-key: ", "message_stop"),
        (.openai, "/v1/chat/completions", "Authorization: Bearer ", "data: [DONE]"),
        (.openai, "/v1/responses", "Authorization: Bearer ", "event: response.completed"),
        (.openaiCodex, "/backend-api/codex/responses", "Authorization: Bearer ", "event: response.completed"),
        (.google, "/v1beta/models/g:generateContent", "x-goog-api-key: ", #""finishReason":"STOP""#),
        (.google, "/v1beta/models/g:streamGenerateContent?alt=sse", "x-goog-api-key: ", #""finishReason":"STOP""#),
    ])
    func `each provider answers plain and streamed, on one connection`(
        provider: SandboxProvider, path: String, field: String, end: String
    ) throws {
        let running = try Running()
        let login = running.sandbox.addAccount(provider)
        let secret = provider == .openaiCodex ? login.access : running.sandbox.addAPIKey(provider, named: login.accountID)
        let account = provider == .openaiCodex ? ["-H", "chatgpt-account-id: \(login.accountID)"] : []
        let common = ["-sS", "--cacert", running.sandbox.caFile, "-H", field + secret] + account
        let url = running.sandbox.baseURL + path
        let plain = common + ["-d", #"{"model":"m"}"#, url, "--next"]
        let (exit, output) = Curl.run(plain + common + ["-d", #"{"model":"m","stream":true}"#, url])
        #expect(exit == 0)
        #expect(output.contains(end))
        let audit = running.sandbox.audit
        #expect(audit.entries.map(\.status) == [200, 200])
        #expect(audit.requestsByAccount == [login.accountID: 2])
        #expect(audit.connections == 1)
        let neverPlain = provider == .openaiCodex || path.contains("alt=sse")
        let neverStreamed = path.hasSuffix(":generateContent")
        #expect(audit.entries.map(\.stream) == [neverPlain, !neverStreamed])
    }

    @Test func `HEAD has no body and the connection goes on`() throws {
        let running = try Running()
        let (exit, output) = Curl.run([
            "-sS", "--cacert", running.sandbox.caFile, "-I", "-H", "x-api-key: \(key(running))", "-H", "anthropic-version: 2023-06-01",
            running.sandbox.baseURL + "/v1/models", running.sandbox.baseURL + "/v1/models",
        ])
        #expect(exit == 0)
        #expect(output.split(separator: "\r\n").count { $0.hasPrefix("HTTP/1.1 200") } == 2)
        #expect(running.sandbox.audit.connections == 1)
    }

    @Test func `a client that leaves a stream is noticed at once`() throws {
        let running = try Running { $0.eventInterval = .seconds(20) }
        let answer = running.curl("/v1/messages", "-m", "1", "-H", "x-api-key: \(key(running))", "-d", #"{"model":"m","stream":true}"#)
        #expect(answer.exit == 28)
        // The pause before the first delta is 20 s long; a second is plenty for the hang-up to be seen.
        for _ in 0..<100 where running.sandbox.audit.aborted == 0 { usleep(10_000) }
        #expect(running.sandbox.audit.aborted == 1)
        #expect(running.sandbox.audit.entries.last?.aborted == true)
    }

    @Test func `wrong credentials are refused in the provider's shape and audited`() throws {
        let running = try Running()
        let google = running.curl("/v1beta/models/g:generateContent", "-d", "{}")
        #expect(google.status == 401)
        #expect(google.json?["error"]?["status"]?.string == "UNAUTHENTICATED")
        let openai = running.curl("/v1/responses", "-H", "Authorization: Bearer nobody", "-H", "Cookie: a=b", "-d", "{}")
        #expect(openai.status == 400)
        #expect(running.sandbox.audit.refusals == ["missing": 1, "leftover": 1])
    }

    @Test func `a web page cannot use the sandbox's own doors`() throws {
        #expect(try Running().curl("/sandbox/audit", "-H", "Origin: https://evil.example").status == 403)
    }

    @Test func `the state it makes has six profiles that are what they say`() throws {
        let running = try Running()
        let state = running.sandbox.makeState()
        let profiles = try #require(Reader.parse(Array(state.profiles.utf8))["profiles"]?.object)
        #expect(
            profiles.names == [
                "openai-codex:work", "openai-codex:home", "anthropic:setup", "anthropic:key", "openai:default", "google:default",
            ])
        let configuration = try JSON5Reader.parse(Array(state.configuration.utf8)).plain
        #expect(configuration["providers"]?["openai-codex"]?["oauth"]?["tokenURL"]?.string == running.sandbox.baseURL + "/oauth/token")
        #expect(configuration["upstream"]?["caFile"]?.string == running.sandbox.caFile)
        let home = try #require(profiles["openai-codex:home"])
        let answer = running.curl(
            "/backend-api/codex/responses", "-H", "Authorization: Bearer \(home["access"]?.string ?? "")", "-H",
            "chatgpt-account-id: \(home["accountId"]?.string ?? "")", "-d", #"{"model":"m"}"#)
        #expect(answer.body.contains("event: response.completed"))
        #expect(home["accountId"]?.string == state.accounts["openai-codex:home"])
        let work = try #require(profiles["openai-codex:work"])
        #expect(try #require(work["expires"]?.int64) < Int64(time(nil)) * 1000)
    }

    @Test func `three hundred streams run side by side, and stopping leaves no thread and no descriptor`() async {
        // In a process of its own: other tests' sandboxes have threads and descriptors too.
        await #expect(processExitsWith: .success) {
            let sockets = Self.sockets()
            do {
                let directory = TemporaryDirectory()
                var options = SandboxServer.Options(directory: directory.path)
                options.eventInterval = .milliseconds(800)
                let sandbox = try SandboxServer(options)
                let secret = sandbox.addAPIKey(.anthropic)
                let start = time(nil)
                let (exit, output) = Curl.run([
                    "-sS", "--cacert", sandbox.caFile, "-Z", "--parallel-immediate", "--parallel-max", "300", "-H", "x-api-key: \(secret)",
                    "-d", #"{"model":"m","stream":true}"#, sandbox.baseURL + "/v1/messages?n=[1-300]",
                ])
                #expect(exit == 0)
                #expect(output.split(separator: "\n").count { $0 == "event: message_stop" } == 300)
                // One after the other would take ten minutes.
                #expect(time(nil) - start < 60)
                #expect(sandbox.audit.connections >= 250)
                #expect(Self.sandboxThreads() > 0 && Self.sockets().count > sockets.count)
                sandbox.stop()
                sandbox.stop()
            }
            // A thread that was joined may stand in /proc for an instant more: the kernel wakes the joiner first.
            for _ in 0..<100 where Self.sandboxThreads() > 0 { usleep(10_000) }
            #expect(Self.sandboxThreads() == 0)
            #expect(Self.sockets() == sockets)
        }
    }

    @Test func `it refuses to listen beyond loopback`() {
        #expect(throws: SandboxError.self) { try Running { $0.address = "0.0.0.0" } }
    }

    private static func entries(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }

    /// This process's open sockets. Other descriptors come and go with the test library's own work.
    private static func sockets() -> [String] {
        entries("/proc/self/fd").map { name in
            var target = [CChar](repeating: 0, count: 256)
            let count = max(0, readlink("/proc/self/fd/" + name, &target, target.count))
            return String(decoding: target[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }.filter { $0.hasPrefix("socket:") }.sorted()
    }

    /// How many of this process's threads are the sandbox's, told by their names.
    private static func sandboxThreads() -> Int {
        entries("/proc/self/task").count { task in
            let file = open("/proc/self/task/\(task)/comm", O_RDONLY)
            defer { close(file) }
            var name = [UInt8](repeating: 0, count: 16)
            let count = max(0, read(file, &name, name.count))
            return String(decoding: name[..<count], as: UTF8.self).hasPrefix("sandbox-")
        }
    }
}
