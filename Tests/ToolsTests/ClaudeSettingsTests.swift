import JSON
import Testing

@testable import Tools

@Suite struct ClaudeSettingsTests {
    private static let variables = [
        Tool.Variable("ANTHROPIC_BASE_URL", "http://127.0.0.1:5392/anthropic"), Tool.Variable("ANTHROPIC_AUTH_TOKEN", Tool.placeholder),
        Tool.Variable("ENABLE_TOOL_SEARCH", "true"), Tool.Variable("NO_PROXY", "127.0.0.1,localhost,::1"),
    ]
    private let settings = ClaudeSettings(variables: variables)
    private static let finder = ClaudeSettings(variables: [])

    /// A settings.json as people have them, in many layouts.
    private static func generated(_ seed: Int) -> String {
        var dice = Dice(seed)
        let indent = dice.one(["  ", "    ", "\t", ""])
        let newline = dice.one(["\n", "\n", "\r\n", ""])
        let colon = dice.one([": ", ":", " : "])
        var members: [String] = []
        if dice.chance(50) { members.append("\"$schema\"\(colon)\"https:\\/\\/x\"") }
        if dice.chance(40) { members.append("\"model\"\(colon)\"op\\u00fcs\"") }
        if dice.chance(70) {
            var env: [String] = []
            if dice.chance(50) { env.append("\"EDITOR\"\(colon)\"vi, { } [ ] \\\" \\\\\"") }
            if dice.chance(30) { env.append("\"ANTHROPIC_BASE_URL\"\(colon)\"https:\\/\\/gateway\"") }
            if dice.chance(30) { env.append("\"NO_PROXY\"\(colon)\"127.0.0.1,localhost,::1\"") }
            if dice.chance(20) { env.append("\"ENABLE_TOOL_SEARCH\"\(colon)\"tru\\u0065\"") }
            if dice.chance(30) { env.append("\"N\"\(colon)1.50") }
            let inner = newline + indent + indent
            members.append("\"env\"\(colon){" + (env.isEmpty ? "" : inner + env.joined(separator: "," + inner) + newline + indent) + "}")
        }
        if dice.chance(50) { members.append("\"permissions\"\(colon){\"allow\"\(colon)[\"Bash(ls:*)\", {\"env\":{}}], \"n\":1e5}") }
        if dice.chance(30) { members.append("\"last\"\(colon)null") }
        let inner = newline + indent
        let text = members.isEmpty ? dice.one(["{}", "{ }", "{\n}"]) : "{" + inner + members.joined(separator: "," + inner) + newline + "}"
        return dice.one(["", "", "\u{FEFF}"]) + text + dice.one(["", "\n", "\n\n"])
    }

    @Test(arguments: 1...120)
    func `What is put in is taken out to the byte, and is JSON with all else as it was`(seed: Int) throws {
        let original = Self.generated(seed)
        let installed = try settings.installed(in: Array(original.utf8))
        let before = try #require(Reader.parse(Array(original.utf8)).object)
        let after = try #require(Reader.parse(installed, duplicateNames: .refused).object)
        for variable in Self.variables { #expect(after["env"]?[variable.name]?.string == variable.value) }
        for (name, value) in before where name != "env" { #expect(after[name] == value) }
        for (name, value) in before["env"]?.object ?? Object() where !Self.variables.contains(where: { $0.name == name }) {
            #expect(after["env"]?[name] == value)
        }
        #expect(try Self.finder.removed(from: installed, kept: Array(original.utf8)) == Array(original.utf8), "\(original)")
        #expect(try settings.installed(in: installed) == installed, "twice is once")
    }

    @Test(arguments: 1...60)
    func `When Claude Code has written the file anew, our members go and the old values return`(seed: Int) throws {
        let original = Array(Self.generated(seed).utf8)
        var root = try #require(Reader.parse(settings.installed(in: original)).object)
        root["added"] = "since"
        let rewritten = Writer.pretty(.object(root))
        let rest = try #require(try Self.finder.removed(from: rewritten, kept: original))
        var expected = try #require(Reader.parse(original).object)
        expected["added"] = "since"
        let result = try #require(Reader.parse(rest).object)
        // Members that we put first stay first where they were the user's before; their order means nothing.
        #expect(Set(result.names) == Set(expected.names))
        for (name, value) in expected where name != "env" { #expect(result[name] == value) }
        let env = result["env"]?.object ?? Object()
        let expectedEnv = expected["env"]?.object ?? Object()
        #expect(Set(env.names) == Set(expectedEnv.names))
        for (name, value) in expectedEnv { #expect(env[name] == value) }
    }

    @Test func `A file of its own is laid out for people, and goes when we go`() throws {
        let made = try settings.installed(in: nil)
        #expect(
            String(decoding: made, as: UTF8.self) == """
                {
                  "env": {
                    "ANTHROPIC_BASE_URL": "http://127.0.0.1:5392/anthropic",
                    "ANTHROPIC_AUTH_TOKEN": "keybearer-placeholder",
                    "ENABLE_TOOL_SEARCH": "true",
                    "NO_PROXY": "127.0.0.1,localhost,::1"
                  }
                }

                """)
        #expect(try Self.finder.removed(from: made, kept: nil) == nil)
        #expect(try settings.installed(in: Array(" \n".utf8)) == made)
        #expect(try Self.finder.removed(from: made, kept: Array(" \n".utf8)) == Array(" \n".utf8))
    }

    @Test func `Another address replaces the first, and both go in one`() throws {
        let original = Array("{\"model\": \"x\"}".utf8)
        let first = try settings.installed(in: original)
        let other = [Tool.Variable("ANTHROPIC_BASE_URL", "http://127.0.0.1:1/anthropic@work")] + Self.variables.dropFirst()
        let second = try ClaudeSettings(variables: other).installed(in: first)
        #expect(Self.finder.base(in: second) == "http://127.0.0.1:1/anthropic@work")
        #expect(try Self.finder.removed(from: second, kept: original) == original)
    }

    @Test(arguments: [
        ("{\"env\": 1}", "not an object"), ("[]", "expected an object"), ("{\"a\": 1,}", "member's name"), ("// x\n{}", "expected a value"),
        ("{\"a\":1,\"a\":2}", "already has a member"), ("{\"a\":", "expected a value"),
    ])
    func `A file that cannot be edited safely is refused`(text: String, part: String) {
        let error = #expect(throws: ToolSettingsError.self) { try settings.installed(in: Array(text.utf8)) }
        #expect(error?.description(of: "F").contains(part) == true, "\(error?.description(of: "F") ?? "")")
    }

    @Test func `Without our placeholder there is nothing to undo, whatever the address`() {
        let text = "{\"env\": {\"ANTHROPIC_BASE_URL\": \"http://127.0.0.1:5392/anthropic\", \"ANTHROPIC_AUTH_TOKEN\": \"real\"}}"
        #expect(throws: ToolSettingsError.absent) { try Self.finder.removed(from: Array(text.utf8), kept: nil) }
        #expect(Self.finder.base(in: Array(text.utf8)) == nil)
    }

    @Test func `What leads past us is named`() {
        let text = "{\"env\": {\"CLAUDE_CODE_USE_BEDROCK\": \"1\"}}"
        #expect(Self.finder.obstacles(in: Array(text.utf8)) == ["its env sets CLAUDE_CODE_USE_BEDROCK"])
    }
}
