import Testing

@testable import keybearer

/// Wrong command lines: one clear line, the right exit code, nothing on standard output, and nothing done.
@Suite struct ToolsCommandWrongUseTests {
    private static let cases: [(line: String, code: Int32, part: String)] = [
        // env
        ("env extra", 64, "Unexpected argument 'extra'"), ("env --tool", 64, "Missing value for '--tool"),
        ("env --tool nothing", 64, "\"nothing\" is not a tool that Keybearer knows"),
        ("env --tool cursor", 64, "calls the models from its own"),
        ("env --shell ksh", 64, "'ksh' is invalid for '--shell"), ("env --shell", 64, "Missing value for '--shell"),
        ("env --provider nobody", 64, "there is no provider \"nobody\""), ("env --provider chatgpt", 64, "not speak what chatgpt serves"),
        ("env --tool claude --provider openai", 64, "Claude Code does not speak what openai serves"),
        ("env --tool codex --provider google", 64, "openai-codex, openai, azure-openai"),
        ("env --tool groq-sdk --provider openai", 64, "it can be sent to groq"), ("env --profile ghost", 1, "there is no profile ghost"),
        ("env --tool claude --profile openai:default", 64, "Claude Code does not speak what openai serves"),
        ("env --profile twin", 1, "twin is the name of more than one profile"),
        ("env --provider anthropic --profile openai:default", 64, "openai:default is a profile of openai, not of anthropic"),
        ("env --bogus", 64, "Unknown option '--bogus'"), ("env --json=yes", 64, "--json"),
        ("env --config /nowhere.json5", 78, "/nowhere.json5"),
        ("env --state-dir", 64, "Missing value for '--state-dir"), ("env --session x", 64, "Unknown option '--session'"),
        // run
        ("run", 64, "Name the program to start"), ("run --", 64, "Name the program to start"),
        ("run --profile", 64, "Missing value for '--profile"), ("run --bogus -- true", 64, "--bogus"),
        ("run -- nosuchprogram", 127, "there is no program \"nosuchprogram\""), ("run -- /nowhere/claude", 127, "there is no program"),
        ("run -- /etc/passwd", 127, "there is no program \"/etc/passwd\""), ("run --profile ghost -- true", 1, "there is no profile ghost"),
        ("run --profile openai:default -- claude", 64, "Claude Code does not speak"), ("run -- cursor", 64, "Cursor cannot use Keybearer"),
        ("run --provider nobody -- true", 64, "there is no provider \"nobody\""),
        ("run --session é -- true", 64, "one word of visible ASCII"),
        ("run --session  -- true", 64, ""), ("run --session s --provider openai-codex -- codex", 1, "no profile of openai-codex"),
        ("run --session s -- gptme", 64, "gptme has no way to name a session"),
        ("run --provider openai-codex -- codex", 1, "keybearer models auth login"),
        ("run --agent empty -- claude", 1, "there is no profile of anthropic"), ("run --config /nowhere -- true", 78, "/nowhere"),
        ("run --provider google -- true", 1, "paste-api-key --provider google"),
        ("run --state-dir /nowhere/deep -- claude", 1, "there is no profile"),
        // tools
        ("tools nothing", 64, "Unexpected argument 'nothing'"), ("tools setup", 64, "Missing expected argument '<tool>'"),
        ("tools setup nothing", 64, "is not a tool that Keybearer knows"), ("tools setup llm", 64, "use `keybearer env --tool llm`"),
        ("tools setup cursor", 64, "calls the models from its own servers"), ("tools setup continue", 64, "config.yaml"),
        ("tools setup codex claude", 64, "Unexpected argument 'claude'"), ("tools setup codex --undo", 1, "there is nothing to undo"),
        ("tools setup claude --undo", 1, "there is nothing to undo"),
        ("tools setup codex --undo --profile a", 64, "--undo takes no --provider and no --profile"),
        ("tools setup codex --undo --provider openai", 64, "--undo takes no --provider"),
        ("tools setup claude --provider google", 64, "does not speak what google serves"),
        ("tools setup claude --profile ghost", 1, "there is no profile ghost"), ("tools --undo", 64, "Unknown option '--undo'"),
        ("tools list extra", 64, "Unexpected argument 'extra'"), ("tools setup codex --json", 64, "Unknown option '--json'"),
        // agents
        ("agents nothing", 64, "Unexpected argument 'nothing'"), ("agents add", 64, "Missing expected argument '<name>'"),
        ("agents add ---", 64, ""), ("agents add é", 64, "at least one letter"), ("agents add a b", 64, "Unexpected argument 'b'"),
        ("agents add main", 1, "there is an agent main already"), ("agents remove", 64, "Missing expected argument '<name>'"),
        ("agents remove ghost", 1, "there is no agent ghost"), ("agents remove main", 1, "the default agent"),
        ("agents list --yes", 64, "Unknown option '--yes'"), ("agents remove ghost --force", 64, "Unknown option '--force'"),
        // channels
        ("channels nothing", 64, "Unexpected argument 'nothing'"), ("channels add", 64, "Unexpected argument 'add'"),
        ("channels list --usage", 64, "Unknown option '--usage'"), ("channels list extra", 64, "Unexpected argument 'extra'"),
        // doctor
        ("doctor extra", 64, "Unexpected argument 'extra'"), ("doctor --fix=all", 64, "--fix"),
        ("doctor --repair", 64, "Unknown option '--repair'"),
        ("doctor --config /nowhere.json5", 78, "/nowhere.json5"), ("start-server", 64, "Missing expected argument '--log"),
    ]

