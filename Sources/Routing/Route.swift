/// What a request's target means.
public enum RouteOutcome: Sendable, Equatable {
    /// It is for a provider.
    case provider(Route)
    /// It is for Keybearer itself: `/-/…`. `restStart` is the offset of the slash after `/-`, or of the path's end.
    case own(restStart: Int)
    /// It is for nobody, or cannot be forwarded safely.
    case unknown(RouteError)
}

/// Where a request goes. Ranges and offsets are in the target it was made from, so that nothing is copied.
public struct Route: Sendable, Equatable {
    /// The place in `Settings.providers`.
    public let providerIndex: Int
    /// The agent's name, percent-encoded as the client wrote it. `nil`: none named.
    public let agent: Range<Int>?
    /// The profile's name, percent-encoded as the client wrote it. `nil`: no pin in the path.
    public let profile: Range<Int>?
    /// Where the part begins that is appended to the provider's base URL: at a slash, or, when no path is left, at the `?` or the end.
    public let restStart: Int
}

/// What other fields of the request tell about where it goes, for paths that more than one provider has.
public struct HeaderHints: OptionSet, Sendable {
    /// The bits of the set.
    public let rawValue: UInt8

    /// A set from its bits.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// There is an `anthropic-version` field.
    public static let anthropicVersion = HeaderHints(rawValue: 1)
    /// There is an `x-goog-api-key` field.
    public static let googleKey = HeaderHints(rawValue: 2)
    /// There are profiles of openai-codex and none of openai, so that OpenAI's bare paths mean the former.
    public static let onlyCodexHasProfiles = HeaderHints(rawValue: 4)
}

/// Why a target is not routed. One byte; the text for people is `sentence`.
public enum RouteError: UInt8, Error, Sendable, Equatable, CaseIterable {
    /// The target does not start with a slash.
    case notOriginForm
    /// Two slashes at the start, or right after the provider: some servers read what follows as a host.
    case doubleSlash
    /// A segment `.` or `..`, also percent-encoded: servers resolve it, and the request ends somewhere else than it was checked for.
    case dotSegment
    /// A backslash: some servers read it as a slash.
    case backslash
    /// `%2F` or `%5C` in an agent's name, or right after a provider's.
    case encodedSlash
    /// `/agents/` without a name.
    case emptyAgent
    /// `@` without a name.
    case emptyProfile
    /// A pin on a provider that does not exist.
    case unknownProvider
    /// The path names no provider, and neither the host nor a default does.
    case noRoute

    /// The status of our answer (DESIGN §9).
    public var status: Int {
        switch self {
        case .notOriginForm, .doubleSlash, .dotSegment, .backslash, .encodedSlash, .emptyAgent, .emptyProfile: 400
        case .unknownProvider, .noRoute: 404
        }
    }

    /// The code in our answer's body.
    public var code: String {
        switch self {
        case .notOriginForm, .doubleSlash, .dotSegment, .backslash, .encodedSlash: "bad_target"
        case .emptyAgent: "agent_missing"
        case .emptyProfile: "profile_missing"
        case .unknownProvider: "unknown_provider"
        case .noRoute: "no_route"
        }
    }

    /// What is wrong and what to do.
    public var sentence: String {
        switch self {
        case .notOriginForm: "The request target must be a path that starts with a slash."
        case .doubleSlash: "The path has two slashes in a row at its start; remove the last slash of the tool's base URL."
        case .dotSegment: "The path has a segment '.' or '..'; send the path it stands for."
        case .backslash: "The path has a backslash; write '/' or '%5C'."
        case .encodedSlash: "The path has an encoded slash in the name of a provider or agent."
        case .emptyAgent: "The path names no agent after /agents/."
        case .emptyProfile: "The path names no profile after '@'."
        case .unknownProvider: "No provider has this name; `keybearer config show` lists them."
        case .noRoute:
            "The path names no provider: start it with one, such as /anthropic or /openai, or set routes.default in keybearer.json5."
        }
    }
}
