/// How a provider's tokens are renewed: facts from the catalogue, made by Configuration and used by OAuth.
public struct OAuthClient: Sendable, Hashable {
    /// How the token request's parameters are written.
    public enum BodyForm: String, Sendable {
        /// `application/x-www-form-urlencoded` (RFC 6749 §4.1.3).
        case form
        /// A JSON object with the same names.
        case json
    }

    /// What to do with a refresh token that was sent and whose answer never arrived.
    public enum RetryInDoubt: String, Sendable {
        /// Send it once more: a lost request is far likelier than a lost answer.
        case once
        /// Never: this provider punishes a second use, so that a person must log in again.
        case never
    }

    /// How the client proves at the token endpoint that it is the one it says (RFC 6749 §2.3.1).
    public enum Authentication: String, Sendable, CaseIterable {
        /// Id and secret among the parameters.
        case body
        /// Id and secret in `Authorization: Basic`.
        case basic
    }

    /// The token endpoint; empty until it has been discovered (``issuer``).
    public var tokenURL: String
    /// The authorization endpoint, for logins.
    public var authorizeURL: String?
    /// The public client id; empty where the environment has it (``clientIDEnvironment``).
    public var clientID: String
    /// Whose endpoints are to be discovered (OpenID Connect Discovery 1.0); nil: they are known.
    public var issuer: String?
    /// The hosts at which endpoints may be found, or below which, beside the issuer's.
    public var endpointHosts: [String] = []
    /// The environment variable that holds the client id, where everybody has one of their own.
    public var clientIDEnvironment: String?
    /// Whether it goes without a secret where the environment holds none.
    public var secretIsOptional = false
    /// How the client names itself where it has a secret.
    public var authentication = Authentication.body
    /// Parameters of every token request beyond OAuth's own, in order.
    public var tokenParameters: [LoginParameter] = []
    /// Where answers have what is looked for.
    public var answer = AnswerRules()
    /// Error codes beyond OAuth's own after which only a new login helps.
    public var refusedCodes: [String] = []
    /// Statuses that mean the same, whatever their code.
    public var refusedStatuses: [Int] = []
    /// Where the account of an access token can be asked for; nil: the tokens say it.
    public var userinfoURL: String?
    /// The environment variable that holds an installed app's client secret; the secret itself is in no file of ours.
    public let clientSecretEnvironment: String?
    /// The scopes a login asks for. A refresh sends none: it keeps what was granted (RFC 6749 §6).
    public let scopes: [String]
    /// The form of the request body.
    public var bodyForm: BodyForm
    /// The rule for a token in doubt.
    public let retryInDoubt: RetryInDoubt
    /// A PEM file of certificate authorities to use instead of the system's.
    public let caFile: String?
    /// How a person logs in; nil for a client whose tokens come from elsewhere.
    public var login: LoginRules?

    /// Where the lane and its lock are named by: what stays the same whether endpoints have been discovered or not.
    public var place: String { issuer ?? tokenURL }

    /// Whether an endpoint may be at `url`, which a discovery or the store says.
    public func mayUse(endpoint url: String) -> Bool {
        guard let place = EndpointURL(url), let home = issuer.flatMap(EndpointURL.init) else { return false }
        return place.origin == home.origin || Hosts.are(endpointHosts + (home.isLoopback ? [] : [home.host]), around: place.host)
    }

    /// A client from its parts.
    public init(
        tokenURL: String, authorizeURL: String? = nil, clientID: String, clientSecretEnvironment: String? = nil, scopes: [String] = [],
        bodyForm: BodyForm = .form, retryInDoubt: RetryInDoubt = .once, caFile: String? = nil,
        login: LoginRules? = nil
    ) {
        self.tokenURL = tokenURL
        self.authorizeURL = authorizeURL
        self.clientID = clientID
        self.clientSecretEnvironment = clientSecretEnvironment
        self.scopes = scopes
        self.bodyForm = bodyForm
        self.retryInDoubt = retryInDoubt
        self.caFile = caFile
        self.login = login
    }
}

/// The place of a token endpoint, read strictly: nothing that two URL parsers could read differently is accepted (no user information,
/// no backslash, no percent sign in the host).
public struct EndpointURL: Sendable, Hashable {
    /// `https`, or `http` for a loopback host only.
    public let scheme: String
    /// Lower case; an IPv6 address without its brackets.
    public let host: String
    /// The port, also when it is the scheme's own.
    public let port: UInt16

    /// The place of `text`; nil when it is not an absolute http or https URL in the strict form, or http to another machine.
    public init?(_ text: String) {
        guard text.utf8.allSatisfy({ Secret.accepts($0) && !Self.isForbidden($0) }),
            let colon = text.utf8.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        let rest = text.utf8[text.utf8.index(after: colon)...]
        guard rest.starts(with: "//".utf8) else { return nil }
        scheme = text[..<colon].lowercased()
        let authority = Substring(rest.dropFirst(2).prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") })
        guard let (host, port) = Self.hostAndPort(authority) else { return nil }
        self.host = host
        switch (scheme, port) {
        case ("https", _): self.port = port ?? 443
        case ("http", _) where Self.isLoopback(host): self.port = port ?? 80
        default: return nil
        }
    }

    /// `https://host:port`, always with the port.
    public var origin: String { host.contains(":") ? "\(scheme)://[\(host)]:\(port)" : "\(scheme)://\(host):\(port)" }

    /// Whether the host is this machine by name or literal address.
    public var isLoopback: Bool { Self.isLoopback(host) }

    static func hostAndPort(_ authority: Substring) -> (host: String, port: UInt16?)? {
        var rest = authority
        let host: Substring
        if rest.hasPrefix("[") {
            guard let close = rest.firstIndex(of: "]") else { return nil }
            host = rest[rest.index(after: rest.startIndex)..<close]
            guard !host.isEmpty, host.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else { return nil }
            rest = rest[rest.index(after: close)...]
        } else {
            host = Substring(rest.utf8.prefix { $0 != UInt8(ascii: ":") })
            guard !host.isEmpty, host.utf8.allSatisfy(isHostByte) else { return nil }
            rest = rest[host.endIndex...]
        }
        guard rest.hasPrefix(":") else { return rest.isEmpty ? (host.lowercased(), nil) : nil }
        let digits = rest.dropFirst()
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits), port > 0 else { return nil }
        return (host.lowercased(), port)
    }

    private static func isForbidden(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "@") || byte == UInt8(ascii: "#")
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
        default: false
        }
    }

    /// `localhost`, `::1` and 127/8 written as four decimal numbers; `127.evil.example` is a name, not an address.
    private static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
        return numbers.count == 4 && numbers[0] == "127" && numbers.allSatisfy { UInt8($0) != nil && $0.first != "+" }
    }
}
