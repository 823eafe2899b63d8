public import Configuration

/// Which dialect of a model API a tool speaks: what it appends to its base URL, and how its bodies look.
public enum APIShape: String, Sendable, CaseIterable {
    /// `/v1/messages`.
    case anthropic
    /// `/chat/completions`, `/responses`, `/embeddings`, … on a base URL that holds the version.
    case openai
    /// `/responses` alone, as Codex calls it.
    case responses
    /// `/v1beta/models/M:generateContent`.
    case google

    /// The providers that tools of this shape are meant for when nobody names one, best first.
    public var preferredProviders: [String] {
        switch self {
        case .anthropic: ["anthropic"]
        case .openai: ["openai"]
        case .responses: ["openai-codex", "openai"]
        case .google: ["google"]
        }
    }

    /// What stands between `/<provider>` and what the tool appends (spec/providers.md, first table); nil when the provider does not
    /// speak this shape.
    public func path(on provider: Provider) -> String? {
        if let known = Self.paths[provider.id] { return known[self] }
        return guess(provider)
    }

    private static let paths: [String: [APIShape: String]] = [
        "anthropic": [.anthropic: ""],
        "openai": [.openai: "/v1", .responses: "/v1"],
        "openai-codex": [.openai: "", .responses: ""],
        // For a Codex with a login of its own, which no base URL reaches.
        "chatgpt": [:],
        "google": [.google: ""],
        "qwen-portal": [.openai: "/v1"],
        "openrouter": [.openai: "/api/v1"],
        "xai": [.openai: "/v1"],
        "groq": [.openai: "/openai/v1"],
        "mistral": [.openai: "/v1"],
        "deepseek": [.openai: "", .anthropic: "/anthropic"],
        "moonshot": [.openai: "/v1"],
        "zai": [.openai: "/api/paas/v4", .anthropic: "/api/anthropic"],
        "azure-openai": [.openai: "/openai/v1", .responses: "/openai/v1"],
        "amazon-bedrock": [:],
        "ollama": [.openai: "/v1"],
        "cerebras": [.openai: "/v1"],
        "chutes": [.openai: "/v1"],
        "dashscope": [.openai: "/compatible-mode/v1"],
        // Speech: no chat that these dialects could be spoken to.
        "deepgram": [:],
        "huggingface": [.openai: "/v1"],
        "kimi-coding": [.openai: "/v1", .anthropic: ""],
        "minimax": [.openai: "/v1", .anthropic: "/anthropic"],
        "nvidia": [.openai: "/v1"],
        "opencode": [.openai: "/v1", .anthropic: ""],
        "synthetic": [.openai: "/openai/v1", .anthropic: "/anthropic"],
        "together": [.openai: "/v1"],
        "venice": [.openai: "/api/v1"],
        "vercel-ai-gateway": [.openai: "/v1", .anthropic: ""],
    ]

    /// A provider that the settings add speaks what its errors look like; most of those are OpenAI's dialect under `/v1`.
    private func guess(_ provider: Provider) -> String? {
        switch (provider.errorShape, self) {
        case (.anthropic, .anthropic), (.google, .google): return ""
        case (.openai, .openai), (.plain, .openai):
            let last = provider.baseURL?.path.split(separator: "/").last ?? ""
            let isVersion = last.hasPrefix("v") && last.dropFirst().first?.isNumber == true
            return isVersion ? "" : "/v1"
        default: return nil
        }
    }
}