    @Test(arguments: cases.indices)
    func `A wrong command line is answered by one clear line`(index: Int) throws {
        let (line, code, part) = Self.cases[index]
        let scene = try ToolScene()
        try scene.store(
            ToolScene.key("anthropic:work"), ToolScene.key("openai:default"), ToolScene.key("openai:twin"), ToolScene.key("anthropic:twin"))
        for name in ["claude", "codex", "cursor", "gptme"] { try scene.program(name, "echo started") }
        let outcome = try scene.run(line.split(separator: " ", omittingEmptySubsequences: false).map(String.init))
        #expect(outcome.code == code, "\(line): \(outcome.code) \(outcome.everything)")
        #expect(outcome.output.isEmpty, "\(line): \(outcome.output)")
        let lines = outcome.errors.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        #expect(lines.first?.hasPrefix("keybearer: ") == true && lines.first?.contains(part) == true, "\(line): \(outcome.errors)")
        // A wrong use has a second line, which says where help is.
        #expect(lines.count == 1 || lines.count == 2 && lines.last?.hasPrefix("See 'keybearer ") == true, "\(line): \(outcome.errors)")
        #expect(!outcome.errors.contains("canary"))
    }

    @Test func `There are enough of them`() {
        #expect(Self.cases.count >= 60 && Set(Self.cases.map(\.line)).count == Self.cases.count)
    }

    @Test(arguments: ["env", "doctor", "agents list", "channels list", "tools setup codex", "run -- true"])
    func `Settings with a flaw are named by line, with exit code 78`(line: String) throws {
        let scene = try ToolScene()
        try Text.write("{\n  lissen: []\n}\n", to: scene.state + "/keybearer.json5")
        let outcome = try scene.run(line.split(separator: " ").map(String.init))
        #expect(outcome.code == 78)
        #expect(outcome.errors.hasPrefix("keybearer: \(scene.state)/keybearer.json5:2:3: lissen:"), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
    }

    @Test(arguments: ["env", "run -- true", "tools setup claude"])
    func `A port that is another at every start cannot be pointed at`(line: String) throws {
        let scene = try ToolScene()
        try scene.store(ToolScene.key("anthropic:work"))
        try Text.write("{ listen: ['127.0.0.1:0'] }", to: scene.state + "/keybearer.json5")
        let outcome = try scene.run(line.split(separator: " ").map(String.init))
        #expect(outcome.code == 78 && outcome.errors.contains("name a port"), "\(outcome.errors)")
    }
}
