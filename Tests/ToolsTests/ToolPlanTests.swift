import Configuration
import JSON
import Testing

@testable import Tools

@Suite struct ToolPlanTests {
    private static let endpoint = Endpoint(host: "127.0.0.1", port: 5392)

    private func plan(
        _ id: String, provider: String? = nil, ready: Set<String> = [], endpoint: Endpoint = endpoint, session: String? = nil,
        environment: [String: String] = [:]
    ) throws -> ToolPlan {
        let tool = try #require(ToolCatalogue.tool(id))
        let routes = try ToolRoute.choose(for: tool, among: Providers.all, named: provider) { ready.contains($0.id) }
        return try ToolPlan(for: tool, at: endpoint, routes: routes, session: session, environment: environment)
    }

    private func value(_ name: String, _ plan: ToolPlan) -> String? { plan.variables.first { $0.name == name }?.value }

    /// Every tool, with the addresses it must be given: seen in spec/clients.md.
    @Test(arguments: [
        ("claude", ["ANTHROPIC_BASE_URL": "/anthropic"], ["ANTHROPIC_AUTH_TOKEN"]),
        ("gemini", ["GOOGLE_GEMINI_BASE_URL": "/google"], ["GEMINI_API_KEY"]),
        (
            "aider", ["ANTHROPIC_BASE_URL": "/anthropic", "OPENAI_BASE_URL": "/openai/v1", "OPENAI_API_BASE": "/openai/v1"],
            ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"]
        ),
        (
            "llm", ["ANTHROPIC_BASE_URL": "/anthropic", "OPENAI_BASE_URL": "/openai/v1"], ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"]
        ),
        ("gptme", ["OPENAI_BASE_URL": "/openai/v1"], ["OPENAI_API_KEY"]),
        ("openai-sdk", ["OPENAI_BASE_URL": "/openai/v1"], ["OPENAI_API_KEY"]),
        ("anthropic-sdk", ["ANTHROPIC_BASE_URL": "/anthropic"], ["ANTHROPIC_API_KEY"]),
        ("google-genai", ["GOOGLE_GEMINI_BASE_URL": "/google"], ["GEMINI_API_KEY"]),
        (
            "langchain",
            [
                "ANTHROPIC_BASE_URL": "/anthropic", "ANTHROPIC_API_URL": "/anthropic", "OPENAI_BASE_URL": "/openai/v1",
                "OPENAI_API_BASE": "/openai/v1", "GOOGLE_GEMINI_BASE_URL": "/google",
            ], ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"]
        ),
        (
            "litellm", ["ANTHROPIC_API_BASE": "/anthropic", "ANTHROPIC_BASE_URL": "/anthropic", "OPENAI_API_BASE": "/openai/v1"],
            ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"]
        ),
        ("openai-agents", ["OPENAI_BASE_URL": "/openai/v1", "OPENAI_AGENTS_DISABLE_TRACING": "1"], ["OPENAI_API_KEY"]),
        (
            "pydantic-ai",
            ["ANTHROPIC_BASE_URL": "/anthropic", "OPENAI_BASE_URL": "/openai/v1", "GOOGLE_GEMINI_BASE_URL": "/google"],
            ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"]
        ),
        ("instructor", ["ANTHROPIC_BASE_URL": "/anthropic", "OPENAI_BASE_URL": "/openai/v1"], ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"]),
        ("strands", ["ANTHROPIC_BASE_URL": "/anthropic", "OPENAI_BASE_URL": "/openai/v1"], ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"]),
        ("smolagents", ["OPENAI_BASE_URL": "/openai/v1"], ["OPENAI_API_KEY"]),
        ("groq-sdk", ["GROQ_BASE_URL": "/groq"], ["GROQ_API_KEY"]),
        ("zed", [:], ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"]),
        ("mistral-sdk", [:], []), ("continue", [:], []), ("cline", [:], []), ("codex", [:], []),
    ])
    func `Every tool gets its addresses, a placeholder for each key, and no proxy in between`(
        id: String, addresses: [String: String], keys: [String]
    ) throws {
        let plan = try plan(id)
        for (name, path) in addresses { #expect(value(name, plan) == (path.hasPrefix("/") ? Self.endpoint.origin + path : path)) }
        for name in keys { #expect(value(name, plan) == Tool.placeholder) }
        #expect(value("NO_PROXY", plan) == "127.0.0.1,localhost,::1")
        let others = plan.variables.map(\.name).filter { addresses[$0] == nil && !keys.contains($0) && $0 != "NO_PROXY" }
        let permitted = ["claude": ["ENABLE_TOOL_SEARCH"], "litellm": ["OPENAI_BASE_URL"]][id] ?? []
        #expect(others == permitted)
        #expect(Set(plan.removed).isDisjoint(with: plan.variables.map(\.name)))
    }

    @Test(arguments: ToolCatalogue.tools.map(\.id), Shell.allCases)
    func `Every tool's variables are commands of every shell, one a line`(id: String, shell: Shell) throws {
        guard ToolCatalogue.tool(id)?.way != Tool.Way.none else {
            #expect(throws: ToolMismatch.self) { try plan(id) }
            return
        }
        let start = shell == .fish ? "set -gx " : "export "
        for variable in try plan(id).variables {
            let command = shell.export(variable)
            #expect(command.hasPrefix(start + variable.name) && !command.contains("\n"), "\(command)")
        }
    }

    @Test func `Claude Code has tool search on, and loses what would lead it past us`() throws {
        let plan = try plan("claude")
        #expect(value("ENABLE_TOOL_SEARCH", plan) == "true")
        #expect(plan.removed.contains("ANTHROPIC_API_KEY") && plan.removed.contains("CLAUDE_CODE_OAUTH_TOKEN"))
        #expect(plan.removed.contains("CLAUDE_CODE_USE_BEDROCK"))
    }

    @Test func `Codex gets a provider by flags, over HTTP, without a login`() throws {
        #expect(
            try plan("codex", session: "s1").arguments == [
                "-c", "model_provider=\"keybearer\"", "-c", "model_providers.keybearer.name=\"Keybearer\"", "-c",
                "model_providers.keybearer.base_url=\"http://127.0.0.1:5392/openai-codex\"", "-c",
                "model_providers.keybearer.wire_api=\"responses\"", "-c", "model_providers.keybearer.requires_openai_auth=false", "-c",
                "model_providers.keybearer.supports_websockets=false", "-c",
                "model_providers.keybearer.http_headers={ \"Keybearer-Session\" = \"s1\" }",
            ])
    }

    @Test func `opencode gets one document with all its addresses`() throws {
        let text = try #require(value("OPENCODE_CONFIG_CONTENT", plan("opencode")))
        let document = try Reader.parse(Array(text.utf8))
        #expect(document["provider"]?["anthropic"]?["options"]?["baseURL"]?.string == "http://127.0.0.1:5392/anthropic/v1")
        #expect(document["provider"]?["openai"]?["options"]?["baseURL"]?.string == "http://127.0.0.1:5392/openai/v1")
        #expect(document["provider"]?["google"]?["options"]?["baseURL"]?.string == "http://127.0.0.1:5392/google/v1beta")
    }

    // MARK: Which provider

    @Test func `Codex goes to the ChatGPT account, or to an API key when there is only that`() throws {
        #expect(try plan("codex", ready: ["openai", "openai-codex"]).arguments.contains { $0.hasSuffix("/openai-codex\"") })
        #expect(try plan("codex", ready: ["openai"]).arguments.contains { $0.hasSuffix("/openai/v1\"") })
        #expect(try plan("codex").arguments.contains { $0.hasSuffix("/openai-codex\"") })
    }

    @Test func `A tool keeps its other accounts when only some have a profile here`() throws {
        let plan = try plan("llm", ready: ["anthropic"])
        #expect(value("ANTHROPIC_BASE_URL", plan) != nil && value("OPENAI_BASE_URL", plan) == nil && value("OPENAI_API_KEY", plan) == nil)
    }

    @Test func `A provider that was named is used, and only for the dialects it speaks`() throws {
        #expect(try value("ANTHROPIC_BASE_URL", plan("claude", provider: "zai")) == "http://127.0.0.1:5392/zai/api/anthropic")
        #expect(try value("OPENAI_BASE_URL", plan("openai-sdk", provider: "mine")) == "http://127.0.0.1:5392/mine/v1")
        #expect(try plan("llm", provider: "groq").variables.map(\.name) == ["OPENAI_BASE_URL", "OPENAI_API_KEY", "NO_PROXY"])
    }

    @Test(arguments: [
        ("claude", "openai", "it can be sent to anthropic, deepseek, zai"), ("codex", "anthropic", "openai-codex, openai, azure-openai"),
        ("mistral-sdk", "mistral", "is not pointed at mistral by variables"), ("groq-sdk", "openai", "it can be sent to groq"),
        ("cursor", "openai", "calls the models from its own servers"),
    ])
    func `What cannot work is refused, with what can`(id: String, provider: String, part: String) {
        let error = #expect(throws: ToolMismatch.self) { try plan(id, provider: provider) }
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }

    // MARK: Pins, sessions, proxies

    @Test func `A pin and an agent are in every address`() throws {
        let pinned = Endpoint(host: "127.0.0.1", port: 5392, agent: "lab", profile: "work")
        let plan = try plan("claude", endpoint: pinned)
        #expect(value("ANTHROPIC_BASE_URL", plan) == "http://127.0.0.1:5392/agents/lab/anthropic@work")
    }

    @Test func `A session is a request field, beside those the user has`() throws {
        let before = ["ANTHROPIC_CUSTOM_HEADERS": "X-Team: a\nkeybearer-session: old"]
        let plan = try plan("claude", session: "new", environment: before)
        #expect(value("ANTHROPIC_CUSTOM_HEADERS", plan) == "X-Team: a\nKeybearer-Session: new")
        #expect(throws: ToolMismatch.noSession(tool: "gptme")) { try self.plan("gptme", session: "new") }
        #expect(
            SessionName.isValid("a/b:c") && !SessionName.isValid("a b") && !SessionName.isValid("") && !SessionName.isValid("a\r\nX: y"))
    }

    @Test(arguments: [
        ([:], ["NO_PROXY": "127.0.0.1,localhost,::1"]), (["NO_PROXY": "corp"], ["NO_PROXY": "corp,127.0.0.1,localhost,::1"]),
        (["no_proxy": "a, b"], ["NO_PROXY": "127.0.0.1,localhost,::1", "no_proxy": "a,b,127.0.0.1,localhost,::1"]),
        (["NO_PROXY": "*"], ["NO_PROXY": "*"]), (["NO_PROXY": "localhost"], ["NO_PROXY": "localhost,127.0.0.1,::1"]),
    ])
    func `Names that are excepted from the proxy stay so`(environment: [String: String], expected: [String: String]) {
        let variables = NoProxy.variables(environment).map { ($0.name, $0.value) }
        #expect(Dictionary(uniqueKeysWithValues: variables) == expected)
    }

    @Test(arguments: [
        ([:], []), (["HTTP_PROXY": "http://p"], ["HTTP_PROXY"]), (["http_proxy": "http://p", "NO_PROXY": "127.0.0.1"], []),
        (["ALL_PROXY": "socks://p", "no_proxy": "corp", "NO_PROXY": "127.0.0.1"], ["ALL_PROXY"]), (["HTTP_PROXY": ""], []),
        (["HTTPS_PROXY": "http://p"], []),
    ])
    func `A proxy that would catch requests to this machine is noticed`(environment: [String: String], names: [String]) {
        #expect(ProxyVariables.catching(environment) == names)
    }
}

@Suite struct ToolCatalogueTests {
    @Test func `The catalogue names what issue 3 asks for, each once`() {
        let ids = ToolCatalogue.tools.map(\.id)
        #expect(Set(ids).count == ids.count)
        let asked = [
            "claude", "codex", "openai-sdk", "anthropic-sdk", "google-genai", "aider", "llm", "gptme", "langchain", "litellm", "zed",
            "opencode", "cursor",
        ]
        #expect(Set(asked).subtracting(ids).isEmpty)
        let programs = ToolCatalogue.tools.flatMap(\.programs)
        #expect(Set(programs).count == programs.count)
    }

    @Test(arguments: [("Claude Code", "claude"), ("CODEX", "codex"), ("cursor-agent", "cursor"), ("google-genai", "google-genai")])
    func `A tool is found by id, name or program`(name: String, id: String) {
        #expect(ToolCatalogue.tool(name)?.id == id)
        #expect(ToolCatalogue.tool("nothing") == nil)
    }

    @Test func `A program is known by its file's name`() {
        #expect(ToolCatalogue.tool(program: "/opt/x/bin/claude")?.id == "claude")
        #expect(ToolCatalogue.tool(program: "/opt/claude/python3") == nil)
    }

    @Test func `A tool that cannot work, or not by itself, says why`() {
        for tool in ToolCatalogue.tools where tool.way != .environment { #expect(!tool.notes.isEmpty, "\(tool.id)") }
        for note in ToolCatalogue.tools.flatMap(\.notes) { #expect(note.hasSuffix("."), "\(note)") }
    }
}
