public import Credentials

/// A service that requests can be forwarded to: where it is, how it is told who calls, and what its refusals mean.
///
/// A provider is data. The built-in ones and those of the settings file go through one schema (`ProviderSchema`); nothing in the proxy asks
/// for a provider by name.
public struct Provider: Sendable, Equatable {
    /// What a client writes as the first segment of its path.
    public let id: String
    /// The provider's place in `Settings.providers`; small and dense, so that tables on the data plane can be arrays.
    public let index: Int
    /// Where requests go. `nil` when the configuration has yet to name it: `addressAdvice` then says which member to set.
    public internal(set) var baseURL: BaseURL?
    /// Leading paths a client's tool adds by itself and the base URL does not want (`/v1` for openai-codex), cut at a segment's end.
    public let stripPrefixes: [String]
    /// The provider whose profiles are used: itself, or another one that shares its accounts (chatgpt uses those of openai-codex).
    public let credentialsFrom: String
    /// How a credential of each kind is put on a request. A kind that is absent cannot be used with this provider.
    public let auth: [Profile.Kind: Injection]
    /// An api_key whose text contains this is a bearer token in disguise and is injected and billed as kind `token`
    /// (anthropic's `sk-ant-oat…`: spec/credential-formats.md §3.5).
    public let bearerWhenKeyContains: String?
    /// How access tokens of kind `oauth` are obtained and renewed.
    public let oauth: OAuthClient?
    /// How a short-lived token is had for a profile's credential, which requests then carry in its place; nil: they carry it itself.
    public let mint: Mint?
    /// How a token is had for a profile that holds no credential; nil: there can be none such.
    public let onDemand: Issuance?
    /// How an API key is asked for.
    public let apiKey: KeyRules
    /// Its long-lived tokens that a person has a program make; nil: it has none.
    public let setupToken: SetupTokenRules?
    /// Fields set on every request to this provider, after the client's of the same name are removed. Never a credential.
    public let headers: [HeaderField]
    /// What a refusal of this provider allows the proxy to do.
    public let failover: FailoverRules
    /// In which fields of its answers this provider tells what is left of a quota.
    public let limitHeaders: [LimitNames]
    /// The form of an error body that this provider's clients can read.
    public let errorShape: ErrorShape
    /// False for a server that takes anyone (ollama): the request is forwarded without any profile.
    public let needsCredential: Bool
    /// Whether an upgrade to WebSocket is passed on. False: it is answered 426 at once, so that a client goes on over plain HTTP.
    public let webSocket: Bool
    /// Whether HTTP/2 may be agreed on with it (by ALPN); else HTTP/1.1 is all that is offered.
    public let http2: Bool
    /// Whether the host's name may be at a private or local address: a gateway of one's own. A literal address is what it says.
    public let privateAddresses: Bool
    /// One sentence on what to set, when `baseURL` is `nil`.
    public let addressAdvice: String?
    /// Environment variables that may hold a credential, best first; used only where no profile resolves.
    public let environmentKeys: [String]

    /// How the token is had that requests with `profile` carry; nil: they carry its own credential.
    public func issuance(for profile: Profile) -> Issuance? { profile.isOnDemand ? onDemand : mint.map { .exchange($0) } }

    /// The same at the place that a login says its requests go to; nil where that is not this login's to say, or no place they may go to.
    public func moved(by profile: Profile) -> Provider? {
        guard let rules = oauth?.answer, !rules.baseURL.isEmpty, let url = profile.facts.baseURL, rules.allows(address: url),
            let place = try? BaseURL(url)
        else { return nil }
        var provider = self
        provider.baseURL = place
        return provider
    }

    /// How a profile of `kind` is put on a request, `nil` when this provider cannot use that kind.
    ///
    /// - Parameter keyIsBearer: the profile is an api_key in whose text `bearerWhenKeyContains` was found.
    public func injection(for kind: Profile.Kind, keyIsBearer: Bool = false) -> Injection? {
        auth[keyIsBearer && kind == .apiKey ? .token : kind]
    }
}

/// How an API key is asked for.
public struct KeyRules: Sendable, Equatable {
    /// For people: where a key is to be had.
    public let prompt: String?
    /// A regular expression that keys match.
    public let pattern: String?

    /// Whether a key looks as it should.
    public func fits(_ key: String) -> Bool { Pattern.isFound(pattern, in: key) }
}

/// Long-lived tokens that a person has a program make (spec/credential-formats.md §5).
public struct SetupTokenRules: Sendable, Equatable {
    /// For people: where one is to be had.
    public let prompt: String?
    /// How they begin.
    public let prefix: String
    /// How long they are at least, in octets.
    public let minLength: Int
    /// How long one is good from the day it is stored; nil: nobody knows.
    public let life: Duration?
    /// The program that makes one, with its arguments; empty: none is known.
    public let program: [String]
    /// For people, once it is stored.
    public let note: String?
}

/// Regular expressions of providers' data; they were compiled once when the data was read.
enum Pattern {
    static func isFound(_ pattern: String?, in text: String) -> Bool {
        guard let pattern, let expression = try? Regex(pattern) else { return true }
        return text.contains(expression)
    }
}

/// A header field that configuration sets: a lower-case name and a value of visible ASCII, spaces and tabs.
public struct HeaderField: Sendable, Equatable {
    /// The field's name, lower case.
    public let name: String
    /// The field's value.
    public let value: String

    /// A field that configuration has checked.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// How one kind of credential is put on a request.
public struct Injection: Sendable, Equatable {
    /// The field that carries the secret, lower case: `authorization`, `x-api-key`.
    public var header: String
    /// What precedes the secret in the field's value: `Bearer `, or nothing.
    public var prefix: String
    /// Values that must be members of a list field. Each is added once to what the client sent, whose members and order stay as they are.
    public var merge: [HeaderField]
    /// The field that names the account, lower case. Its value comes from the profile, else from the access token's claim.
    public var accountHeader: String?
    /// Who pays for a request made with this kind of credential.
    public var billing: Billing

    /// An injection from its parts.
    public init(header: String, prefix: String, merge: [HeaderField] = [], accountHeader: String? = nil, billing: Billing) {
        self.header = header
        self.prefix = prefix
        self.merge = merge
        self.accountHeader = accountHeader
        self.billing = billing
    }
}

/// Who pays: a plan with a flat fee, or each request. The proxy never moves from the first to the second unasked (DESIGN §8).
public enum Billing: String, Sendable, Equatable, CaseIterable {
    case subscription, metered
}

/// The form of an error body that a provider's clients can read.
public enum ErrorShape: String, Sendable, Equatable, CaseIterable {
    /// `{"type":"error","error":{"type","message"}}`
    case anthropic
    /// `{"error":{"message","type","code"}}`
    case openai
    /// `{"error":{"code","message","status"}}`
    case google
    /// `{"error":{"type","code","message"}}`, ours.
    case plain
}
