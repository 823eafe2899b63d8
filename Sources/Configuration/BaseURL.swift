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
            (scheme, rest) = (.https, Substring(text.utf8.dropFirst(8)))
        } else if text.hasPrefix("http://") {
            (scheme, rest) = (.http, Substring(text.utf8.dropFirst(7)))
        } else {
            throw .scheme
        }
        // By bytes, as servers do: a Character may have more in it than what it begins with.
        guard !rest.utf8.contains(UInt8(ascii: "?")), !rest.utf8.contains(UInt8(ascii: "#")) else { throw .queryOrFragment }
        let authority = Substring(rest.utf8.prefix { $0 != UInt8(ascii: "/") })
        guard !authority.utf8.contains(UInt8(ascii: "@")) else { throw .userInfo }
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
        var path = text.utf8
        while path.last == UInt8(ascii: "/") { path.removeLast() }
        guard path.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "\\") }) else { throw .path }
        for segment in path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst() {
            guard !isEmptyOrDots(segment) else { throw .path }
        }
        return String(Substring(path))
    }

    /// Whether a segment is empty, `.` or `..`; `%2e` is a dot, too (RFC 3986 §6.2.2).
    private static func isEmptyOrDots(_ segment: Substring.UTF8View) -> Bool {
        var rest = segment
        for _ in 0..<2 {
            if rest.first == UInt8(ascii: ".") {
                rest.removeFirst()
            } else if rest.starts(with: "%2e".utf8) || rest.starts(with: "%2E".utf8) {
                rest.removeFirst(3)
            }
        }
        return rest.isEmpty
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
