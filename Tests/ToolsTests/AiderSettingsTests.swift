import Testing

@testable import Tools

@Suite struct AiderSettingsTests {
    private static let finder = AiderSettings(content: .none)

    private static func settings(_ base: String = "http://127.0.0.1:5392/anthropic") throws -> AiderSettings {
        let tool = try #require(ToolCatalogue.tool("aider"))
        let routes = try ToolRoute.choose(for: tool, among: Providers.all) { _ in true }
        let endpoint = Endpoint(host: "127.0.0.1", port: 5392)
        return AiderSettings(
            content: ToolFileContent(try ToolPlan(for: tool, at: endpoint, routes: routes), routes: routes, endpoint: endpoint))
    }

    private static func generated(_ seed: Int) -> String {
        var dice = Dice(seed)
        var lines: [String] = []
        if dice.chance(30) { lines.append("---") }
        if dice.chance(50) { lines.append("# my settings\n") }
        if dice.chance(50) { lines.append("model: sonnet # the best") }
        if dice.chance(40) { lines.append("openai-api-base: https://mine.example/v1") }
        if dice.chance(40) { lines.append("openai-api-key:   'sk-1'") }
        if dice.chance(30) { lines.append("api-key:\n  - gemini=foo\n\n  # second\n  - openrouter=bar\n\n# about what follows") }
        if dice.chance(50) {
            lines.append(dice.one(["set-env:\n- A=b", "set-env: # mine\n\n    - A=b\n    - C=d", "set-env:\n  # c\n  - A=b"]))
        }
        if dice.chance(40) { lines.append("read:\n  - CONVENTIONS.md\n  - \"é: x\"") }
        if dice.chance(30) { lines.append("commit-prompt: |\n  Say it:\n\n  shortly") }
        let newline = dice.one(["\n", "\r\n"])
        return lines.joined(separator: "\n").replacing("\n", with: newline) + dice.one(["", newline, newline + newline])
    }

    @Test(arguments: 1...150)
    func `What is put in is taken out to the byte`(seed: Int) throws {
        let original = Array(Self.generated(seed).utf8)
        let installed = try Self.settings().installed(in: original)
        let text = String(decoding: installed, as: UTF8.self)
        #expect(text.contains("- \"ANTHROPIC_BASE_URL=http://127.0.0.1:5392/anthropic\"  # keybearer"), "\(text)")
        #expect(Self.finder.base(in: installed) == "http://127.0.0.1:5392/anthropic")
        #expect(text.split(whereSeparator: \.isNewline).count { $0.hasPrefix("set-env:") } == 1, "\(text)")
        for line in text.split(whereSeparator: \.isNewline) {
            #expect(!["openai-api-base:", "openai-api-key:", "api-key:"].contains { line.hasPrefix($0) }, "\(line)")
        }
        #expect(try Self.finder.removed(from: installed, kept: original) == original, "\(text)")
        #expect(try Self.settings().installed(in: installed) == installed, "twice is once")
    }

    @Test func `A file of its own is a list, and goes when we go`() throws {
        let made = try Self.settings().installed(in: nil)
        #expect(
            String(decoding: made, as: UTF8.self).hasPrefix(
                "set-env:  # keybearer\n  - \"ANTHROPIC_BASE_URL=http://127.0.0.1:5392/anthropic\"  # keybearer\n"))
        #expect(try Self.finder.removed(from: made, kept: nil) == nil)
        #expect(throws: ToolSettingsError.absent) { try Self.finder.removed(from: Array("a: b\n".utf8), kept: nil) }
    }

    @Test func `The user's own items come after ours, and stay`() throws {
        let made = try Self.settings().installed(in: Array("set-env:\n    - A=b\nx: y\n".utf8))
        let lines = String(decoding: made, as: UTF8.self).split(separator: "\n")
        #expect(lines.first == "set-env:" && lines[1].hasPrefix("    - \"ANTHROPIC_BASE_URL=") && lines.suffix(2) == ["    - A=b", "x: y"])
    }

    @Test(arguments: [
        ("set-env: A=b\n", "not a list with one item a line"), ("set-env: [\"A=b\"]\n", "not a list"),
        ("{ model: x }", ":1: expected `name: value`"),
        ("a: 1\nb: 2\na: 3\n", ":3: a is given twice"), ("model: x\n---\nmodel: y\n", ":2: expected"), ("? a\n: b\n", ":1: expected"),
        ("a:b\n", ":1: expected"), ("\tmodel: x\n", ":1: expected"),
    ])
    func `A file that cannot be edited safely is refused by line`(text: String, part: String) throws {
        let error = #expect(throws: ToolSettingsError.self) { try Self.settings().installed(in: Array(text.utf8)) }
        #expect(error?.description(of: "F").contains(part) == true, "\(error?.description(of: "F") ?? "")")
    }
}
