import Configuration
import Testing

@testable import Routing

/// What a route looks like in a table: `provider agent profile rest`, `-` for none.
private func routed(
    _ target: String, host: String = "127.0.0.1:5392", hints: HeaderHints = [], settings: Settings? = nil
) throws -> String {
    let settings = try settings ?? Settings()
    let bytes = Array(target.utf8)
    let hostBytes = Array(host.utf8)
    let text = { (range: Range<Int>) in String(decoding: bytes[range], as: UTF8.self) }
    switch RouteTable(settings: settings).route(target: bytes.span, host: hostBytes.span, hints: hints) {
    case .provider(let route):
        let parts = [settings.providers[route.providerIndex].id, route.agent.map(text) ?? "-", route.profile.map(text) ?? "-"]
        return (parts + [text(route.restStart..<bytes.count)]).joined(separator: " ")
    case .own(let start): return "own \(text(start..<bytes.count))"
    case .unknown(let error): return "\(error)"
    }
}

private func settings(_ text: String) throws -> Settings {
    try Settings(file: SettingsText(path: "test", bytes: Array(text.utf8)))
}

@Suite struct RouteTableTests {
    @Test(
        "A provider's id as first segment is cut off, and the rest is left as it is",
        arguments: [
            ("/anthropic/v1/messages", "anthropic - - /v1/messages"),
            ("/anthropic/v1/messages?beta=true", "anthropic - - /v1/messages?beta=true"),
            ("/anthropic", "anthropic - - "),
            ("/anthropic?x=/y", "anthropic - - ?x=/y"),
            ("/anthropic/", "anthropic - - /"),
            ("/openai/v1/responses", "openai - - /v1/responses"),
            ("/groq/openai/v1/chat/completions", "groq - - /openai/v1/chat/completions"),
            ("/chatgpt/backend-api/wham/usage", "chatgpt - - /backend-api/wham/usage"),
            ("/amazon-bedrock/model/a%2Fb:1/converse-stream", "amazon-bedrock - - /model/a%2Fb:1/converse-stream"),
            ("/google/v1beta/models/m:generateContent", "google - - /v1beta/models/m:generateContent"),
            ("/openai/v1/files/a%2Fb%5Cc", "openai - - /v1/files/a%2Fb%5Cc"),
            ("/openai/v1/files/a//b", "openai - - /v1/files/a//b"),
        ])
    func providers(target: String, expected: String) throws {
        #expect(try routed(target) == expected)
    }

    @Test(
        "A profile after @ is a pin, whatever its name holds",
        arguments: [
            ("/anthropic@work/v1/messages", "anthropic - work /v1/messages"),
            ("/anthropic%40work/v1/messages", "anthropic - work /v1/messages"),
            ("/anthropic@me@example.com/v1/messages", "anthropic - me@example.com /v1/messages"),
            ("/anthropic@anthropic:work", "anthropic - anthropic:work "),
            ("/anthropic@w%C3%B6rk?x", "anthropic - w%C3%B6rk ?x"),
            ("/openai@a%2Fb/v1/models", "openai - a%2Fb /v1/models"),
            ("/anthropic@/v1/messages", "emptyProfile"),
            ("/anthropic%40/v1/messages", "emptyProfile"),
            ("/antropic@work/v1/messages", "unknownProvider"),
            ("/@work/v1/messages", "unknownProvider"),
        ])
    func pins(target: String, expected: String) throws {
        #expect(try routed(target) == expected)
    }

