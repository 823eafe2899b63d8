import Glibc

/// Which way a connection to a provider takes: logins, refreshes and requests alike.
public enum OutboundRoute: Sendable, Equatable {
    /// None in between.
    case direct
    case through(OutboundProxy)
    /// Something is named that cannot be understood or spoken to, and is not gone without: somebody wanted not to be seen. Why, for people.
    case unusable(String)
}

/// What the environment says of outbound proxies, by the rules of curl: `https_proxy`, `HTTPS_PROXY`, `all_proxy`, `ALL_PROXY`, the first
/// one that is set; but for what `no_proxy` or `NO_PROXY` excepts.
public struct ProxyEnvironment: Sendable, Equatable {
    private let route: OutboundRoute
    private let exceptions: ProxyExceptions

    /// The one of this process, as it was when it was first asked for.
    public static let ofProcess = ProxyEnvironment(SecretResolver.variable)
    /// One that names no proxy.
    public static let empty = ProxyEnvironment { _ in nil }

    /// - Parameter variable: the value of an environment variable; an empty one counts as none.
    public init(_ variable: (String) -> String?) {
        func first(_ names: String...) -> (name: String, value: String)? {
            for name in names { if let value = variable(name), !value.isEmpty { return (name, value) } }
            return nil
        }
        exceptions = ProxyExceptions(first("no_proxy", "NO_PROXY")?.value ?? "")
        guard let named = first("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY") else {
            route = .direct
            return
        }
        if let proxy = OutboundProxy.named(named.value) {
            route = .through(proxy)
        } else {
            // Its text may have a password in it.
            route = .unusable("$\(named.name) is not \(OutboundProxy.expectation)")
        }
    }

    /// The way to a host.
    ///
    /// - Parameters:
    ///   - host: a name or literal address, lower case, without brackets.
    ///   - isLoopback: the host is this machine. What is meant for it does not leave it, whatever is named.
    ///   - own: the profile's own proxy, which goes before the environment and its exceptions.
    public func route(to host: String, isLoopback: Bool, own: OutboundProxy?) -> OutboundRoute {
        if let own { return !isLoopback || own.isLoopback ? .through(own) : .direct }
        return isLoopback || exceptions.cover(host) ? .direct : route
    }
}

/// `NO_PROXY`: `*`, or names, addresses and networks with commas or spaces between them.
struct ProxyExceptions: Sendable, Equatable {
    private let entries: [String]

    init(_ text: String) {
        entries = text.lowercased().split { $0 == "," || $0 == " " || $0 == "\t" }.map(String.init)
    }

    /// A name covers itself and what ends in a dot and it; an address itself; `10.0.0.0/8` the addresses in it.
    func cover(_ host: String) -> Bool {
        if entries.contains("*") { return true }
        if let address = Self.address(host) { return entries.contains { Self.covers(network: $0, address) } }
        let host = host.hasSuffix(".") ? String(host.dropLast()) : host
        return entries.contains { entry in
            let name = entry.drop { $0 == "." }
            return !name.isEmpty && (host == name || host.hasSuffix("." + name))
        }
    }

    private static func covers(network entry: String, _ address: [UInt8]) -> Bool {
        let parts = entry.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let text = parts[0].hasPrefix("[") && parts[0].hasSuffix("]") ? String(parts[0].dropFirst().dropLast()) : parts[0]
        guard let network = Self.address(text), network.count == address.count else { return false }
        guard parts.count == 2 else { return network == address }
        guard let bits = Int(parts[1]), (0...network.count * 8).contains(bits) else { return false }
        for index in 0..<network.count {
            let mask = UInt8(truncatingIfNeeded: 0xff00 >> min(8, max(0, bits - index * 8)))
            if (network[index] ^ address[index]) & mask != 0 { return false }
        }
        return true
    }

    /// The octets of a literal address.
    private static func address(_ text: String) -> [UInt8]? {
        for (family, size) in [(AF_INET, 4), (AF_INET6, 16)] {
            var octets = [UInt8](repeating: 0, count: size)
            if unsafe inet_pton(family, text, &octets) == 1 { return octets }
        }
        return nil
    }
}
