import Glibc
import JSON
import Sandbox
import Testing

@testable import keybearer

/// The wizard, in scripts and at a terminal, with the sandbox as the provider.
@Suite struct OnboardCommandTests {
    private let scene: ToolScene
    private let sandbox: SandboxServer
    private var store: String { scene.state + "/agents/main/agent/auth-profiles.json" }
    private var unit: String { scene.home + "/.config/systemd/user/keybearer.service" }

    init() throws {
        scene = try ToolScene()
        sandbox = try SandboxServer(SandboxServer.Options(directory: scene.home))
        let settings = sandbox.makeState().configuration.replacing("\n{\n", with: "\n{ listen: [\"127.0.0.1:\(scene.port)\"],\n")
        try Text.write(settings, to: scene.state + "/keybearer.json5")
        for name in ["systemctl", "claude", "aider"] { try scene.program(name, "exit 0") }
    }

    private func script(_ arguments: String..., input: String = "") throws -> Executable.Outcome {
        let process = try scene.start(["onboard", "--non-interactive"] + arguments, input: input)
        let code = process.wait()
        return Executable.Outcome(code: code, output: process.output, errors: process.errors)
    }

    // MARK: In a script

    @Test func `One command stores a key, sets the tool and the service up, and ends with an answer`() throws {
        let key = sandbox.addAPIKey(.openai)
        let outcome = try script(
            "--auth-choice", "apiKey", "--provider", "openai", "--token-stdin", "--setup-tool", "claude", "--install-daemon", input: key)
        #expect(outcome.code == 0, "\(outcome.errors)")
        for part in [
            "Tools on the PATH: Claude Code, aider\n", "stored openai:default (API key)", "wrote \(unit); to start it: systemctl --user ",
            "settings.json now points Claude Code at \(scene.origin)/anthropic", "aider: keybearer run -- aider",
            "openai:default: ok after ", "it lists 2 models",
        ] {
            #expect(outcome.output.contains(part), "\(part) in \(outcome.output)")
        }
        #expect(Text.read(unit).contains("\nExecStart=\(Executable.path) serve\n"))
        #expect(Text.read(scene.home + "/.claude/settings.json").contains("\(scene.origin)/anthropic"))
        #expect(sandbox.audit.modelRequests == 1)
        #expect(!outcome.everything.contains(key))
    }

    @Test func `Nothing is written that no flag asks for`() throws {
        #expect(try script("--auth-choice", "skip").code == 0)
        #expect(access(unit, F_OK) != 0 && access(scene.home + "/.claude", F_OK) != 0 && access(store, F_OK) != 0)
        #expect(sandbox.audit.modelRequests == 0)
    }

    @Test func `A key that the provider refuses is stored, and the exit code says so`() throws {
        let outcome = try script("--auth-choice", "openai-api-key", "--token-stdin", input: "sk-canary")
        #expect(outcome.code == 1)
        #expect(outcome.output.contains("openai:default: auth after ") && !outcome.everything.contains("sk-canary"))
    }

    @Test func `A new profile goes before the others of an order that was set`() throws {
        try scene.store(ToolScene.key("openai:old"))
        #expect(try scene.run("models", "auth", "order", "set", "--provider", "openai", "openai:old").code == 0)
        let outcome = try script(
            "--auth-choice", "apiKey", "--provider", "openai", "--token-stdin", "--skip-request", input: sandbox.addAPIKey(.openai))
        #expect(outcome.output.contains("order of openai: openai:default, openai:old\n"), "\(outcome.output)")
    }

    @Test func `A unit that somebody has changed is left alone`() throws {
        try scene.folders(".config/systemd/user")
        try Text.write("[Service]\n", to: unit)
        let outcome = try script("--auth-choice", "skip", "--install-daemon")
        #expect(outcome.errors.contains("differs from ours; it was left alone"))
        #expect(Text.read(unit) == "[Service]\n")
    }

    @Test func `Another tool's login is mentioned and never read`() throws {
        try scene.folders(".codex")
        let path = scene.home + "/.codex/auth.json"
        // Whoever opened it to read would hang.
        try #require(mkfifo(path, 0o600) == 0)
        let outcome = try script("--auth-choice", "skip")
        #expect(outcome.code == 0 && outcome.output.contains("\(path) is a login of Codex CLI's own. It was not read"))
        #expect(outcome.output.contains("let Keybearer read it: keybearer import codex."))
    }

