import Glibc
import JSON
import Testing

@testable import keybearer

/// `keybearer sessions`, on a running server and on the file that a server leaves.
@Suite struct SessionsCommandTests {
    private static let session = "6f1c0a34-7c5b-4b61-9d6e-0f6f9f0f0a11"
    private let scratch: Scratch
    private let keybearer: Executable
    private let state: String

    init() throws {
        scratch = try Scratch()
        keybearer = Executable(home: scratch.path)
        state = scratch.path + "/try"
    }

    private func sessions(_ arguments: String...) throws -> Executable.Outcome {
        let process = try keybearer.start(["sessions"] + arguments + ["--state-dir", state])
        let code = process.wait()
        return Executable.Outcome(code: code, output: process.output, errors: process.errors)
    }

    private func list() throws -> [Value] {
        let outcome = try sessions("list", "--json")
        #expect(outcome.code == 0, "\(outcome.errors)")
        #expect(!outcome.everything.contains(Self.session), "its id is kept nowhere")
        return try #require(try Reader.parse(Array(outcome.output.utf8))["sessions"]?.array)
    }

    /// The profile that has served a request of the session.
    private func ask(_ port: UInt16) -> String? {
        let answer = DemoClient(port: port)?.post(
            "/openai-codex/responses", json: #"{"model":"m","input":"hi"}"#, fields: [("session-id", Self.session)])
        return answer?.status == 200 ? answer?.field("keybearer-profile") : nil
    }

    private func serve() throws -> (RunningProcess, UInt16) {
        let process = try keybearer.start(["serve", "--listen", "127.0.0.1:0", "--state-dir", state])
        let port = try process.waitFor { log in
            log.split(separator: "\n").first { $0.contains("listening on 127.0.0.1:") }
                .flatMap { $0.split(separator: ":").last }.flatMap { UInt16($0.prefix { $0.isNumber }) }
        }
        return (process, port)
    }

    @Test func `A session is listed, pinned and unpinned while the server runs, and its pin outlives the server`() throws {
        let sandbox = try keybearer.start(["sandbox", "--write-state", state])
        for _ in 0..<1000 where !sandbox.output.contains("keybearer serve --state-dir") { usleep(10_000) }
        let (first, port) = try serve()
        #expect(try list().isEmpty)
        #expect(ask(port) == "openai-codex:work")
        let known = try #require(try list().first)
        #expect(known["provider"]?.string == "openai-codex" && known["profile"]?.string == "openai-codex:work")
        #expect(known["pin"] == .null)

        #expect(try sessions("pin", Self.session, "openai-codex:home").output == "pinned \(Self.session) to openai-codex:home\n")
        #expect(ask(port) == "openai-codex:home")
        #expect(try list().first { $0["provider"]?.string == "openai-codex" }?["pin"]?.string == "openai-codex:home")
        first.signal(SIGTERM)
        #expect(first.wait() == 0)

        let (second, later) = try serve()
        #expect(ask(later) == "openai-codex:home")
        // By its hash, as it is listed.
        let hash = try #require(try list().first { $0["provider"]?.string == "openai-codex" }?["session"]?.string)
        #expect(try sessions("unpin", hash).code == 0)
        #expect(ask(later) == "openai-codex:work", "it goes back to the one that it had first")
        let again = try sessions("unpin", hash)
        #expect(again.code == 1 && again.errors.hasPrefix("keybearer: no session \(hash) is pinned; "))
        for process in [second, sandbox] {
            process.signal(SIGTERM)
            #expect(process.wait() == 0)
        }
    }

    @Test func `Where no server runs the file is changed, for the next one to find`() throws {
        let agent = state + "/agents/main/agent"
        for folder in [state, state + "/agents", state + "/agents/main", agent] { mkdir(folder, 0o700) }
        try Text.write(
            #"{"version":1,"profiles":{"openai:one":{"type":"api_key","provider":"openai","key":"sk-one-of-the-tests"}}}"#,
            to: agent + "/auth-profiles.json")
        #expect(try sessions("list").output == "no sessions yet\n")
        let unknown = try sessions("pin", "s-1", "openai:two")
        #expect(unknown.code == 1 && unknown.errors.contains("agent main has no profile openai:two"))
        #expect(try list().isEmpty)
        let pinned = try sessions("pin", "s-1", "openai:one", "--json")
        #expect(try Reader.parse(Array(pinned.output.utf8)) == ["session": "s-1", "pin": "openai:one"])
        #expect(try list().map { $0["pin"]?.string } == ["openai:one"])
        #expect(try sessions("unpin", "s-1").code == 0)
        #expect(try list().allSatisfy { $0["pin"] == .null })
    }
}
