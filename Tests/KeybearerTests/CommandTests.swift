import Glibc
import JSON
import Testing

/// The commands as processes: what they print, and their exit codes.
@Suite struct CommandTests {
    private let scratch: Scratch
    private let keybearer: Executable
    private let state: String

    init() throws {
        scratch = try Scratch()
        keybearer = Executable(home: scratch.path)
        state = scratch.path + "/.keybearer"
    }

    private func settings(_ text: String) throws {
        mkdir(state, 0o700)
        try Text.write(text, to: state + "/keybearer.json5")
    }

    // MARK: config

    @Test(arguments: [
        ("{\n  timeouts: { haed: \"1s\" },\n}\n", "keybearer.json5:2:15: timeouts.haed:"),
        ("{\n  listen: [\"0.0.0.0:80\"],\n}\n", "keybearer.json5:2:12: listen[0]:"),
        ("{\n  workers: 1,\n  @\n}", "keybearer.json5:3:3:"),
        ("{ routes: { default: \"nobody\" } }", "keybearer.json5:1:13: routes.default:"),
    ])
    func `A flaw in the settings is named by file, line and member, with exit code 78`(text: String, place: String) throws {
        try settings(text)
        for command in ["config check", "config show", "serve", "models status"] {
            let outcome = try run(command)
            #expect(outcome.code == 78)
            #expect(outcome.errors.contains("keybearer: \(state)/" + place), "\(command): \(outcome.errors)")
            #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
            #expect(outcome.output.isEmpty)
        }
    }

    private func run(_ command: String) throws -> Executable.Outcome {
        let words = command.split(separator: " ").map(String.init)
        let process = try keybearer.start(words)
        let code = process.wait()
        return Executable.Outcome(code: code, output: process.output, errors: process.errors)
    }

    @Test func `Several flaws are told in one go`() throws {
        try settings("{\n  workers: 0,\n  limits: { connections: \"many\" },\n}\n")
        let outcome = try keybearer.run("config", "check")
        #expect(outcome.code == 78)
        #expect(outcome.errors.split(separator: "\n").count == 2, "\(outcome.errors)")
    }

    @Test func `Settings without a flaw pass, and so does a machine without any`() throws {
        #expect(try keybearer.run("config", "check").code == 0)
        try settings("{ timeouts: { head: \"3s\" } }")
        #expect(try keybearer.run("config", "check").code == 0)
    }

    @Test func `A settings file that was named has to exist`() throws {
        let outcome = try keybearer.run("config", "check", "--config", scratch.path + "/absent.json5")
        #expect(outcome.code == 78)
        #expect(outcome.errors.contains("absent.json5"))
    }

    @Test func `What is in force is shown with where it comes from`() throws {
        try settings("{\n  timeouts: { head: \"3s\" },\n}\n")
        let outcome = try keybearer.run("config", "show", "--json")
        let members = try Reader.parse(Array(outcome.output.utf8))["members"]
        #expect(members?["timeouts.head"]?["value"]?.string == "3s")
        #expect(members?["timeouts.head"]?["origin"]?.string == "\(state)/keybearer.json5:2")
        #expect(members?["timeouts.drain"]?["origin"]?.string == "built in")
    }

    @Test func `A provider file is read, and its flaws carry its name`() throws {
        try settings("{}")
        mkdir(state + "/providers", 0o700)
        try Text.write("{ mine: { baseURL: \"https://models.example\" } }", to: state + "/providers/mine.json5")
        #expect(try keybearer.run("config", "show").output.contains("https://models.example"))
        try Text.write("{\n mine: { baseUrl: \"https://models.example\" } }", to: state + "/providers/mine.json5")
        let outcome = try keybearer.run("config", "check")
        #expect(outcome.code == 78)
        #expect(outcome.errors.contains("providers/mine.json5:2:10: providers.mine.baseUrl"), "\(outcome.errors)")
    }

