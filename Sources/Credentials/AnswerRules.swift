public import JSON

/// Where the answers of a provider's token endpoint have what is looked for: facts from its data. Names of members, one behind the other.
public struct AnswerRules: Sendable, Hashable {
    /// The access token.
    public var access = ["access_token"]
    /// The refresh token.
    public var refresh = ["refresh_token"]
    /// When the access token ends.
    public var expiry = ["expires_in"]
    /// How that is written.
    public var expiryForm = ExpiryForm.life
    /// The account's id; empty: the answer has none.
    public var account: [String] = []
    /// The same as a claim of the access token or the id token; empty: OpenAI's.
    public var accountClaim: [String] = []
    /// Whose it is, for people; empty: the answer does not say.
    public var email: [String] = []
    /// The same as a claim; empty: `email`.
    public var emailClaim: [String] = []
    /// Where requests with this login go; empty: the answer does not say.
    public var baseURL: [String] = []
    /// The hosts that this may be, or be below of.
    public var baseURLHosts: [String] = []
    /// A final path that such an address has and the provider's own does not: cut off.
    public var baseURLWithout = ""
    /// A member that says how a request went, whatever the status is; empty: the status says it.
    public var status: [String] = []
    /// Its values when there is a token.
    public var granted: [String] = []

    /// As OAuth has it (RFC 6749 §5.1).
    public init() {}

    /// The address in `answer`, if it is one that the login's credentials may go to; always `https`, without a final slash.
    public func address(in answer: Value) -> String? {
        guard !baseURL.isEmpty, let text = answer.member(at: baseURL)?.string, !text.isEmpty else { return nil }
        var url = text.contains("://") ? text : "https://" + text
        while url.hasSuffix("/") { url.removeLast() }
        if !baseURLWithout.isEmpty, url.hasSuffix(baseURLWithout) { url.removeLast(baseURLWithout.count) }
        return allows(address: url) ? url : nil
    }

    /// Whether the credentials of a login may go to `url`, which an answer or the store says.
    public func allows(address url: String) -> Bool {
        guard let place = EndpointURL(url), !url.contains("?") else { return false }
        return Hosts.are(baseURLHosts, around: place.host)
    }
}

/// Lists of hosts in a provider's data.
public enum Hosts {
    /// Whether `host` is one of `hosts`, or below one of them: `a.x.ai` is below `x.ai`, `evilx.ai` is not.
    public static func are(_ hosts: [String], around host: String) -> Bool {
        hosts.contains { host == $0 || host.hasSuffix("." + $0) }
    }
}

/// How the end of a token's life is written.
public enum ExpiryForm: String, Sendable, CaseIterable {
    /// Seconds from now (RFC 6749 §5.1).
    case life
    /// Seconds since 1970.
    case seconds
    /// Milliseconds since 1970.
    case milliseconds
    /// RFC 3339, in UTC.
    case instant
    /// Any of them, told by its size: more than 10^12 is ms since 1970, more than 10^9 seconds since 1970, else a life. Some providers have
    /// been seen to change between them.
    case any

    /// The end in ms since 1970 that `value` says, of an answer that came at `now`; nil when it says none.
    public func end(_ value: Value?, now: Int64) -> Int64? {
        if let text = value?.string, self == .instant || self == .any, let instant = InstantText.milliseconds(text) { return instant }
        guard let number = value?.double ?? value?.string.flatMap({ Double($0) }), number > 0, number.isFinite else { return nil }
        return switch self {
        case .life: now + Int64(min(number, 1e11) * 1000)
        case .seconds: Int64(min(number, 1e11) * 1000)
        case .milliseconds: Int64(min(number, 1e14))
        case .instant: nil
        case .any:
            number >= 1e15 ? nil : number > 1e12 ? Int64(number) : number > 1e9 ? Int64(number * 1000) : now + Int64(number * 1000)
        }
    }
}

extension Value {
    /// The member that a path of names leads to; nil for an empty path.
    public func member(at path: [String]) -> Value? {
        path.isEmpty ? nil : path.reduce(Optional(self)) { value, name in value?[name] }
    }
}