    @Test(
        "An agent can be named before everything else",
        arguments: [
            ("/agents/main/anthropic/v1/messages", "anthropic main - /v1/messages"),
            ("/agents/a%20b/anthropic@work/v1/messages", "anthropic a%20b work /v1/messages"),
            ("/agents/main/v1/messages", "anthropic main - /v1/messages"),
            ("/agents/main/v1beta/models", "google main - /v1beta/models"),
            ("/agents/agents/openai/v1/models", "openai agents - /v1/models"),
            ("/agents", "emptyAgent"),
            ("/agents/", "emptyAgent"),
            ("/agents//openai/v1", "emptyAgent"),
            ("/agents/main", "noRoute"),
            ("/agents/main/", "noRoute"),
            ("/agents/main//v1/messages", "noRoute"),
            ("/agents/main/-/healthz", "noRoute"),
            ("/agents/a%2Fb/openai/v1", "encodedSlash"),
            ("/agents/a%5cb/openai/v1", "encodedSlash"),
            ("/agents%2Fmain/openai/v1", "encodedSlash"),
        ])
    func agents(target: String, expected: String) throws {
        #expect(try routed(target) == expected)
    }

    @Test(
        "/-/ is ours, and nothing that only looks like it is",
        arguments: [
            ("/-/healthz", "own /healthz"), ("/-/", "own /"), ("/-", "own "), ("/-?x", "own ?x"), ("/-x/healthz", "noRoute"),
            ("/%2D/healthz", "noRoute"),
        ])
    func own(target: String, expected: String) throws {
        #expect(try routed(target) == expected)
    }

    @Test(
        "Bare paths belong to the API they are of",
        arguments: [
            ("/v1/messages", "anthropic"), ("/v1/messages/count_tokens?beta=true", "anthropic"), ("/v1/messages/batches", "anthropic"),
            ("/v1/chat/completions", "openai"), ("/v1/completions", "openai"), ("/v1/responses", "openai"),
            ("/v1/responses/r1/cancel", "openai"),
            ("/v1/embeddings", "openai"), ("/v1/images/generations", "openai"), ("/v1/audio/speech", "openai"),
            ("/v1/moderations", "openai"),
            ("/v1/batches", "openai"), ("/v1/models", "openai"), ("/v1/models/gpt", "openai"), ("/v1/files", "openai"),
            ("/v1/files/f:x", "openai"),
            ("/v1/models/ft:gpt-4o:acme:note:abc", "openai"), ("/v1/models/gemini:generateContent", "google"),
            ("/v1/models/ft2:generateContent", "google"), ("/v1/models/gemini:", "openai"), ("/v1/models/:x", "openai"),
            ("/v1beta/models", "google"), ("/v1beta", "google"), ("/v1beta/interactions", "google"),
        ])
    func barePaths(target: String, provider: String) throws {
        #expect(try routed(target) == "\(provider) - - \(target)")
    }

    @Test(
        "A bare path that is nobody's has no route",
        arguments: ["/", "/v1", "/v1/", "/v1/organizations", "/v1/messagesx", "/v1x/messages", "/V1/messages", "/favicon.ico"])
    func noRoute(target: String) throws {
        #expect(try routed(target) == "noRoute")
    }

    @Test(
        "Shared bare paths go by the client's headers",
        arguments: [
            ("/v1/models", HeaderHints.anthropicVersion, "anthropic"), ("/v1/models", .googleKey, "google"),
            ("/v1/models", [.anthropicVersion, .googleKey], "anthropic"), ("/v1/files/f1", .anthropicVersion, "anthropic"),
            ("/v1/files", .googleKey, "google"), ("/v1/chat/completions", .anthropicVersion, "openai"),
            ("/v1/messages", .googleKey, "anthropic"),
            ("/v1/models/gemini:countTokens", .anthropicVersion, "google"),
        ] as [(String, HeaderHints, String)])
    func hints(target: String, hints: HeaderHints, provider: String) throws {
        #expect(try routed(target, hints: hints) == "\(provider) - - \(target)")
    }

