import Testing

@testable import Tools

@Suite struct GptmeSettingsTests {
    private static let finder = GptmeSettings(content: .none)

    private static func settings() throws -> GptmeSettings {
        let tool = try #require(ToolCatalogue.tool("gptme"))
        let routes = try ToolRoute.choose(for: tool, among: Providers.all) { _ in true }
        let endpoint = Endpoint(host: "127.0.0.1", port: 5392)
        return GptmeSettings(
            content: ToolFileContent(try ToolPlan(for: tool, at: endpoint, routes: routes), routes: routes, endpoint: endpoint))
    }

    private static func generated(_ seed: Int) -> String {
        var dice = Dice(seed)
        var lines: [String] = []
        if dice.chance(50) { lines.append("[user]\nname = 'é' # me") }
        if dice.chance(50) { lines.append("[env]\nOPENAI_API_KEY = \"sk-1\"") }
        if dice.chance(50) { lines.append("[[providers]]\nname = 'local'\nbase_url = 'http://127.0.0.1:11434/v1'") }
        if dice.chance(30) { lines.append("[prompt]\nabout = \"\"\"\n[[providers]]\n# keybearer\n\"\"\"") }
        return lines.joined(separator: dice.one(["\n", "\n\n"])) + dice.one(["", "\n"])
    }

    @Test(arguments: 1...80)
    func `What is put in is taken out to the byte`(seed: Int) throws {
        let original = Array(Self.generated(seed).utf8)
        let installed = try Self.settings().installed(in: original)
        #expect(installed.starts(with: original))
        #expect(Self.finder.base(in: installed) == "http://127.0.0.1:5392/openai/v1")
        #expect(Self.finder.base(in: original) == nil)
        #expect(try Self.finder.removed(from: installed, kept: original) == original)
        #expect(try Self.settings().installed(in: installed) == installed, "twice is once")
    }

    @Test func `A file of its own holds the provider, and goes when we go`() throws {
        let made = try Self.settings().installed(in: nil)
        #expect(
            String(decoding: made, as: UTF8.self) == """
                [[providers]]  # keybearer
                name = "keybearer"  # keybearer
                base_url = "http://127.0.0.1:5392/openai/v1"  # keybearer
                api_key = "keybearer-placeholder"  # keybearer

                """)
        #expect(try Self.finder.removed(from: made, kept: nil) == nil)
    }

    @Test(arguments: ["providers = []", "[providers]\nx = 1", "[[providers]]\nname = \"keybearer\"\nbase_url = 'https://x'", "oops"])
    func `A file that cannot be edited safely is refused`(text: String) throws {
        #expect(throws: ToolSettingsError.self) { try Self.settings().installed(in: Array(text.utf8)) }
    }
}