    // MARK: models

    @Test func `A pasted key is stored for the owner alone, and no output ever shows it`() throws {
        let secret = "sk-canary-8c1f2e7b"
        let paste = try keybearer.run("models", "auth", "paste-api-key", "--provider", "openai", input: secret + "\n")
        #expect(paste.code == 0)
        #expect(paste.output.hasPrefix("stored openai:default (API key) in \(state)/agents/main/agent/auth-profiles.json"))
        let store = state + "/agents/main/agent/auth-profiles.json"
        #expect(Text.read(store).contains(secret))
        var info = stat()
        #expect(stat(store, &info) == 0 && info.st_mode & 0o777 == 0o600)

        let status = try keybearer.run("models", "status", "--json")
        let profile = try Reader.parse(Array(status.output.utf8))["auth"]?["oauth"]?["profiles"]?.array?.first
        #expect(profile?["profileId"]?.string == "openai:default")
        #expect(profile?["status"]?.string == "static")
        let outcomes = [
            paste, status, try keybearer.run("models"),
            try keybearer.run("models", "auth", "order", "get", "--provider", "openai", "--json"),
            try keybearer.run("config", "show"), try keybearer.run("models", "auth", "logout", "openai:default"),
        ]
        for outcome in outcomes {
            #expect(outcome.code == 0)
            #expect(!outcome.everything.contains("canary"))
        }
        #expect(!Text.read(store).contains(secret))
    }

    @Test(arguments: [
        ("", "no API key for openai on standard input"), ("two words\n", "one word of visible ASCII"),
        ("käse\n", "one word of visible ASCII"),
        (String(repeating: "x", count: 70_000), "more than a credential"),
    ])
    func `What is no credential is refused, unseen`(input: String, part: String) throws {
        let outcome = try keybearer.run("models", "auth", "paste-api-key", "--provider", "openai", input: input)
        #expect(outcome.code == 64)
        #expect(outcome.errors.contains(part), "\(outcome.errors)")
        #expect(Text.read(state + "/agents/main/agent/auth-profiles.json").isEmpty)
    }

    @Test(arguments: [("antropic", "did you mean \"anthropic\"?"), ("something-else", "there are anthropic, ")])
    func `An unknown provider is refused with the close name, or with those there are`(name: String, help: String) throws {
        let outcome = try keybearer.run("models", "auth", "paste-api-key", "--provider", name, input: "k\n")
        #expect(outcome.code == 64)
        #expect(outcome.errors.contains("\"\(name)\"") && outcome.errors.contains(help))
        #expect(outcome.errors.split(separator: "\n").count == 1)
    }

    @Test func `A token has an expiry, and the check tells when it is near`() throws {
        let token = "sk-ant-oat01-" + String(repeating: "x", count: 80)
        let paste: (String) throws -> Executable.Outcome = {
            try keybearer.run("models", "auth", "paste-token", "--provider", "anthropic", "--expires-in", $0, input: token)
        }
        #expect(try paste("30").output.contains("stored anthropic:manual (token, expires in 30 days)"))
        #expect(try keybearer.run("models", "status", "--check").code == 0)
        #expect(try paste("12h").output.contains("replaced anthropic:manual (token, expires in 12 h)"))
        #expect(try keybearer.run("models", "status", "--check").code == 2)
        _ = try paste("1ms")
        usleep(5000)
        #expect(try keybearer.run("models", "status", "--check").code == 1)
    }

