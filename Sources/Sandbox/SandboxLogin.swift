/// A provider the sandbox plays. The raw value is the id that Keybearer's catalogue uses.
public enum SandboxProvider: String, Sendable, CaseIterable {
    /// Anthropic's API: keys, setup-tokens and OAuth logins.
    case anthropic
    /// OpenAI's platform API: keys.
    case openai
    /// The ChatGPT backend that Codex uses: OAuth logins with an account header.
    case openaiCodex = "openai-codex"
    /// The Gemini API: keys.
    case google

    /// The public client id that real tools use for this provider's logins; what `addAccount` binds its tokens to.
    public var clientID: String {
        switch self {
        case .anthropic: "9d1c250a-e61b-44d9-88ed-5944d1962f5e"
        case .openai, .openaiCodex: "app_EMoamEEZ73f0CkXaXp7hrann"
        case .google: "sandbox-google"
        }
    }
}

/// What a finished OAuth login hands over. The tokens are worth nothing outside this sandbox.
public struct SandboxLogin: Sendable, Equatable {
    /// Whose login it is.
    public let provider: SandboxProvider
    /// The account's id, e.g. `acct-1`; answers name it as the one that paid.
    public let accountID: String
    /// The account's e-mail address, as the token's claim says it.
    public let email: String
    /// The access token: a JWT from OpenAI, opaque (`sk-ant-oat01-…`) from Anthropic.
    public let access: String
    /// The refresh token: good for one refresh.
    public let refresh: String
    /// When the access token ends, in milliseconds since 1970.
    public let expires: Int64
}

/// Which kind of credential an account shows.
enum CredentialKind: String, Sendable {
    case apiKey = "api_key"
    case setupToken = "token"
    case oauth
}

/// Who pays for a request.
struct Account: Sendable, Equatable {
    let id: String
    let provider: SandboxProvider
    var email: String { "\(id)@sandbox.example" }
}

/// Why the sandbox could not start.
public struct SandboxError: Error, Sendable, CustomStringConvertible {
    /// One sentence for people.
    public let description: String
}
