import Credentials
import Testing

@testable import Configuration

@Suite struct CatalogueTests {
    private let settings: Settings

    init() throws { settings = try Settings() }

    @Test(
        "Every provider is there with its address",
        arguments: [
            ("anthropic", "https://api.anthropic.com"), ("openai", "https://api.openai.com"),
            ("openai-codex", "https://chatgpt.com/backend-api/codex"), ("chatgpt", "https://chatgpt.com"),
            ("google", "https://generativelanguage.googleapis.com"), ("openrouter", "https://openrouter.ai"), ("xai", "https://api.x.ai"),
            ("groq", "https://api.groq.com"), ("mistral", "https://api.mistral.ai"), ("deepseek", "https://api.deepseek.com"),
            ("moonshot", "https://api.moonshot.ai"), ("zai", "https://api.z.ai"), ("azure-openai", nil), ("amazon-bedrock", nil),
            ("vertex", nil),
            ("ollama", "http://127.0.0.1:11434"), ("vllm", "http://127.0.0.1:8000"), ("llamacpp", "http://127.0.0.1:8080"),
            ("minimax-portal", "https://api.minimax.io/anthropic"), ("qwen-portal", "https://portal.qwen.ai"),
            ("cerebras", "https://api.cerebras.ai"),
            ("chutes", "https://llm.chutes.ai"), ("dashscope", "https://dashscope-intl.aliyuncs.com"),
            ("deepgram", "https://api.deepgram.com"), ("huggingface", "https://router.huggingface.co"),
            ("kimi-coding", "https://api.kimi.com/coding"), ("minimax", "https://api.minimax.io"),
            ("nvidia", "https://integrate.api.nvidia.com"), ("opencode", "https://opencode.ai/zen"),
            ("synthetic", "https://api.synthetic.new"), ("together", "https://api.together.xyz"), ("venice", "https://api.venice.ai"),
            ("vercel-ai-gateway", "https://ai-gateway.vercel.sh"),
        ] as [(String, String?)])
    func addresses(id: String, url: String?) throws {
        let provider = try #require(settings.provider(id))
        #expect(provider.baseURL?.description == url)
        #expect((provider.addressAdvice == nil) == (url != nil))
        #expect(settings.providers[provider.index] == provider)
    }

    @Test("There are no others")
    func count() {
        #expect(settings.providers.count == 33)
    }

    @Test("anthropic takes keys as x-api-key, and tokens as bearer with the beta merged in")
    func anthropic() throws {
        let provider = try #require(settings.provider("anthropic"))
        #expect(provider.injection(for: .apiKey) == Injection(header: "x-api-key", prefix: "", billing: .metered))
        let bearer = Injection(
            header: "authorization", prefix: "Bearer ", merge: [HeaderField(name: "anthropic-beta", value: "oauth-2025-04-20")],
            billing: .subscription)
        #expect(provider.injection(for: .token) == bearer)
        #expect(provider.injection(for: .oauth) == bearer)
        #expect(provider.injection(for: .apiKey, keyIsBearer: true) == bearer)
        #expect(provider.bearerWhenKeyContains == "sk-ant-oat")
        #expect(provider.errorShape == .anthropic)
        #expect(
            provider.oauth
                == OAuthClient(
                    tokenURL: "https://platform.claude.com/v1/oauth/token", authorizeURL: "https://claude.ai/oauth/authorize",
                    clientID: "9d1c250a-e61b-44d9-88ed-5944d1962f5e", scopes: ["org:create_api_key", "user:profile", "user:inference"],
                    bodyForm: .json))
    }

    @Test(
        "openai-codex and chatgpt send the account with the same profiles, and take no platform key",
        arguments: ["openai-codex", "chatgpt"])
    func codex(id: String) throws {
        let provider = try #require(settings.provider(id))
        let injection = Injection(header: "authorization", prefix: "Bearer ", accountHeader: "chatgpt-account-id", billing: .subscription)
        #expect(provider.injection(for: .oauth) == injection)
        #expect(provider.injection(for: .token) == injection)
        #expect(provider.injection(for: .apiKey) == nil)
        #expect(provider.credentialsFrom == "openai-codex")
        #expect(provider.failover.meaning(ofCode: "usage_not_included") == .entitlement)
        #expect(provider.failover.meaning(ofCode: "usage_limit_reached") == .quota)
        #expect(provider.failover.meaning(ofCode: "other") == .unknown)
    }

    @Test("chatgpt is refreshed as openai-codex is")
    func sharedLogin() throws {
        #expect(settings.provider("openai-codex")?.oauth?.clientID == "app_EMoamEEZ73f0CkXaXp7hrann")
        #expect(settings.provider("openai-codex")?.stripPrefixes == ["/v1"])
        #expect(settings.provider("chatgpt")?.oauth == nil)
    }

    @Test(
        "Keys go into the field that each provider wants",
        arguments: [
            ("google", "x-goog-api-key", ""), ("azure-openai", "api-key", ""), ("openai", "authorization", "Bearer "),
            ("groq", "authorization", "Bearer "),
            ("amazon-bedrock", "authorization", "Bearer "), ("zai", "authorization", "Bearer "),
        ])
    func keys(id: String, header: String, prefix: String) {
        #expect(settings.provider(id)?.injection(for: .apiKey) == Injection(header: header, prefix: prefix, billing: .metered))
    }

    @Test("Only model servers on this machine need no credential")
    func needsCredential() {
        #expect(settings.providers.filter { !$0.needsCredential }.map(\.id) == ["ollama", "vllm", "llamacpp"])
    }

    @Test("No built-in provider asks for a stream to be held, or for a request to be sent twice")
    func cautious() {
        for provider in settings.providers {
            #expect(provider.failover.streamErrors.isEmpty)
            #expect(provider.failover.replay == .never)
        }
    }
}