    @Test func `A login is not replaced by a pasted key unless that is said`() throws {
        let agent = state + "/agents/main/agent"
        for folder in [state, state + "/agents", state + "/agents/main", agent] { mkdir(folder, 0o700) }
        let login =
            #"{"version":1,"profiles":{"anthropic:default":{"type":"oauth","provider":"anthropic","access":"a","refresh":"r","expires":1}}}"#
        try Text.write(login, to: agent + "/auth-profiles.json")
        let refused = try keybearer.run("models", "auth", "paste-api-key", "--provider", "anthropic", input: "k\n")
        #expect(refused.code == 64)
        #expect(refused.errors.contains("anthropic:default holds a login already"))
        #expect(Text.read(agent + "/auth-profiles.json") == login)
        let said = try keybearer.run("models", "auth", "paste-api-key", "--provider", "anthropic", "--replace", input: "k\n")
        #expect(said.code == 0)
        #expect(!Text.read(agent + "/auth-profiles.json").contains("refresh"))
    }

    @Test func `An order is set, shown and cleared`() throws {
        for name in ["a", "b"] {
            _ = try keybearer.run("models", "auth", "paste-api-key", "--provider", "openai", "--profile-id", "openai:\(name)", input: "k\n")
        }
        func order(_ outcome: Executable.Outcome) throws -> [String]? {
            try Reader.parse(Array(outcome.output.utf8))["order"]?.array?.compactMap(\.string)
        }
        let set = try keybearer.run("models", "auth", "order", "set", "--provider", "openai", "openai:b", "--json")
        #expect(try order(set) == ["openai:b"])
        #expect(try order(keybearer.run("models", "auth", "order", "get", "--provider", "openai", "--json")) == ["openai:b"])
        #expect(try keybearer.run("models", "status").output.contains("not used: the order does not list it"))
        #expect(try order(keybearer.run("models", "auth", "order", "clear", "--provider", "openai", "--json")) == nil)
        let wrong = try keybearer.run("models", "auth", "order", "set", "--provider", "openai", "openai:c")
        #expect(wrong.code == 1 && wrong.errors.contains("openai:c"))
    }

    @Test func `Agents have stores of their own`() throws {
        _ = try keybearer.run("models", "auth", "paste-api-key", "--provider", "openai", "--agent", "Research Lab", input: "k\n")
        #expect(Text.read(state + "/agents/research-lab/agent/auth-profiles.json").contains("openai:default"))
        #expect(try !keybearer.run("models", "status").output.contains("openai:default"))
        #expect(try keybearer.run("models", "status", "--agent", "research-lab").output.contains("openai:default"))
    }

    @Test func `A neighbour's credentials in use are announced`() throws {
        _ = try keybearer.run(
            "models", "auth", "paste-api-key", "--provider", "openai", "--state-dir", scratch.path + "/.openclaw", input: "k\n")
        let status = try keybearer.run("models", "status")
        #expect(status.output.contains("Credentials are those in \(scratch.path)/.openclaw: ours (\(state)) holds none."))
    }

    @Test func `A store that cannot be understood is named by line, and kept`() throws {
        let agent = state + "/agents/main/agent"
        for folder in [state, state + "/agents", state + "/agents/main", agent] { mkdir(folder, 0o700) }
        try Text.write("{\n  \"version\": 1,\n  oops\n}", to: agent + "/auth-profiles.json")
        let outcome = try keybearer.run("models", "auth", "paste-api-key", "--provider", "openai", input: "k\n")
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains("auth-profiles.json:3:3:"), "\(outcome.errors)")
        #expect(Text.read(agent + "/auth-profiles.json").contains("oops"))
    }

    // MARK: The rest

    @Test(arguments: ["--help", "serve --help", "help models auth paste-token", "--version", "--generate-completion-script bash"])
    func `Help, version and completions are answers`(command: String) throws {
        let outcome = try run(command)
        #expect(outcome.code == 0)
        #expect(!outcome.output.isEmpty && outcome.errors.isEmpty)
    }

    @Test func `A sandbox's state directory is never written over somebody's files`() throws {
        try settings("{}")
        let outcome = try keybearer.run("sandbox", "--write-state", state)
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains("was not made by `keybearer sandbox`"))
        #expect(Text.read(state + "/keybearer.json5") == "{}")
    }
}
