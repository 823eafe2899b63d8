import JSON

/// One credential of the store, as read from `auth-profiles.json`.
public struct Profile: Sendable, Equatable {
    /// What a profile holds; the raw value is the file's `type`.
    public enum Kind: String, Sendable, CaseIterable {
        /// A static key.
        case apiKey = "api_key"
        /// A static bearer token, with or without an expiry, that cannot be refreshed.
        case token
        /// A short-lived access token with the refresh token that renews it.
        case oauth
    }

    /// The key in `profiles`: opaque, at most 256 octets.
    public let id: String
    /// The provider, normalised (``ProviderName/normalised(_:)``).
    public let provider: String
    /// What it holds.
    public let kind: Kind
    /// What requests carry: the key, the token or the access token; nil when the file has none.
    public let secret: Secret?
    /// The refresh token of an oauth profile.
    public let refresh: Secret?
    /// When `secret` stops working, in ms since 1970: the file's `expires`, else (oauth) the access token's own `exp`.
    public let expires: Int64?
    /// The file's `expires` is no positive number.
    public let hasInvalidExpires: Bool
    /// The account the credential belongs to: the file's `accountId`, else the access token's claim. Safe to send as a header.
    public let accountID: String?
    /// Whose it is, for people.
    public let email: String?
    /// Its secret is a `keyRef`, `tokenRef` or `${NAME}` that has not been resolved.
    public let hasUnresolvedReference: Bool
    /// The store names where the secret is to be had, and does not hold it.
    public let isReference: Bool
    /// The secret is what a program says when it is asked (`AgentStore.following(_:)`), which has not been done, or in vain.
    public let awaitsProgram: Bool
    /// What its logins and refreshes go through; nil: what the environment says.
    public let proxy: OutboundProxy?
    /// The only hosts that it may be sent to, lower case; nil: its provider's, wherever the settings say that is.
    public let allowedHosts: [String]?
    /// Where its secret is read from when it is another program's login; nil when it is Keybearer's own.
    public let overlay: Overlay?
    /// It holds no credential: its provider's data says how one is had for a while (``Issuance``).
    public var isOnDemand = false
    /// What a login said of itself beside its tokens.
    public var facts = LoginFacts()

    /// A profile from its parts. The store makes them; tests and logins may too.
    public init(
        id: String, provider: String, kind: Kind, secret: Secret?, refresh: Secret? = nil, expires: Int64? = nil,
        hasInvalidExpires: Bool = false, accountID: String? = nil, email: String? = nil, hasUnresolvedReference: Bool = false,
        isReference: Bool = false, awaitsProgram: Bool = false, proxy: OutboundProxy? = nil, overlay: Overlay? = nil,
        allowedHosts: [String]? = nil
    ) {
        self.id = id
        self.provider = ProviderName.normalised(provider)
        self.kind = kind
        self.secret = secret
        self.refresh = refresh
        self.expires = expires
        self.hasInvalidExpires = hasInvalidExpires
        self.accountID = accountID
        self.email = email
        self.hasUnresolvedReference = hasUnresolvedReference
        self.isReference = isReference || hasUnresolvedReference
        self.awaitsProgram = awaitsProgram
        self.proxy = proxy
        self.overlay = overlay
        self.allowedHosts = allowedHosts
    }

    /// The same with the secret that its reference leads to.
    func resolved(_ secret: Secret) -> Profile {
        Profile(
            id: id, provider: provider, kind: kind, secret: secret, refresh: refresh, expires: expires,
            hasInvalidExpires: hasInvalidExpires, accountID: accountID, email: email, isReference: true, proxy: proxy,
            allowedHosts: allowedHosts)
    }

    /// The same, known to lead nowhere for now.
    func referring(awaitsProgram: Bool) -> Profile {
        Profile(
            id: id, provider: provider, kind: kind, secret: nil, refresh: refresh, expires: expires, hasInvalidExpires: hasInvalidExpires,
            accountID: accountID, email: email, hasUnresolvedReference: true, awaitsProgram: awaitsProgram, proxy: proxy,
            allowedHosts: allowedHosts)
    }

    /// Where the credential stands at `now` (ms since 1970).
    public func expiry(now: Int64) -> Expiry {
        if kind == .apiKey { return .never }
        if hasInvalidExpires { return kind == .oauth ? .expired(since: 0) : .invalid }
        guard let expires else { return .never }
        return now < expires ? .valid(until: expires) : .expired(since: expires)
    }

    /// Whether its secret can go on a request at `now`.
    public func isUsable(now: Int64) -> Bool {
        guard secret != nil else { return false }
        switch expiry(now: now) {
        case .never, .valid: return true
        case .expired, .invalid: return false
        }
    }
}

/// What a login said of itself beside its tokens: kept in its entry.
public struct LoginFacts: Sendable, Hashable {
    /// The client that it was made with, where everybody has one of their own.
    public var clientID: String?
    /// Where it is renewed, where that was discovered.
    public var tokenEndpoint: String?
    /// Where its requests go, where that is not the same for all.
    public var baseURL: String?

    /// Nothing beside its tokens.
    public init() {}

    init(_ entry: Object) {
        clientID = entry["clientId"]?.string
        tokenEndpoint = entry["tokenEndpoint"]?.string
        baseURL = entry["baseUrl"]?.string
    }

    var members: [(String, Value?)] {
        [("clientId", clientID), ("tokenEndpoint", tokenEndpoint), ("baseUrl", baseURL)].map { ($0.0, $0.1.map { .string($0) }) }
    }
}

/// Where a credential stands in time. Times are ms since 1970.
public enum Expiry: Sendable, Equatable {
    /// It has no expiry.
    case never
    /// It works until then.
    case valid(until: Int64)
    /// It ended then (0: the file's value is unreadable, and the token is taken for expired).
    case expired(since: Int64)
    /// A static token whose `expires` is no positive number: not used, since nobody can tell whether it still works.
    case invalid
}

/// The names providers go by.
public enum ProviderName {
    /// Trimmed, lower case, and the aliases that upstream folds together (spec/credential-formats.md §6.1).
    public static func normalised(_ name: String) -> String {
        let trimmed = Substring(name).trimmingWhitespace().lowercased()
        return aliases[trimmed] ?? trimmed
    }

    private static let aliases = [
        "z.ai": "zai", "z-ai": "zai", "opencode-zen": "opencode", "qwen": "qwen-portal", "kimi-code": "kimi-coding",
    ]
}

extension Substring {
    /// Without ASCII white space at either end.
    func trimmingWhitespace() -> Substring {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0.isNewline }
        guard let first = firstIndex(where: { !isSpace($0) }), let last = lastIndex(where: { !isSpace($0) }) else { return "" }
        return self[first...last]
    }
}
