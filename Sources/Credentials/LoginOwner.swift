/// A program that keeps a login of its own in a file, which Keybearer can read (spec/credential-formats.md §8). The raw value is what a
/// person writes and what the store holds.
public enum LoginOwner: String, Sendable, CaseIterable {
    case codex
    case claudeCode = "claude-code"
    case qwen
    /// Moltbot or OpenClaw: a store of many profiles.
    case moltbot

    /// Its own name.
    public var name: String {
        switch self {
        case .codex: "Codex"
        case .claudeCode: "Claude Code"
        case .qwen: "Qwen Code"
        case .moltbot: "OpenClaw"
        }
    }

    /// The command that lets it renew its login.
    public var program: String {
        switch self {
        case .codex: "codex"
        case .claudeCode: "claude"
        case .qwen: "qwen"
        case .moltbot: "openclaw"
        }
    }

    /// The profile that its login gets when nobody names one. Not Moltbot's own names for these (`openai-codex:codex-cli`,
    /// `anthropic:claude-cli`, `qwen-portal:qwen-cli`), which it removes, or fills with copies of its own.
    public var usualProfileID: String? {
        switch self {
        case .codex: "openai-codex:codex"
        case .claudeCode: "anthropic:claude-code"
        case .qwen: "qwen-portal:qwen"
        case .moltbot: nil
        }
    }

    /// Where it keeps its login, by its own rules; nil for a neighbour, which has many places.
    ///
    /// - Parameter home: the user's home folder.
    public func path(home: String, environment: [String: String]) -> String? {
        let folder: (String, String) -> String = { variable, usual in
            environment[variable].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "\(home)/\(usual)"
        }
        return switch self {
        case .codex: folder("CODEX_HOME", ".codex") + "/auth.json"
        case .claudeCode: folder("CLAUDE_CONFIG_DIR", ".claude") + "/.credentials.json"
        case .qwen: home + "/.qwen/oauth_creds.json"
        case .moltbot: nil
        }
    }
}
