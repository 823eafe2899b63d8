import Configuration
import Testing

@testable import Tools

@Suite struct APIShapeTests {
    @Test(arguments: [
        ("anthropic", APIShape.anthropic, "/anthropic"), ("openai", .openai, "/openai/v1"), ("openai", .responses, "/openai/v1"),
        ("openai-codex", .responses, "/openai-codex"), ("google", .google, "/google"), ("openrouter", .openai, "/openrouter/api/v1"),
        ("xai", .openai, "/xai/v1"), ("groq", .openai, "/groq/openai/v1"), ("mistral", .openai, "/mistral/v1"),
        ("deepseek", .openai, "/deepseek"), ("deepseek", .anthropic, "/deepseek/anthropic"), ("moonshot", .openai, "/moonshot/v1"),
        ("zai", .openai, "/zai/api/paas/v4"), ("zai", .anthropic, "/zai/api/anthropic"),
        ("azure-openai", .openai, "/azure-openai/openai/v1"), ("ollama", .openai, "/ollama/v1"),
        ("synthetic", .anthropic, "/synthetic/anthropic"), ("vercel-ai-gateway", .anthropic, "/vercel-ai-gateway"),
        ("kimi-coding", .openai, "/kimi-coding/v1"), ("venice", .openai, "/venice/api/v1"),
    ])
    func `A tool's base URL on a provider is the one the table of spec/providers.md gives`(id: String, shape: APIShape, path: String) {
        let base = Endpoint(host: "127.0.0.1", port: 5392).base(id, path: shape.path(on: Providers.named(id)) ?? "none")
        #expect(base == "http://127.0.0.1:5392" + path)
    }

    @Test(arguments: [
        ("anthropic", APIShape.openai), ("openai", .anthropic), ("google", .openai), ("openai-codex", .anthropic),
        ("chatgpt", .responses), ("amazon-bedrock", .openai), ("ollama", .google), ("mine", .anthropic),
    ])
    func `A dialect that a provider does not speak has no path`(id: String, shape: APIShape) {
        #expect(shape.path(on: Providers.named(id)) == nil)
    }

    @Test func `A provider of the user's own gets the version that its base URL lacks`() {
        #expect(APIShape.openai.path(on: Providers.named("mine")) == "/v1")
        #expect(APIShape.openai.path(on: Providers.named("versioned")) == "")
    }

    @Test func `Every built-in provider is in the table`() throws {
        let builtIn = try Settings().providers
        let known = builtIn.filter { provider in APIShape.allCases.contains { $0.path(on: provider) != nil } }.map(\.id)
        #expect(Set(known) == Set(builtIn.map(\.id)).subtracting(["chatgpt", "amazon-bedrock", "deepgram"]))
    }
}

@Suite struct EndpointTests {
    @Test(
        arguments: [
            ("http://127.0.0.1:5392/anthropic", true), ("http://[::1]:5392/openai/v1", true), ("http://localhost:1/agents/a/google", true),
            ("http://127.0.0.1:5392/anthropic@work", true), ("http://127.0.0.1:1234/v1", false), ("http://127.0.0.1:11434/api", false),
            ("http://127.0.0.1:8080", false), ("http://127.0.0.1:8080/", false), ("http://127.0.0.1/openai", false),
            ("https://api.openai.com/v1", false), ("http://127.0.0.1:99999/openai", false), (nil, false),
        ] as [(String?, Bool)])
    func `An address of ours is told from other servers of this machine`(url: String?, isOurs: Bool) {
        #expect(Endpoint.isKeybearers(url) == isOurs)
    }

    @Test(arguments: [
        (Endpoint(host: "127.0.0.1", port: 5392), "http://127.0.0.1:5392/anthropic/v1"),
        (Endpoint(host: "::1", port: 80), "http://[::1]:80/anthropic/v1"),
        (Endpoint(host: "127.0.0.1", port: 5392, profile: "work"), "http://127.0.0.1:5392/anthropic@work/v1"),
        (Endpoint(host: "127.0.0.1", port: 5392, agent: "lab"), "http://127.0.0.1:5392/agents/lab/anthropic/v1"),
        (
            Endpoint(host: "127.0.0.1", port: 5392, agent: "lab", profile: "me@x.org/ü"),
            "http://127.0.0.1:5392/agents/lab/anthropic@me%40x.org%2F%C3%BC/v1"
        ),
        (Endpoint(host: "127.0.0.1", port: 5392, profile: "a:b c"), "http://127.0.0.1:5392/anthropic@a%3Ab%20c/v1"),
    ])
    func `Agent and pin are in the path, safe for any name`(endpoint: Endpoint, url: String) {
        #expect(endpoint.base("anthropic", path: "/v1") == url)
    }
}
