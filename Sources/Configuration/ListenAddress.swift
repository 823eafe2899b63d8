/// An address to accept connections on. Only loopback addresses can be made: see `Flaw.notLoopback`.
public struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    /// `127.0.0.1`, another address of 127.0.0.0/8, or `::1`; `localhost` has become one of each family before this.
    public let host: String
    /// 0 lets the system choose one.
    public let port: UInt16

    /// Why a text is not usable as a listen address.
    public enum Flaw: Error, Sendable, Equatable {
        case form, notLoopback

        /// What would have been right.
        public var expectation: String {
            switch self {
            case .form: "an address and a port, such as \"127.0.0.1:5392\", \"[::1]:5392\" or \"localhost:0\""
            // Anyone who can connect can spend the credentials, so another address has to wait for what would keep strangers out.
            case .notLoopback:
                "a loopback address (127.0.0.1, ::1 or localhost); any other needs client keys and TLS on the listener, which this version "
                    + "does not have: reach it from elsewhere through an SSH tunnel (ssh -L 5392:127.0.0.1:5392 HOST)"
            }
        }
    }

    /// Reads one entry of `listen`; `localhost:PORT` gives an address of each family.
    public static func parse(_ text: String) throws(Flaw) -> [ListenAddress] {
        guard let (host, portText) = HostText.split(text[...]), let portText, let port = HostText.port(portText) else { throw .form }
        guard HostText.isLoopback(host) else { throw .notLoopback }
        if host == "localhost" { return [ListenAddress(host: "127.0.0.1", port: port), ListenAddress(host: "::1", port: port)] }
        // Every spelling of ::1 is one address; a socket would refuse to bind it twice.
        return [ListenAddress(host: host.contains(":") ? "::1" : host, port: port)]
    }

    init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// The form `parse` reads.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
