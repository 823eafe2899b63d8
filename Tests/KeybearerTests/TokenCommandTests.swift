import Credentials
import Glibc
import JSON
import Sandbox
import Testing

/// `keybearer token` as tools call it, against a provider that revokes a login whose refresh token comes twice.
@Suite struct TokenCommandTests {
    private let scratch: Scratch
    private let keybearer: Executable
    private let sandbox: SandboxServer
    private let store: AgentStore
    private static let tokenPath = "/oauth/token"
    private static let work = "openai-codex:work"

    init() throws {
        scratch = try Scratch()
        keybearer = Executable(home: scratch.path)
        let state = scratch.path + "/.keybearer"
        let agent = state + "/agents/main/agent"
        for folder in [state, state + "/agents", state + "/agents/main", agent] { mkdir(folder, 0o700) }
        sandbox = try SandboxServer(SandboxServer.Options(directory: scratch.path))
        let files = sandbox.makeState()
        try Text.write(files.configuration, to: state + "/keybearer.json5")
        try Text.write(files.profiles, to: agent + "/auth-profiles.json")
        store = AgentStore(sink: state)
    }

    private func profile(_ id: String) throws -> Profile { try #require(try store.load().profile(id)) }

    private func secret(_ id: String) throws -> String { try #require(try profile(id).secret).revealed }

    /// Runs it, and looks for any secret where none may be.
    private func token(_ arguments: String...) throws -> Executable.Outcome {
        let process = try keybearer.start(["token"] + arguments)
        let code = process.wait()
        let outcome = Executable.Outcome(code: code, output: process.output, errors: process.errors)
        for profile in try store.load().profiles {
            for secret in [profile.secret, profile.refresh].compactMap({ $0?.revealed }) {
                #expect(!outcome.errors.contains(secret))
                if code != 0 { #expect(!outcome.output.contains(secret)) }
            }
            if let refresh = profile.refresh?.revealed { #expect(!outcome.output.contains(refresh)) }
        }
        if code != 0 {
            #expect(outcome.output.isEmpty)
            #expect(outcome.errors.split(separator: "\n").count == 1, "one sentence: \(outcome.errors)")
        }
        return outcome
    }

    private func expire(_ id: String, in milliseconds: Int64) throws {
        let now = try #require(try now())
        try store.update { document in
            guard var entry = document.entry(id) else { return false }
            entry["expires"] = .integer(now + milliseconds)
            document.setEntry(id, entry)
            return true
        }
    }

    private func now() throws -> Int64? {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    // MARK: What is printed

    @Test(arguments: ["openai:default", "anthropic:key", "anthropic:setup", "openai-codex:home"])
    func `The secret and a newline, and nothing else`(id: String) throws {
        let outcome = try token(id)
        #expect(outcome.code == 0)
        #expect(outcome.output == (try secret(id)) + "\n")
        #expect(outcome.errors.isEmpty)
        #expect(sandbox.audit.tokenPosts == 0)
    }

    @Test func `Header fields are those that the proxy would set`() throws {
        #expect(try token("anthropic:key", "--header").output == "x-api-key: \(secret("anthropic:key"))\n")
        #expect(
            try token("anthropic:setup", "--header").output
                == "authorization: Bearer \(secret("anthropic:setup"))\nanthropic-beta: oauth-2025-04-20\n")
        let home = try profile("openai-codex:home")
        #expect(
            try token("openai-codex:home", "--header").output
                == "authorization: Bearer \(secret("openai-codex:home"))\nchatgpt-account-id: \(#require(home.accountID))\n")
    }

    @Test func `JSON has the token, the fields and the expiry in both forms`() throws {
        let json = try Reader.parse(Array(try token("openai-codex:home", "--json").output.utf8))
        let home = try profile("openai-codex:home")
        #expect(json["profile"]?.string == "openai-codex:home" && json["type"]?.string == "oauth")
        #expect(json["provider"]?.string == "openai-codex" && json["token"]?.string == home.secret?.revealed)
        #expect(json["expiresAt"]?.int64 == home.expires)
        #expect(json["expires"]?.string?.hasSuffix("Z") == true)
        #expect(json["accountId"]?.string == home.accountID)
        #expect(json["headers"]?["authorization"]?.string == "Bearer \(try secret("openai-codex:home"))")
        #expect(json["headers"]?["chatgpt-account-id"]?.string == home.accountID)
        let key = try Reader.parse(Array(try token("openai:default", "--json").output.utf8))
        #expect(key["type"]?.string == "api_key" && key["expiresAt"] == nil)
    }

    @Test(.enabled(if: access("/dev/pts/ptmx", F_OK) == 0)) func `On a terminal it is printed with --show only`() throws {
        var (master, screen): (Int32, Int32) = (-1, -1)
        var name = [CChar](repeating: 0, count: 128)
        try #require(openpty(&master, &screen, &name, nil, nil) == 0)
        defer {
            close(master)
            close(screen)
        }
        let terminal = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        func exitCode(_ arguments: String) throws -> Int32 {
            try RunningProcess(
                "/bin/sh", ["-c", "exec \(Executable.path) token \(Self.work) \(arguments) > \(terminal)"], input: "",
                environment: ["HOME": scratch.path], folder: scratch.path
            ).wait()
        }
        #expect(try exitCode("") == 64)
        #expect(sandbox.audit.tokenPosts == 0, "and no refresh was spent on it")
        #expect(try exitCode("--show") == 0)
        #expect(sandbox.audit.tokenPosts == 1)
    }

    // MARK: Refreshes

    @Test func `An expired login is refreshed by one request, and kept`() throws {
        let before = try secret(Self.work)
        let first = try token(Self.work)
        #expect(first.code == 0 && first.errors.isEmpty, "\(first.errors)")
        #expect(first.output != before + "\n")
        #expect(first.output == (try secret(Self.work)) + "\n")
        #expect(try token(Self.work).output == first.output)
        #expect(sandbox.audit.tokenPosts == 1)
    }

    @Test func `Several at once send one request, and all print its token`() throws {
        let processes = try (0..<4).map { _ in try keybearer.start(["token", Self.work]) }
        for process in processes { #expect(process.wait() == 0, "\(process.errors)") }
        #expect(Set(processes.map(\.output)) == [(try secret(Self.work)) + "\n"])
        #expect(sandbox.audit.tokenPosts == 1)
    }

    @Test(arguments: [([String](), 1), (["--min-validity", "0"], 0), (["--min-validity", "1m"], 0), (["--min-validity", "10m"], 1)])
    func `A token that ends soon is refreshed early, as early as is asked`(arguments: [String], posts: Int) throws {
        try expire("openai-codex:home", in: 3 * 60_000)
        let process = try keybearer.start(["token", "openai-codex:home"] + arguments)
        #expect(process.wait() == 0 && process.errors.isEmpty)
        #expect(sandbox.audit.tokenPosts == posts)
        #expect(process.output == (try secret("openai-codex:home")) + "\n")
    }

    @Test func `An early refresh that fails costs a warning, not the token`() throws {
        try expire("openai-codex:home", in: 3 * 60_000)
        sandbox.inject(Fault(path: Self.tokenPath, kind: .status(500)))
        let outcome = try token("openai-codex:home")
        #expect(outcome.code == 0)
        #expect(outcome.output == (try secret("openai-codex:home")) + "\n")
        #expect(outcome.errors.hasPrefix("keybearer: warning: openai-codex:home was not refreshed: the token endpoint refused for now"))
        #expect(outcome.errors.hasSuffix("its token expires in 3 min\n"), "\(outcome.errors)")
    }

    @Test func `A provider that fails leaves the login as it is`() throws {
        let refresh = try profile(Self.work).refresh
        sandbox.inject(Fault(path: Self.tokenPath, kind: .status(500)))
        let outcome = try token(Self.work)
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains("could not be refreshed") && outcome.errors.contains("try again"), "\(outcome.errors)")
        #expect(try profile(Self.work).refresh == refresh)
        #expect(try token(Self.work).code == 0)
    }

    @Test func `A login that the provider has ended names the command that renews it, and is not tried again`() throws {
        let refresh = try #require(try profile(Self.work).refresh)
        #expect(sandbox.revoke(refresh: refresh.revealed))
        for _ in 0..<2 {
            let outcome = try token(Self.work)
            #expect(outcome.code == 1)
            #expect(
                outcome.errors.contains(
                    "log in again: `keybearer models auth login --provider openai-codex --profile-id openai-codex:work`"),
                "\(outcome.errors)")
        }
        #expect(sandbox.audit.tokenPosts == 1)
        #expect(try profile(Self.work).refresh == refresh, "nothing is blanked")
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `A signal during the request waits until the new token is kept`(number: Int32) throws {
        sandbox.inject(Fault(path: Self.tokenPath, kind: .slow(.milliseconds(1500))))
        let before = try profile(Self.work).refresh
        let process = try keybearer.start(["token", Self.work])
        for _ in 0..<1000 where sandbox.audit.refreshesGranted == 0 { usleep(5000) }
        try #require(sandbox.audit.refreshesGranted == 1)
        process.signal(number)
        #expect(process.wait() == 128 + number)
        #expect(try profile(Self.work).refresh != before)
        #expect(try token(Self.work).code == 0)
        #expect(sandbox.audit.tokenPosts == 1 && sandbox.audit.reusesDetected == 0)
    }

    // MARK: What cannot be

    @Test func `A token that has expired for good says how to store a new one`() throws {
        try expire("anthropic:setup", in: -2 * 3_600_000)
        let outcome = try token("anthropic:setup")
        #expect(outcome.code == 1)
        #expect(
            outcome.errors == "keybearer: anthropic:setup expired 2 h ago and cannot be refreshed; store a new one: "
                + "`keybearer models auth setup-token --provider anthropic --profile-id anthropic:setup`\n")
    }

    @Test func `An unknown profile is refused with the one that was meant`() throws {
        let outcome = try token("openai-codex:wrok")
        #expect(outcome.code == 64)
        #expect(outcome.errors.contains("did you mean \"openai-codex:work\"?"), "\(outcome.errors)")
        let other = try token("nobody", "--agent", "Other")
        #expect(other.code == 64 && other.errors.contains("agents/other/agent/auth-profiles.json holds none"), "\(other.errors)")
    }

    @Test(arguments: [
        ["token"], ["token", "a", "b"], ["token", "a", "--header", "--json"], ["token", "a", "--min-validity", "5"],
        ["token", "a", "--min-validity", "-1m"], ["token", "a", "--min-validity", "soon"],
    ])
    func `Wrong use is told, with code 64`(arguments: [String]) throws {
        let process = try keybearer.start(arguments)
        #expect(process.wait() == 64)
        #expect(process.output.isEmpty && process.errors.hasPrefix("keybearer: "))
    }

    @Test func `Wrong settings have code 78, also a provider that is none`() throws {
        try store.put(.apiKey(#require(Secret("k-1")), provider: "elsewhere"), id: "elsewhere:a")
        #expect(try token("elsewhere:a").output == "k-1\n")
        #expect(try token("elsewhere:a", "--header").code == 78)
        try Text.write("{ oops }", to: scratch.path + "/.keybearer/keybearer.json5")
        #expect(try token("elsewhere:a").code == 78)
    }

    @Test func `An entry that cannot be understood is named`() throws {
        try store.update { document in
            document.setEntry("openai:odd", ["type": "magic", "provider": "openai"])
            return true
        }
        let outcome = try token("openai:odd")
        #expect(outcome.code == 1 && outcome.errors.contains("openai:odd"), "\(outcome.errors)")
    }
}