    @Test(
        "When only openai-codex has profiles, OpenAI's bare paths are its own, without the /v1 it does not know",
        arguments: [
            ("/v1/responses", "openai-codex - - /responses"), ("/v1/models?client_version=1", "openai-codex - - /models?client_version=1"),
            ("/v1/messages", "anthropic - - /v1/messages"), ("/openai/v1/responses", "openai - - /v1/responses"),
        ])
    func codexOnly(target: String, expected: String) throws {
        #expect(try routed(target, hints: .onlyCodexHasProfiles) == expected)
    }

    @Test(
        "A prefix is cut once, and only at a segment's end",
        arguments: [
            ("/openai-codex/v1/responses", "openai-codex - - /responses"), ("/openai-codex/responses", "openai-codex - - /responses"),
            ("/openai-codex/v1", "openai-codex - - "), ("/openai-codex/v1?x", "openai-codex - - ?x"),
            ("/openai-codex/v1x/y", "openai-codex - - /v1x/y"), ("/openai-codex/v1/v1/y", "openai-codex - - /v1/y"),
            ("/openai-codex/v", "openai-codex - - /v"), ("/openai-codex@a/v1/responses", "openai-codex - a /responses"),
            ("/openai-codex/v1//y", "doubleSlash"),
        ])
    func stripPrefixes(target: String, expected: String) throws {
        #expect(try routed(target) == expected)
    }

    @Test(
        "The host decides for paths without a provider, the default for those that are nobody's",
        arguments: [
            ("/v1/chat/completions", "mistral.local", "mistral"), ("/v1/chat/completions", "MISTRAL.local:5392", "mistral"),
            ("/v1/chat/completions", "mistral.local.", "mistral"), ("/v1/chat/completions", "xmistral.local", "openai"),
            ("/anything", "mistral.local", "mistral"), ("/anything", "[fd00::1]:80", "xai"), ("/anything", "fd00", "ollama"),
            ("/anything", "", "ollama"), ("/api/tags", "127.0.0.1", "ollama"), ("/v1/messages", "127.0.0.1", "anthropic"),
        ])
    func hostsAndDefault(target: String, host: String, provider: String) throws {
        let settings = try settings(#"{ routes: { default: "ollama", hosts: { "mistral.local": "mistral", "fd00::1": "xai" } } }"#)
        #expect(try routed(target, host: host, settings: settings) == "\(provider) - - \(target)")
    }

    @Test("With a default, a path that names a provider or an agent still means that one")
    func defaultDoesNotHideProviders() throws {
        let settings = try settings(#"{ routes: { default: "ollama" } }"#)
        #expect(try routed("/openai/v1/models", settings: settings) == "openai - - /v1/models")
        #expect(try routed("/agents/a/api/tags", settings: settings) == "ollama a - /api/tags")
        #expect(try routed("/x%2Fy/z", settings: settings) == "ollama - - /x%2Fy/z")
        #expect(try routed("/openai%2Fv1/models", settings: settings) == "encodedSlash")
        #expect(try routed("/x@y/z", settings: settings) == "unknownProvider")
    }

    @Test("A provider that the settings add is addressed like a built-in one")
    func addedProvider() throws {
        let settings = try settings(#"{ providers: { mine: { baseURL: "https://llm.example", stripPrefixes: ["/a/b", "/a"] } } }"#)
        #expect(try routed("/mine@x/a/b/c", settings: settings) == "mine - x /c")
        #expect(try routed("/mine/a/c", settings: settings) == "mine - - /c")
        #expect(try routed("/min/a", settings: settings) == "noRoute")
    }

    @Test("Two slashes after a provider are refused", arguments: ["/anthropic//v1/messages", "/anthropic@w//evil.example/"])
    func doubleSlashAfterProvider(target: String) throws {
        #expect(try routed(target) == "doubleSlash")
    }

    @Test("Every error has a client's status and a sentence that ends", arguments: RouteError.allCases)
    func errors(error: RouteError) {
        #expect(error.status == 400 || error.status == 404)
        #expect(error.sentence.hasSuffix("."))
        #expect(!error.code.isEmpty)
    }
}
