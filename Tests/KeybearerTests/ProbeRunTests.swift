import JSON
import Sandbox
import Testing

@testable import keybearer

/// `models status --probe` as a process, against the sandbox over TLS.
@Suite struct ProbeRunTests {
    private let scratch: Scratch
    private let sandbox: SandboxServer
    private let state: SandboxState
    private let keybearer: Executable

    init() throws {
        scratch = try Scratch()
        sandbox = try SandboxServer(SandboxServer.Options(directory: scratch.path))
        state = sandbox.makeState()
        try SandboxFolder.write(state, to: scratch.path + "/state")
        keybearer = Executable(home: scratch.path)
    }

    /// Status, and with it what is said about it, by profile.
    private func probe(_ more: String...) throws -> [String: Value] {
        let process = try keybearer.start(["models", "status", "--json", "--probe", "--state-dir", scratch.path + "/state"] + more)
        #expect(process.wait() == 0, "\(process.errors)")
        let probes = try Reader.parse(Array(process.output.utf8))["auth"]?["probes"]
        let results = try #require(probes?["results"]?.array)
        #expect(probes?["totalTargets"]?.int64 == Int64(results.count))
        return Dictionary(uniqueKeysWithValues: results.map { ($0["profileId"]?.string ?? "", $0) })
    }

    @Test func `Every profile is tried with its own account, by one request each, and an expired login is refreshed once`() throws {
        let results = try probe()
        #expect(results.keys.sorted() == state.accounts.keys.sorted())
        for (id, result) in results {
            #expect(result["status"]?.string == "ok", "\(id): \(result)")
            #expect((result["latencyMs"]?.int64 ?? -1) >= 0)
        }
        let audit = sandbox.audit
        #expect(audit.modelRequests == state.accounts.count)
        #expect(audit.refreshesGranted == 1)
        #expect(Set(audit.entries.compactMap(\.account)).isSuperset(of: state.accounts.values))
    }

    @Test func `What went wrong is told profile by profile`() throws {
        let faults: [(String, String, Fault.Kind)] = [
            ("anthropic:setup", "/v1/messages", .status(429)), ("anthropic:key", "/v1/messages", .status(403)),
            ("openai:default", "/v1/models", .html), ("openai-codex:home", "/backend-api/codex/models", .slow(.seconds(20))),
            ("openai-codex:work", "/backend-api/codex/models", .status(403)),
        ]
        for (id, path, kind) in faults { sandbox.inject(Fault(path: path, account: state.accounts[id], times: 9, kind: kind)) }
        let results = try probe("--probe-timeout", "4000")
        let statuses = results.mapValues { $0["status"]?.string }
        #expect(
            statuses == [
                "anthropic:setup": "rate_limit", "anthropic:key": "billing", "openai:default": "format", "openai-codex:home": "timeout",
                "openai-codex:work": "billing", "google:default": "ok",
            ])
        #expect(results["openai-codex:home"]?["error"]?.string == "no answer within 4000 ms")
    }

    @Test func `Profiles that would not serve are not asked`() throws {
        let folder = ["--state-dir", scratch.path + "/state"]
        _ = try keybearer.start(["models", "auth", "order", "set", "--provider", "anthropic", "anthropic:key"] + folder).wait()
        let paste = ["models", "auth", "paste-token", "--provider", "openai", "--profile-id", "openai:old", "--expires-in", "1ms"]
        #expect(try keybearer.start(paste + folder, input: "t").wait() == 0)
        let results = try probe("--probe-profile", "anthropic:setup", "--probe-profile", "openai:old", "--probe-profile", "google:default")
        #expect(results.count == 3)
        #expect(results["anthropic:setup"]?["error"]?.string == "Excluded by auth.order for this provider.")
        let old = results["openai:old"]
        #expect(old?["error"]?.string?.hasPrefix("Auth profile credentials are missing or expired.\n") == true)
        #expect(old?["status"]?.string == "unknown" && old?["latencyMs"] == nil)
        #expect(results["google:default"]?["status"]?.string == "ok")
        #expect(sandbox.audit.modelRequests == 1)
    }

    @Test func `Several are asked at a time, as many as was said`() throws {
        for path in ["/v1/messages", "/v1/models", "/backend-api/codex/models"] {
            sandbox.inject(Fault(path: path, times: 99, kind: .slow(.milliseconds(300))))
        }
        // Whether their times overlap: one after the other the whole takes as long as its parts.
        let overlap: (String) throws -> Bool = { concurrency in
            let options = ["--probe-concurrency", concurrency, "--probe-max-tokens", "3", "--state-dir", scratch.path + "/state"]
            let process = try keybearer.start(["models", "status", "--json", "--probe"] + options)
            #expect(process.wait() == 0, "\(process.errors)")
            let probes = try #require(try Reader.parse(Array(process.output.utf8))["auth"]?["probes"])
            let results = try #require(probes["results"]?.array)
            #expect(results.allSatisfy { $0["status"]?.string == "ok" }, "\(results)")
            #expect(probes["options"]?["concurrency"]?.int64 == Int64(concurrency))
            return try #require(probes["durationMs"]?.int64) < results.compactMap { $0["latencyMs"]?.int64 }.reduce(0, +)
        }
        #expect(try !overlap("1"))
        #expect(try overlap("6"))
    }

    @Test func `One provider alone can be asked, and people get a table`() throws {
        #expect(try probe("--probe-provider", "google").keys.sorted() == ["google:default"])
        let outcome = try keybearer.run("models", "status", "--probe", "--probe-provider", "google", "--state-dir", scratch.path + "/state")
        #expect(outcome.output.contains("\nprobes\n  ok  google:default  "), "\(outcome.output)")
    }

    @Test(arguments: [
        (["--probe-provider", "google"], Int32(64), "add --probe"), (["--probe", "--probe-timeout", "5"], 64, "100 to 600000"),
        (["--probe", "--probe-provider", "nobody"], 64, "no provider \"nobody\""),
        (["--probe", "--probe-profile", "nobody"], 1, "no profile nobody to probe"),
    ])
    func `Wrong use is said in a line`(arguments: [String], code: Int32, part: String) throws {
        let process = try keybearer.start(["models", "status", "--state-dir", scratch.path + "/state"] + arguments)
        #expect(process.wait() == code)
        #expect(process.errors.contains(part), "\(process.errors)")
    }
}
