/// Families of fields in which providers tell what is left of a quota.
public enum LimitFamily: String, Sendable, Equatable, CaseIterable {
    /// `anthropic-ratelimit-…`, and `anthropic-ratelimit-unified-…` of subscriptions: a window's name, then what is told of it.
    case anthropic
    /// `x-ratelimit-…`, as OpenAI and those who follow it send them: what is told, then the window's name.
    case openai
    /// `x-codex-primary-…` and `x-codex-secondary-…`.
    case codex

    /// How the family's own fields begin, lower case.
    var prefix: String {
        switch self {
        case .anthropic: "anthropic-ratelimit-"
        case .openai: "x-ratelimit-"
        case .codex: "x-codex-"
        }
    }
}

/// A family's fields under the names that one provider has for them.
public struct LimitNames: Sendable, Equatable {
    /// How they are to be read.
    public let family: LimitFamily
    /// How they begin, lower case; a letter first.
    public let prefix: [UInt8]

    /// The family's own names, or others of the same form.
    public init(_ family: LimitFamily, prefix: String? = nil) {
        self.family = family
        self.prefix = Array((prefix ?? family.prefix).lowercased().utf8)
    }

    /// Whether they have the family's own names.
    var isUsual: Bool { self == LimitNames(family) }
}
