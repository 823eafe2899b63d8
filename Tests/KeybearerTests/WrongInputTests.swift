import Glibc
import Testing

/// Wrong input of every kind: one clear line that says what was expected and what to do, the right exit code, and nothing else.
///
/// | code | for |
/// |---|---|
/// | 1 | what was asked for does not exist here, or cannot be done |
/// | 64 | a command line, or a pasted credential, that cannot be |
/// | 78 | settings, or what they depend on |
/// | 127 | no such program, as shells have it |
@Suite struct WrongInputTests {
    /// One of them.
    struct Row: CustomTestStringConvertible {
        let line: String
        let code: Int32
        /// What is in the one line: what is wrong.
        let part: String
        /// What to do; nil: a second line says where help is.
        let remedy: String?
        var input = ""
        var settings: String?
        var store: String?

        var testDescription: String { "keybearer \(line)" }

        init(
            _ line: String, _ code: Int32, _ part: String, _ remedy: String? = nil, input: String = "", settings: String? = nil,
            store: String? = nil
        ) {
            (self.line, self.code, self.part, self.remedy) = (line, code, part, remedy)
            (self.input, self.settings, self.store) = (input, settings, store)
        }
    }

    static let rows = WrongInputs.all

    @Test func `There are at least 120 of them, all different`() {
        #expect(Self.rows.count >= 120, "\(Self.rows.count)")
        #expect(Set(Self.rows.map { "\($0.line)|\($0.input)|\($0.settings ?? "")|\($0.store ?? "")" }).count == Self.rows.count)
    }

    @Test(arguments: rows)
    func `Wrong input is answered by one clear line, the right code, and nothing else`(row: Row) throws {
        let scene = try ToolScene()
        try scene.store(
            ToolScene.key("anthropic:work"), ToolScene.key("openai:default"), ToolScene.key("openai:twin"), ToolScene.key("anthropic:twin"))
        for name in ["claude", "codex", "cursor", "gptme"] { try scene.program(name, "echo started") }
        if let settings = row.settings { try Text.write(settings, to: scene.state + "/keybearer.json5") }
        let path = scene.state + "/agents/main/agent/auth-profiles.json"
        if let store = row.store { try Text.write(store, to: path) }
        let before = Text.read(path)
        let words = row.line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        let process = try scene.start(row.line.isEmpty ? [] : words, input: row.input)
        let code = process.wait()
        scene.adoptServer(of: process)
        #expect(code == row.code, "\(code) \(process.errors)")
        #expect(process.output.isEmpty, "\(process.output)")
        let lines = process.errors.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        #expect(lines.first?.hasPrefix("keybearer: ") == true && lines.first?.contains(row.part) == true, "\(process.errors)")
        if let remedy = row.remedy {
            #expect(lines.first?.contains(remedy) == true && lines.count == 1, "\(process.errors)")
        } else {
            #expect(lines.count == 2 && lines.last?.hasPrefix("See 'keybearer ") == true, "\(process.errors)")
        }
        #expect(!process.errors.contains("canary"), "no credential is repeated: \(process.errors)")
        #expect(Text.read(path) == before, "nothing is changed")
    }

    @Test(arguments: [
        "env", "doctor", "agents list", "channels list", "tools setup codex", "run -- true", "models status", "token a", "serve",
    ])
    func `Settings with a flaw are named by line by every command, with exit code 78`(line: String) throws {
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
