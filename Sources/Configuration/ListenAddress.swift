/// An address to accept connections on: of loopback, a Unix socket, or another one over TLS (see `Flaw.notLoopback`).
public struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    /// A numeric address; `localhost` has become one of each family before this. Empty for a Unix socket.
    public let host: String
    /// 0 lets the system choose one; 0 for a Unix socket.
    public let port: UInt16
    /// Where the Unix socket is; nil for TCP.
    public let path: String?
    /// What it is served with over TLS; nil: in clear.
    public var tls: ListenerFiles?

    /// Why a text is not usable as a listen address.
    public enum Flaw: Error, Sendable, Equatable {
        case form, notLoopback, path

        /// What would have been right.
        public var expectation: String {
            switch self {
            case .form:
                "an address and a port, such as \"127.0.0.1:5392\", \"[::1]:5392\" or \"localhost:0\", or a Unix socket, such as "
                    + "\"unix:/run/user/1000/keybearer.sock\""
            // Anyone who can connect can spend the credentials, so another address has to wait for what would keep strangers out.
            case .notLoopback:
                "a loopback address (127.0.0.1, ::1 or localhost); reach it from elsewhere through an SSH tunnel "
                    + "(ssh -L 5392:127.0.0.1:5392 HOST), or with client keys: over TLS ({ address, tls: { certFile, keyFile } } in `listen`), "
                    + "or without it by `keybearer serve --insecure-listen`"
            case .path: "an absolute path after \"unix:\", such as \"unix:/run/user/1000/keybearer.sock\""
            }
        }
    }

    /// Reads one entry of `listen`; `localhost:PORT` gives an address of each family. Over TLS it may be of another network.
    public static func parse(_ text: String, tls: ListenerFiles? = nil) throws(Flaw) -> [ListenAddress] {
        var addresses = try places(text, isOverTLS: tls != nil)
        for index in addresses.indices { addresses[index].tls = tls }
        return addresses
    }

    private static func places(_ text: String, isOverTLS: Bool) throws(Flaw) -> [ListenAddress] {
        if text.hasPrefix(unixPrefix) { return [try unixSocket(String(text.dropFirst(unixPrefix.count)))] }
        guard let (host, portText) = HostText.split(text[...]), let portText, let port = HostText.port(portText) else { throw .form }
        guard HostText.isLoopback(host) else {
            guard isOverTLS else { throw .notLoopback }
            return [try parseAny(text)]
        }
        if host == "localhost" { return [ListenAddress(host: "127.0.0.1", port: port), ListenAddress(host: "::1", port: port)] }
        // Every spelling of ::1 is one address; a socket would refuse to bind it twice.
        return [ListenAddress(host: host.contains(":") ? "::1" : host, port: port)]
    }

    /// Reads an address that need not be loopback: over TLS, or for somebody who insists (`--insecure-listen`).
    static func parseAny(_ text: String) throws(Flaw) -> ListenAddress {
        guard let (host, portText) = HostText.split(text[...]), let portText, let port = HostText.port(portText),
            HostText.ipv4(host) != nil || HostText.isIPv6(host)
        else { throw .form }
        return ListenAddress(host: host, port: port)
    }

    /// Whether callers of this machine alone can reach it.
    public var isLocal: Bool { path != nil || HostText.isLoopback(host) }

    /// Whether both are one place, however it is served.
    func isSamePlace(as other: ListenAddress) -> Bool { host == other.host && port == other.port && path == other.path }

    /// Whether it is the same place at every start: not one that the system chooses.
    public var isFixed: Bool { path != nil || port != 0 }

    private static let unixPrefix = "unix:"

    private static func unixSocket(_ path: String) throws(Flaw) -> ListenAddress {
        guard path.hasPrefix("/"), path.utf8.count > 1, path.utf8.count < 4096, !path.hasSuffix("/"), !path.utf8.contains(0) else {
            throw .path
        }
        return ListenAddress(path: path)
    }

    init(host: String, port: UInt16) {
        self.host = host
        self.port = port
        path = nil
    }

    private init(path: String) {
        host = ""
        port = 0
        self.path = path
    }

    /// The form `parse` reads.
    public var description: String {
        if let path { return Self.unixPrefix + path }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

/// The files of a TLS listener, both PEM.
public struct ListenerFiles: Sendable, Equatable {
    /// The certificate, with those between it and its authority behind it.
    public internal(set) var certFile = ""
    /// The certificate's private key, readable by its owner alone.
    public internal(set) var keyFile = ""
}
