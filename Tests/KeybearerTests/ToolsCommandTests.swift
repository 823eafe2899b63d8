import Glibc
import JSON
import Testing

@testable import keybearer

@Suite struct ToolsCommandTests {
    private let scene: ToolScene

    init() throws {
        scene = try ToolScene()
        try scene.store(ToolScene.key("anthropic:work"), ToolScene.login("openai-codex:me"))
    }

    @Test func `The list says what is here, what each needs, and what cannot work`() throws {
        try scene.program("codex", "true")
        let outcome = try scene.run("tools", "--json")
        let tools = try #require(try Reader.parse(Array(outcome.output.utf8))["tools"]?.array)
        let tool = { (id: String) in tools.first { $0["id"]?.string == id } }
        #expect(tool("codex")?["installed"]?.bool == true && tool("codex")?["program"]?.string == "\(scene.home)/bin/codex")
        #expect(tool("claude")?["installed"]?.bool == false && tool("claude")?["works"]?.bool == true)
        #expect(tool("cursor")?["works"]?.bool == false)
        #expect(tool("codex")?["setUpFor"]?.isNull == true)
        #expect(try scene.run("tools").output.contains("cursor: It calls the models from its own servers"))
    }

    @Test func `Codex is set up, seen as such, and restored to the byte`() throws {
        let path = scene.home + "/.codex/config.toml"
        try scene.folders(".codex")
        let original = "# mine\r\nmodel = 'x'\r\n[projects.\"/a\"]\r\ntrust_level = 'trusted'"
        try Text.write(original, to: path)
        chmod(path, 0o644)
        let setup = try scene.run("tools", "setup", "codex")
        #expect(
            setup.code == 0 && setup.output.hasPrefix("\(path) now points Codex CLI at \(scene.origin)/openai-codex\n"),
            "\(setup.everything)")
        #expect(Text.read(path).contains("base_url = \"\(scene.origin)/openai-codex\""))
        #expect(try scene.run("tools", "setup", "codex").output.contains("already"))
        #expect(try scene.run("tools").output.contains("set up for \(scene.origin)/openai-codex"))
        #expect(try scene.run("tools", "setup", "codex", "--profile", "me").output.contains("/openai-codex@me"))
        #expect(try scene.run("tools", "setup", "codex", "--undo").code == 0)
        #expect(Array(Text.read(path).utf8) == Array(original.utf8))
        var info = stat()
        #expect(stat(path, &info) == 0 && info.st_mode & 0o777 == 0o644)
        #expect(try scene.run("tools", "setup", "codex", "--undo").code == 1)
    }

    @Test func `Claude Code is set up where its own variable says, and what clashes is named`() throws {
        try scene.folders("conf")
        let path = scene.home + "/conf/settings.json"
        let original = "{\"env\":{\"ANTHROPIC_API_KEY\":\"sk-canary\"},\"model\":\"opus\"}"
        try Text.write(original, to: path)
        let variables = ["CLAUDE_CONFIG_DIR": scene.home + "/conf"]
        let setup = try scene.run(["tools", "setup", "claude", "--profile", "work"], variables: variables)
        #expect(setup.code == 0, "\(setup.errors)")
        #expect(setup.errors.contains("warning: its env sets ANTHROPIC_API_KEY, which goes before Keybearer"))
        #expect(setup.errors.contains("start it: keybearer serve"))
        #expect(!setup.everything.contains("canary"))
        let env = try Reader.parse(Array(Text.read(path).utf8))["env"]
        #expect(env?["ANTHROPIC_BASE_URL"]?.string == "\(scene.origin)/anthropic@work")
        #expect(env?["ENABLE_TOOL_SEARCH"]?.string == "true")
        #expect(try scene.run(["tools", "setup", "claude", "--undo"], variables: variables).code == 0)
        #expect(Text.read(path) == original)
    }

    @Test(arguments: [("codex", ".codex/config.toml", "model = "), ("claude", ".claude/settings.json", "{ // comment\n}")])
    func `A file that cannot be read is named by line and left alone`(tool: String, file: String, text: String) throws {
        try scene.folders(file.split(separator: "/").dropLast().joined(separator: "/"))
        try Text.write(text, to: "\(scene.home)/\(file)")
        let outcome = try scene.run("tools", "setup", tool)
        #expect(outcome.code == 1)
        #expect(outcome.errors.hasPrefix("keybearer: \(scene.home)/\(file):1: "), "\(outcome.errors)")
        #expect(Text.read("\(scene.home)/\(file)") == text)
    }
}
