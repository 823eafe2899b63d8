/// The tools Keybearer knows. What is said here was seen with the versions of spec/clients.md, unless a note says "untried".
public enum ToolCatalogue {
    /// All of them: coding agents, command-line tools, libraries, editors.
    public static let tools = agents + commandLine + libraries + editors

    /// The tool called `name`: its id, its own name in any case, or its executable's.
    public static func tool(_ name: String) -> Tool? {
        let name = name.lowercased()
        return tools.first { $0.id == name || $0.name.lowercased() == name || $0.programs.contains(name) }
    }

    /// The tool whose executable is at `path`.
    public static func tool(program path: String) -> Tool? {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return tools.first { $0.programs.contains(name) }
    }

    /// What a program gets that is not known: the variables of the providers' own libraries, which most others read as well.
    public static let anyProgram = Tool(
        "any", "any program", dialects: [.anthropicLibrary, .openAICompatible, .googleLibrary],
        conflicts: Tool.anthropicConflicts + Tool.googleConflicts, fieldsVariable: Tool.anthropicFields)

    private static let agents: [Tool] = [
        Tool(
            "claude", "Claude Code", programs: ["claude"],
            // A bearer token and not a key: with a key, an interactive start asks whether it may be used.
            dialects: [Tool.Dialect(.anthropic, "ANTHROPIC_BASE_URL", keys: "ANTHROPIC_AUTH_TOKEN")],
            // Behind another base URL it switches tool search off unless told otherwise.
            variables: [Tool.Variable("ENABLE_TOOL_SEARCH", "true")],
            conflicts: ["ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX"],
            fieldsVariable: Tool.anthropicFields,
            notes: [
                "`keybearer tools setup claude` writes this into its settings.",
                "Its telemetry and updates go to Anthropic directly; they carry no credential of Keybearer's.",
            ]),
        Tool(
            "codex", "Codex CLI", programs: ["codex"], way: .arguments, dialects: [Tool.Dialect(.responses)],
            notes: [
                "Variables do not move it: use `keybearer run -- codex …` or `keybearer tools setup codex`.",
                "Its own ChatGPT login insists on https, which Keybearer does not serve; the provider set up here needs no login in Codex.",
            ]),
        Tool(
            "opencode", "opencode", programs: ["opencode"],
            dialects: [
                Tool.Dialect(.anthropic, openCodeAddress(of: "anthropic", suffix: "/v1"), keys: "ANTHROPIC_API_KEY"),
                Tool.Dialect(.openai, openCodeAddress(of: "openai"), keys: "OPENAI_API_KEY"),
                Tool.Dialect(.google, openCodeAddress(of: "google", suffix: "/v1beta"), keys: "GOOGLE_GENERATIVE_AI_API_KEY"),
            ],
            notes: [
                "OPENCODE_CONFIG_CONTENT is a configuration that goes before its files; `keybearer tools setup opencode` writes into the file. "
                    + "Untried.",
                "Choose a model of its providers anthropic, openai or google; a login made inside opencode stays its own.",
            ]),
        Tool(
            "gemini", "Gemini CLI", programs: ["gemini"], dialects: [.googleLibrary], conflicts: Tool.googleConflicts,
            notes: ["At its first start choose the API key; a Google login goes to Google directly. Untried."]),
    ]

    private static func openCodeAddress(of provider: String, suffix: String = "") -> Tool.Address {
        Tool.Address("OPENCODE_CONFIG_CONTENT", member: ["provider", provider, "options", "baseURL"], suffix: suffix)
    }

    private static let commandLine: [Tool] = [
        Tool(
            "aider", "aider", programs: ["aider"], dialects: [.anthropicLibrary, .openAICompatible], conflicts: Tool.anthropicConflicts,
            notes: ["`keybearer tools setup aider` writes this into ~/.aider.conf.yml."]),
        Tool(
            "llm", "llm", programs: ["llm"], dialects: [.anthropicLibrary, .openAILibrary], conflicts: Tool.anthropicConflicts,
            notes: [
                "It reads the variables at every start; none of its files moves the models that it knows.",
                "llm-gemini ignores every base URL and calls Google directly: it cannot use Keybearer.",
            ]),
        Tool(
            "gptme", "gptme", programs: ["gptme"], dialects: [.openAILibrary],
            notes: ["`keybearer tools setup gptme` adds a provider to its config.toml, for models called keybearer/…."]),
    ]