    @Test(arguments: [
        ([], "needs --auth-choice"), (["--auth-choice", "chatgpt"], "there is no choice \"chatgpt\""),
        (["--auth-choice", "token", "--token-stdin"], "needs --provider"), (["--auth-choice", "apiKey"], "needs --token-stdin"),
        (["--auth-choice", "nobody-api-key", "--token-stdin"], "no provider \"nobody\""),
        (["--auth-choice", "skip", "--setup-tool", "vim"], "--setup-tool is one of claude, codex, opencode, zed, aider, gptme, not vim"),
    ])
    func `Wrong use is said in a line, before anything is stored`(arguments: [String], part: String) throws {
        let process = try scene.start(["onboard", "--non-interactive"] + arguments, input: "sk-canary")
        #expect(process.wait() == 64)
        #expect(process.errors.contains(part), "\(process.errors)")
        #expect(process.output.isEmpty && access(store, F_OK) != 0)
    }

    @Test func `Without a terminal it says how it is used in a script`() throws {
        let process = try scene.start(["onboard"])
        #expect(process.wait() == 64 && process.errors.contains("--non-interactive"))
    }

    // MARK: At a terminal

    /// A question, by how often its end has been shown, and what is typed.
    private static let answers: [(question: String, answer: String)] = [
        ("1 to 6: ", "2"), ("(not shown): ", "TOKEN"), ("1 to 6: ", "6"), ("keybearer.service)? [y/N] ", "y"),
        ("their own settings? [y/N] ", "n"), ("models) [Y/n] ", ""),
    ]

    /// Answers so many questions, and waits for the next one.
    private func talk(_ count: Int, _ terminal: PseudoTerminal, _ token: String) throws -> RunningProcess {
        let path = ["PATH": "\(scene.home)/bin:/usr/bin:/bin"]
        let process = try scene.keybearer.start(["onboard"], terminal: terminal.path, variables: path)
        for number in 0...min(count, Self.answers.count - 1) {
            let question = Self.answers[number].question
            let times = Self.answers[...number].count { $0.question == question }
            try process.waitFor { $0.split(separator: question, omittingEmptySubsequences: false).count > times ? true : nil }
            guard number < count else { break }
            terminal.type(Self.answers[number].answer.replacing("TOKEN", with: token) + "\n")
        }
        return process
    }

    @Test(.enabled(if: access("/dev/pts/ptmx", F_OK) == 0))
    func `A person gets from nothing to an answer by six lines`() throws {
        let terminal = try PseudoTerminal()
        let token = sandbox.addSetupToken()
        let process = try talk(Self.answers.count, terminal, token)
        #expect(process.wait() == 0, "\(process.errors)")
        #expect(process.output.contains("anthropic:manual: ok after ") && process.output.contains("claude-haiku-4-5 says \""))
        #expect(access(unit, F_OK) == 0 && access(scene.home + "/.claude", F_OK) != 0)
        #expect(!process.output.contains(token) && !process.errors.contains(token) && !terminal.shown().contains(token))
    }

    @Test(.enabled(if: access("/dev/pts/ptmx", F_OK) == 0), arguments: 0..<6)
    func `Ctrl-C at any question ends it at once, and leaves what was finished and nothing else`(question: Int) throws {
        let terminal = try PseudoTerminal()
        let process = try talk(question, terminal, sandbox.addSetupToken())
        process.signal(SIGINT)
        #expect(process.wait() == 128 + SIGINT)
        #expect(terminal.echoes)
        #expect((access(store, F_OK) == 0) == (question > 1))
        #expect((access(unit, F_OK) == 0) == (question > 3))
        #expect(access(scene.home + "/.claude", F_OK) != 0)
        if question > 1 { #expect(try Reader.parse(Array(Text.read(store).utf8))["profiles"]?["anthropic:manual"] != nil) }
    }

    @Test(.enabled(if: access("/dev/pts/ptmx", F_OK) == 0))
    func `Ctrl-C ends it after a login as well, which has held it back`() throws {
        let terminal = try PseudoTerminal()
        let process = try scene.keybearer.start(["onboard"], terminal: terminal.path)
        try process.waitFor { $0.contains("1 to 6: ") ? true : nil }
        terminal.type("1\n")
        let code = try process.waitFor { errors in
            errors.firstMatch(of: /enter the code\n +(\S+)\n/).map { String($0.1) }
        }
        sandbox.decideDevice(userCode: code, approve: true, named: "acct-wizard")
        try process.waitFor { $0.split(separator: "1 to 6: ", omittingEmptySubsequences: false).count > 2 ? true : nil }
        process.signal(SIGINT)
        #expect(process.wait() == 128 + SIGINT)
        #expect(process.output.contains("stored openai-codex:acct-wizard@sandbox.example") && Text.read(store).contains("acct-wizard"))
    }
}
