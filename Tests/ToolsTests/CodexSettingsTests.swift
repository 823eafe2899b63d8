import Testing

@testable import Tools

@Suite struct CodexSettingsTests {
    private static let base = "http://127.0.0.1:5392/openai-codex"
    private let settings = CodexSettings(base: base)

    private func installed(_ text: String) throws -> String {
        String(decoding: try settings.installed(in: Array(text.utf8)), as: UTF8.self)
    }

    private func removed(_ text: String) throws -> String {
        String(decoding: try CodexSettings.removed(from: Array(text.utf8)), as: UTF8.self)
    }

    /// A config.toml as people have them: any of these pieces, in any line ending, with or without a last line feed.
    private static func generated(_ seed: Int) -> String {
        var dice = Dice(seed)
        var lines: [String] = []
        if dice.chance(40) { lines.append(dice.one(["# my settings", "#:schema https://x/schema.json", "\t# indented", ""])) }
        if dice.chance(60) { lines.append("model = \"gpt-\(seed)\"") }
        if dice.chance(50) {
            lines.append(
                dice.one([
                    "model_provider = \"openai\"", "model_provider='azure' # work", "  \"model_provider\"  =  \"x\"",
                    "model_provider = \"\"",
                ]))
        }
        if dice.chance(40) { lines.append("notify = [\n  \"a\", # comment\n  'b',\n]") }
        if dice.chance(30) { lines.append("prompt = \"\"\"\nkeybearer said:\n# keybearer keeps nothing\n\"\"\"") }
        if dice.chance(30) { lines.append("sandbox.mode = { writable = [], net = true }") }
        if dice.chance(30) {
            lines.append("model_providers.local.name = 'Local'\nmodel_providers.local.base_url = 'http://127.0.0.1:1'")
        } else if dice.chance(30) {
            lines.append("[model_providers]")
        }
        if dice.chance(40) { lines.append("[model_providers.azure]\nname = \"Azure\"\nbase_url = \"https://a.example\" # keep") }
        if dice.chance(50) { lines.append("[profiles.work]\nmodel = 'o3'\n\n\n") }
        if dice.chance(50) { lines.append("[projects.\"/home/é/x y\"]\ntrust_level = \"trusted\"") }
        if dice.chance(30) { lines.append("[[hooks]]\nname = 'a'\n[[hooks]]\nname = 'a'") }
        if dice.chance(30) { lines.append("# the end") }
        var text = lines.joined(separator: "\n")
        if dice.chance(70) { text += dice.one(["\n", "\n\n", "\n  \n"]) }
        if dice.chance(25) { text = text.replacing("\n", with: "\r\n") }
        return dice.chance(10) ? "\u{FEFF}" + text : text
    }

    @Test(arguments: 1...120)
    func `What is put in is taken out to the byte, and is TOML that selects us`(seed: Int) throws {
        let original = Self.generated(seed)
        let installed = try installed(original)
        let outline = try TOMLReader.outline(Array(installed.utf8))
        #expect(outline.root("model_provider")?.string == "keybearer")
        #expect(CodexSettings.base(in: Array(installed.utf8)) == Self.base)
        #expect(Array(try removed(installed).utf8) == Array(original.utf8), "\(original)")
        #expect(try self.installed(installed) == installed, "twice is once")
        // Everything else stays: each line of the original is a line still, but for a selection that is kept as a comment.
        let before = try TOMLReader.outline(Array(original.utf8))
        for assignment in before.assignments where assignment.path != ["model_provider"] {
            #expect(outline.assignments.contains { $0.path == assignment.path && $0.string == assignment.string })
        }
    }

    @Test(arguments: 1...40)
    func `What Codex or a person wrote since then stays when we go`(seed: Int) throws {
        let original = Self.generated(seed)
        var text = try installed(original)
        // Codex appends a table for each project it is told to trust.
        let addition = "[projects.\"/new/\(seed)\"]\ntrust_level = \"trusted\"\n"
        text += addition
        let isJoined = !(original.isEmpty || original.utf8.last == UInt8(ascii: "\n"))
        let expected = original + (isJoined ? (text.contains("\r\n") ? "\r\n" : "\n") : "") + addition
        #expect(Array(try removed(text).utf8) == Array(expected.utf8))
    }

    @Test func `A file of its own is made of both parts and nothing else`() throws {
        let text = try installed("")
        #expect(
            text == """
                # keybearer: `keybearer tools setup codex --undo` takes this out
                model_provider = "keybearer"
                # keybearer: `keybearer tools setup codex --undo` takes this out
                [model_providers.keybearer]
                name = "Keybearer"
                base_url = "http://127.0.0.1:5392/openai-codex"
                wire_api = "responses"
                requires_openai_auth = false
                supports_websockets = false

                """)
        #expect(try removed(text) == "")
    }

    @Test func `Another address replaces the first`() throws {
        let first = try installed("model = 'x'")
        let second = try CodexSettings(base: "http://127.0.0.1:1/openai/v1").installed(in: Array(first.utf8))
        #expect(CodexSettings.base(in: second) == "http://127.0.0.1:1/openai/v1")
        #expect(try CodexSettings.removed(from: second) == Array("model = 'x'".utf8))
    }

    @Test(arguments: [
        ("a = ", "expected a value"), ("[model_providers.keybearer]\nname = 'x'", "which Keybearer did not write"),
        ("model_providers.keybearer.name = 'x'", "which Keybearer did not write"), ("model_providers = { a = 1 }", "is not a table"),
        ("[[model_providers]]\nname = 'x'", "is not a table"), ("model_provider = '''\nx'''", "spans several lines"),
        ("{}", "expected a key"),
    ])
    func `A file that cannot be edited safely is refused`(text: String, part: String) {
        let error = #expect(throws: ToolSettingsError.self) { try installed(text) }
        #expect(error?.description(of: "F").contains(part) == true, "\(error?.description(of: "F") ?? "")")
    }

    @Test func `When half of our part is gone, the other half is not guessed at`() throws {
        let text = try installed("")
        let half = text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst(2).joined(separator: "\n")
        #expect(throws: ToolSettingsError.self) { try removed(half) }
    }

    @Test func `A profile of Codex's own that goes before us is named`() {
        let text = "profile = \"work\"\n[profiles.work]\nmodel_provider = \"azure\"\n"
        #expect(CodexSettings.overridingProfile(in: Array(text.utf8)) == "work")
        #expect(CodexSettings.overridingProfile(in: Array("profile = 'work'\n[profiles.work]\nmodel = 'x'\n".utf8)) == nil)
    }
}