    private static let libraries: [Tool] = [
        Tool("openai-sdk", "OpenAI SDK", dialects: [.openAILibrary]),
        Tool(
            "anthropic-sdk", "Anthropic SDK", dialects: [.anthropicLibrary], conflicts: Tool.anthropicConflicts,
            fieldsVariable: Tool.anthropicFields),
        Tool("google-genai", "Google Gen AI SDK", dialects: [.googleLibrary], conflicts: Tool.googleConflicts),
        Tool(
            "langchain", "LangChain",
            dialects: [
                Tool.Dialect(.anthropic, "ANTHROPIC_BASE_URL", "ANTHROPIC_API_URL", keys: "ANTHROPIC_API_KEY"), .openAICompatible,
                .googleLibrary,
            ], conflicts: Tool.anthropicConflicts + Tool.googleConflicts),
        Tool(
            "litellm", "LiteLLM", programs: ["litellm"],
            dialects: [
                Tool.Dialect(.anthropic, "ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE", keys: "ANTHROPIC_API_KEY"), .openAICompatible,
            ], conflicts: Tool.anthropicConflicts, notes: ["For Gemini give api_base in the call; it has no variable for it."]),
        Tool(
            "openai-agents", "OpenAI Agents SDK", dialects: [.openAILibrary],
            // Traces would go to api.openai.com, with the placeholder as their key.
            variables: [Tool.Variable("OPENAI_AGENTS_DISABLE_TRACING", "1")]),
        Tool(
            "pydantic-ai", "Pydantic AI", dialects: [.anthropicLibrary, .openAILibrary, .googleLibrary],
            conflicts: Tool.anthropicConflicts + Tool.googleConflicts),
        Tool("instructor", "Instructor", dialects: [.anthropicLibrary, .openAILibrary], conflicts: Tool.anthropicConflicts),
        Tool("strands", "Strands Agents", dialects: [.anthropicLibrary, .openAILibrary], conflicts: Tool.anthropicConflicts),
        Tool(
            "smolagents", "smolagents", way: .settings, dialects: [.openAILibrary],
            notes: ["Give OpenAIServerModel api_base=os.environ[\"OPENAI_BASE_URL\"]; it does not read the variable by itself."]),
        Tool(
            "groq-sdk", "Groq SDK",
            // It adds /openai/v1 by itself.
            dialects: [Tool.Dialect(.openai, "GROQ_BASE_URL", keys: "GROQ_API_KEY", only: Tool.Target(provider: "groq", path: ""))]),
        Tool(
            "mistral-sdk", "Mistral SDK", way: .settings,
            notes: ["Give Mistral() a server_url, http://127.0.0.1:5392/mistral, and any api_key; it has no variable for it."]),
    ]

    private static let editors: [Tool] = [
        Tool(
            "zed", "Zed", programs: ["zed"], way: .settings,
            dialects: [
                Tool.Dialect(.anthropic, keys: "ANTHROPIC_API_KEY"), Tool.Dialect(.openai, keys: "OPENAI_API_KEY"),
                Tool.Dialect(.google, keys: "GEMINI_API_KEY"),
            ],
            notes: [
                "`keybearer tools setup zed` writes the addresses into its settings.json (language_models.….api_url); it asks for a key once, "
                    + "and takes any. Untried."
            ]),
        Tool(
            "continue", "Continue", way: .settings,
            notes: [
                "Give each model of its config.yaml an apiBase, http://127.0.0.1:5392/openai/v1, and any apiKey: it has no address for all "
                    + "models together. Untried."
            ]),
        Tool(
            "cline", "Cline", way: .settings,
            notes: ["In its settings choose the provider, tick the custom base URL, and give http://127.0.0.1:5392/anthropic. Untried."]),
        Tool(
            "cursor", "Cursor", programs: ["cursor", "cursor-agent"], way: .none,
            notes: ["It calls the models from its own servers, even with a key of yours, and those cannot reach 127.0.0.1."]),
    ]
}

extension Tool {
    /// A key for other Google services, or the switch to Vertex AI, goes before a Gemini key.
    static let googleConflicts = ["GOOGLE_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI"]
    /// The library sends both when both are set.
    static let anthropicConflicts = ["ANTHROPIC_AUTH_TOKEN"]
    /// Claude Code and Anthropic's libraries add these fields to every request.
    static let anthropicFields = "ANTHROPIC_CUSTOM_HEADERS"
}

extension Tool.Dialect {
    static let anthropicLibrary = Tool.Dialect(.anthropic, "ANTHROPIC_BASE_URL", keys: "ANTHROPIC_API_KEY")
    static let openAILibrary = Tool.Dialect(.openai, "OPENAI_BASE_URL", keys: "OPENAI_API_KEY")
    /// For what still reads the name that the library had first.
    static let openAICompatible = Tool.Dialect(.openai, "OPENAI_BASE_URL", "OPENAI_API_BASE", keys: "OPENAI_API_KEY")
    static let googleLibrary = Tool.Dialect(.google, "GOOGLE_GEMINI_BASE_URL", keys: "GEMINI_API_KEY")
}
