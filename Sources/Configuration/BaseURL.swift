/// Where a provider's requests go: scheme, host, port and a path without its final slash.
///
/// Credentials are sent there, so plain http is accepted only to this machine, and nothing that could carry a secret or change
/// the meaning of a request (user info, query, fragment) is accepted at all.
public struct BaseURL: Sendable, Equatable, CustomStringConvertible {
    /// The schemes a provider can be reached by.
    public enum Scheme: String, Sendable, Equatable {
        case http, https

        /// The port that is meant when the URL names none.
        public var defaultPort: UInt16 { self == .http ? 80 : 443 }
    }

    /// How the provider is reached.
    public let scheme: Scheme
    /// A name or an address, lower case; an IPv6 address without its brackets.
    public let host: String
    /// Never 0; the scheme's own when the URL names none.
    public let port: UInt16
    /// Empty, or starts with a slash and does not end with one.
    public let path: String

    /// Why a text is not usable as a base URL, each a sentence's end after "expected …".
    public enum Flaw: Error, Sendable, Equatable {
        case scheme, host, port, path, userInfo, queryOrFragment, plainHTTP

        /// What would have been right.
        public var expectation: String {
            switch self {
            case .scheme: "a URL that starts with https:// (or http:// for a server on this machine)"
            case .host: "a host name or address after the scheme"
            case .port: "a port from 1 to 65535 after the host"
            case .path: "a path of visible ASCII characters without '\\' and without '.', '..' or empty segments"
            case .userInfo: "a URL without user name and password; credentials go into profiles"
            case .queryOrFragment: "a URL without '?' and '#'"
            case .plainHTTP:
                "https://, because http:// would show credentials to the network (it is accepted for 127.0.0.0/8, ::1 and localhost)"
            }
        }
    }

    /// Reads `https://host[:port][/path]`.
    public init(_ text: String) throws(Flaw) {
        let rest: Substring
        if text.hasPrefix("https://") {
            (scheme, rest) = (.https, text.dropFirst(8))
        } else if text.hasPrefix("http://") {
            (scheme, rest) = (.http, text.dropFirst(7))
        } else {
            throw .scheme
        }
        guard !rest.contains("?"), !rest.contains("#") else { throw .queryOrFragment }
        let authority = rest.prefix { $0 != "/" }
        guard !authority.contains("@") else { throw .userInfo }
        guard let (host, portText) = HostText.split(authority) else { throw .host }
        self.host = host
        if let portText {
            guard let number = HostText.port(portText), number > 0 else { throw .port }
            port = number
        } else {
            port = scheme.defaultPort
        }
        path = try Self.normalised(path: rest[authority.endIndex...])
        guard scheme == .https || HostText.isLoopback(host) else { throw .plainHTTP }
    }

    /// Drops final slashes; refuses what a server might resolve to somewhere else.
    private static func normalised(path text: Substring) throws(Flaw) -> String {
        var path = text
        while path.last == "/" { path.removeLast() }
        guard path.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "\\") }) else { throw .path }
        for segment in path.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            let plain = segment.lowercased().split(separator: "%2e", omittingEmptySubsequences: false).joined(separator: ".")
            guard plain != "", plain != ".", plain != ".." else { throw .path }
        }
        return String(path)
    }

    /// What the `Host` field says: the port only where it is not the scheme's own (RFC 9110 §7.2).
    public var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == scheme.defaultPort ? name : "\(name):\(port)"
    }

    /// Whether the host is this machine, by name or literal address.
    public var isLoopback: Bool { HostText.isLoopback(host) }

    /// The URL in its normal form, as `config show` prints it.
    public var description: String { "\(scheme.rawValue)://\(authority)\(path)" }
}
