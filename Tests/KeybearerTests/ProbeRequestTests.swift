import Configuration
import JSON
import Testing

@testable import keybearer

@Suite struct ProbeRequestTests {
    private static func provider(_ id: String, _ settings: String = "{}") throws -> Provider {
        try #require(try Settings(file: SettingsText(path: "test", bytes: Array(settings.utf8))).provider(id))
    }

    @Test(arguments: [
        ("anthropic", "POST /v1/messages"), ("openai", "GET /v1/models"), ("google", "GET /v1beta/models?pageSize=5"),
        ("openai-codex", "GET /models?client_version=\(Version.text)"), ("openrouter", "GET /api/v1/key"),
        ("groq", "GET /openai/v1/models"), ("xai", "GET /v1/models"), ("mistral", "GET /v1/models"), ("deepseek", "GET /models"),
        ("moonshot", "GET /v1/models"), ("zai", "GET /api/paas/v4/models"),
    ])
    func `Every provider is asked the cheapest thing that needs its credential`(id: String, expected: String) throws {
        let request = try #require(ProbeRequest(for: Self.provider(id)))
        #expect("\(request.method) \(request.path)" == expected)
        #expect(request.body.isEmpty == (request.method == "GET"))
    }

    @Test func `A message asks for one token`() throws {
        let body = try Reader.parse(Array(#require(ProbeRequest(for: Self.provider("anthropic"))).body.utf8))
        #expect(body["max_tokens"]?.int64 == 1)
    }

    @Test func `A provider of one's own is asked by its dialect, and one without a known request is not`() throws {
        let mine = "{ providers: { mine: { baseURL: 'https://models.example/v1', errorShape: 'openai' } } }"
        #expect(ProbeRequest(for: try Self.provider("mine", mine))?.path == "/models")
        #expect(ProbeRequest(for: try Self.provider("amazon-bedrock")) == nil)
    }

    @Test func `A model is asked for as many tokens as was said`() throws {
        #expect(try #require(ProbeRequest(for: Self.provider("anthropic"))).body.contains(#""max_tokens":1,"#))
        #expect(try #require(ProbeRequest(for: Self.provider("anthropic"), maxTokens: 8)).body.contains(#""max_tokens":8,"#))
    }

    @Test func `It is pinned, and names its agent`() throws {
        let request = try #require(ProbeRequest(for: Self.provider("anthropic")))
        let text = request.text(to: "anthropic", profile: "anthropic:a%20b", agent: "lab")
        #expect(text.hasPrefix("POST /anthropic/v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\n"))
        #expect(text.contains("\r\nKeybearer-Profile: anthropic:a%20b\r\nKeybearer-Agent: lab\r\n"))
        #expect(text.hasSuffix("Content-Length: \(request.body.utf8.count)\r\n\r\n\(request.body)"))
        let free = request.text(to: "anthropic", profile: nil, agent: nil)
        #expect(!free.contains("Keybearer-"))
    }

    @Test(
        arguments: [
            (#"{"model":"m","content":[{"type":"text","text":"OK"}]}"#, "m says \"OK\""),
            (#"{"model":"m","content":[{"type":"text","text":"a\u001b[2Jb\u009b"}]}"#, "m says \"a[2Jb\""),
            (#"{"data":[{"id":"a"},{"id":"b"}]}"#, "it lists 2 models, a among them"), (#"{"data":[{"id":"a"}]}"#, "it lists one model, a"),
            (#"{"models":[{"slug":"gpt-x"}]}"#, "it lists one model, gpt-x"), (#"{"models":[]}"#, "it lists no models"), ("{}", nil),
        ] as [(String, String?)])
    func `An answer is told in a few words, and cannot steer the terminal`(answer: String, gist: String?) throws {
        #expect(ProbeRequest.gist(of: try Reader.parse(Array(answer.utf8))) == gist)
    }
}
