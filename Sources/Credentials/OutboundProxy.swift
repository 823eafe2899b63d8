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
        guard let url = Secret(text), let scheme = Scheme(rawValue: parts[0].lowercased()), parts.count == 2, parts[1].hasPrefix("//")
        else {
            return nil
        }
        var rest = parts[1].dropFirst(2)
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        hasCredentials = rest.contains("@")
        if let at = rest.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
        guard let (host, port) = EndpointURL.hostAndPort(rest), let port else { return nil }
        self.scheme = scheme
        self.host = host
        self.port = port
        self.url = url
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
