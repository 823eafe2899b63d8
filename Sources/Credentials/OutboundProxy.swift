/// The proxy that goes between a profile and its provider: the member `proxy` of the profile.
public struct OutboundProxy: Sendable, Equatable {
    /// How it is spoken to.
    public enum Scheme: String, Sendable, CaseIterable {
        /// CONNECT (RFC 9110 §9.3.6) in the clear, or over TLS.
        case http, https
        /// SOCKS 5 (RFC 1928): names looked up here, or by the proxy.
        case socks5, socks5h
    }

    /// How it is spoken to.
    public let scheme: Scheme
    /// Lower case; an IPv6 address without its brackets.
    public let host: String
    /// Always given: what a proxy's usual port is, programs disagree about.
    public let port: UInt16
    /// Whether the URL has a name or password in it.
    public let hasCredentials: Bool
    /// The whole URL, with a name and password if it has them.
    public let url: Secret

    /// The proxy at `scheme://[name:password@]host:port`; nil when `text` is no such URL.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let scheme = Scheme(rawValue: parts[0].lowercased()), parts.count == 2, parts[1].hasPrefix("//")
        else {
            return nil
        }
        var rest = parts[1].dropFirst(2)
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        hasCredentials = rest.contains("@")
        if let at = rest.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
        guard let (host, port) = EndpointURL.hostAndPort(rest), let port else { return nil }
        // An address alone is no secret, and an error has to name it.
        guard let url = Secret(text.utf8, isWatched: hasCredentials) else { return nil }
        self.scheme = scheme
        self.host = host
        self.port = port
        self.url = url
    }

    /// The proxy that a variable of the environment names, where the scheme may be left out (http), and the port (1080; 443 for https), as
    /// curl has it.
    static func named(_ text: String) -> OutboundProxy? {
        let whole = text.contains("://") ? text : "http://\(text)"
        guard let start = whole.firstRange(of: "://")?.upperBound else { return nil }
        let authority = whole[start...].prefix { $0 != "/" }
        let place = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        let hasPort = EndpointURL.hostAndPort(place)?.port != nil
        let port = hasPort ? "" : whole.lowercased().hasPrefix("https:") ? ":443" : ":1080"
        return OutboundProxy("\(whole[..<start])\(authority)\(port)")
    }

    /// The name and password in the URL, percent-decoded; nil when it has none, or what is no UTF-8.
    public var login: (name: String, password: String)? {
        let text = url.revealed
        guard hasCredentials, let start = text.firstRange(of: "//")?.upperBound, let end = text.lastIndex(of: "@") else { return nil }
        let parts = text[start..<end].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = Self.decoded(parts[0]), let password = Self.decoded(parts.count > 1 ? parts[1] : "") else { return nil }
        return (name, password)
    }

    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Whether it is on this machine.
    public var isLoopback: Bool { EndpointURL("https://\(host.contains(":") ? "[\(host)]" : host)")?.isLoopback ?? false }

    /// What a proxy has to look like, for people.
    public static let expectation = "a proxy such as socks5h://127.0.0.1:9050 or http://proxy.example:3128, with its port"
}

extension OutboundProxy: CustomStringConvertible {
    /// Without name and password.
    public var description: String { host.contains(":") ? "\(scheme)://[\(host)]:\(port)" : "\(scheme)://\(host):\(port)" }
}
