internal import Sockets

/// What a load is: which requests, how many at a time or a second, for how long, and what their answers must be.
struct LoadPlan: Sendable {
    var target: LoadTarget
    /// HTTP/2: by ALPN, or with prior knowledge in clear.
    var usesHTTP2 = false
    var connections = 1
    /// Requests at a time on each connection of HTTP/2.
    var streams = 1
    /// Bytes of a request's body; 0: a GET.
    var bodySize = 0
    /// Requests a second, whatever becomes of them (open loop); nil: the next as soon as one is answered (closed loop).
    var rate: Double?
    var warmUp = 1.0
    /// Seconds that are measured.
    var duration = 3.0
    /// Seconds for which streams are held open once each has its first byte; nothing else is measured then.
    var hold: Double?
    var expectation = ExpectedAnswer.success
    /// Further fields of every request.
    var fields: [(name: String, value: String)] = []
    /// Trusted besides the system's authorities.
    var caFile: String?

    /// Requests that may be under way.
    var units: Int { connections * streams }

    /// The head of every request, as lines.
    var head: String {
        var lines = ["\(bodySize > 0 ? "POST" : "GET") \(target.path) HTTP/1.1", "Host: \(target.authority)"]
        if bodySize > 0 { lines += ["Content-Length: \(bodySize)", "Content-Type: application/json"] }
        lines += fields.map { "\($0.name): \($0.value)" }
        return lines.map { $0 + "\r\n" }.joined() + "\r\n"
    }

    /// The body of every request: a model's, of the size that was asked for.
    var body: [UInt8] {
        var isStream = false
        if case .events = expectation { isStream = true }
        let start = "{\"model\":\"bench\",\"max_tokens\":64,\"stream\":\(isStream),\"messages\":[{\"role\":\"user\",\"content\":\""
        let end = "\"}]}"
        let filling = bodySize - start.utf8.count - end.utf8.count
        guard filling >= 0 else { return [UInt8](repeating: UInt8(ascii: "b"), count: bodySize) }
        return Array(start.utf8) + [UInt8](repeating: UInt8(ascii: "b"), count: filling) + Array(end.utf8)
    }
}

/// Where a load goes, from a URL.
struct LoadTarget: Sendable, Equatable {
    let usesTLS: Bool
    /// A name or an address, without brackets.
    let host: String
    let port: UInt16
    /// Path and query.
    let path: String

    /// Reads `http://127.0.0.1:5392/v1/messages`; nil when it cannot be one.
    init?(url: String) {
        guard let scheme = ["http://", "https://"].first(where: url.hasPrefix) else { return nil }
        let rest = url.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let path = rest.dropFirst(authority.count)
        guard !path.contains("#"), path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), path.isEmpty || path.hasPrefix("/") else { return nil }
        usesTLS = scheme == "https://"
        self.path = path.isEmpty ? "/" : String(path)
        let isBracketed = authority.hasPrefix("[")
        let hostEnd = isBracketed ? authority.firstIndex(of: "]").map { authority.index(after: $0) } : authority.firstIndex(of: ":")
        let name = authority[..<(hostEnd ?? authority.endIndex)]
        let behind = authority[(hostEnd ?? authority.endIndex)...]
        guard !name.isEmpty, !isBracketed || hostEnd != nil, behind.isEmpty || behind.hasPrefix(":") else { return nil }
        if behind.isEmpty {
            port = usesTLS ? 443 : 80
        } else {
            guard let number = UInt16(behind.dropFirst()) else { return nil }
            port = number
        }
        host = isBracketed ? String(name.dropFirst().dropLast()) : String(name)
    }

    /// 127.0.0.1, or what it is called.
    init(loopback port: UInt16, path: String, host: String = "127.0.0.1", usesTLS: Bool = false) {
        self.host = host
        self.port = port
        self.path = path
        self.usesTLS = usesTLS
    }

    /// What `Host` says.
    var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    /// Whether the host is an address.
    var isLiteral: Bool { SocketAddress(literal: host, port: port) != nil }

    /// The address, looked up if it has to be.
    func address() throws -> SocketAddress {
        if let address = SocketAddress(literal: host, port: port) { return address }
        switch Resolver.look(host) {
        case .addresses(var addresses):
            // The stub and Keybearer's first listener are on 127.0.0.1.
            addresses.sort { !$0.isIPv6 && $1.isIPv6 }
            addresses[0].port = port
            return addresses[0]
        case .failed(let reason): throw BenchFailure.failed("\(host): \(reason)")
        }
    }
}
