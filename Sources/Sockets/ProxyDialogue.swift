/// What is said to an outbound proxy until it lets bytes through: CONNECT (RFC 9110 §9.3.6) or SOCKS 5 (RFC 1928, RFC 1929). A value: bytes
/// in, bytes out.
///
///     CONNECT: asked ──2xx──▶ open
///     SOCKS 5: greeted ──method──▶ (authenticating ──▶) asked ──reply──▶ open
public struct ProxyDialogue: Sendable {
    /// Where the proxy is to connect to.
    public enum Target: Sendable {
        /// A name that the proxy looks up.
        case name(String, port: UInt16)
        case address(SocketAddress)
    }
    /// What is next.
    public enum Step: Equatable, Sendable {
        /// More has to come from the proxy.
        case more
        /// This is to be sent to it.
        case send([UInt8])
        /// From now on every byte is the target's.
        case open
        /// It will not; why, for people.
        case failed(String)
    }
    private enum State { case asked, greeted, authenticating, requested, over }
    private enum Kind { case connect, socks }

    private let kind: Kind
    private let target: Target
    private let login: (name: String, password: String)?
    private var state: State
    private var held: [UInt8] = []

    /// The longest answer that is listened to.
    private static let limit = 16 << 10

    /// - Parameter basic: `name:password` in base64, where there are any.
    public static func connect(to target: Target, basic: String?) -> (dialogue: ProxyDialogue, first: [UInt8]) {
        let authority: String =
            switch target {
            case .name(let name, let port): name.contains(":") ? "[\(name)]:\(port)" : "\(name):\(port)"
            case .address(let address): address.description
            }
        var text = "CONNECT \(authority) HTTP/1.1\r\nHost: \(authority)\r\n"
        if let basic { text += "Proxy-Authorization: Basic \(basic)\r\n" }
        return (ProxyDialogue(kind: .connect, target: target, login: nil, state: .asked), Array((text + "\r\n").utf8))
    }

    /// SOCKS 5; nil for a name, password or host longer than it has room for (255 octets).
    public static func socks(
        to target: Target, login: (name: String, password: String)?
    ) -> (dialogue: ProxyDialogue, first: [UInt8])? {
        if let login, !(1...255).contains(login.name.utf8.count) || login.password.utf8.count > 255 { return nil }
        if case .name(let name, _) = target, !(1...255).contains(name.utf8.count) { return nil }
        let first: [UInt8] = login == nil ? [5, 1, 0] : [5, 2, 0, 2]
        return (ProxyDialogue(kind: .socks, target: target, login: login, state: .greeted), first)
    }

    /// Takes what the proxy has said. A proxy that says more than its answer does not speak first for the target: TLS has the client begin.
    public mutating func feed(_ bytes: [UInt8]) -> Step {
        held += bytes
        guard held.count <= Self.limit else { return .failed("its answer does not end") }
        switch (kind, state) {
        case (.connect, .asked): return readConnectAnswer()
        case (.socks, .greeted): return readMethod()
        case (.socks, .authenticating): return readLoginAnswer()
        case (.socks, .requested): return readReply()
        default: return .failed("it says something that was not asked for")
        }
    }

    // MARK: CONNECT

    private mutating func readConnectAnswer() -> Step {
        guard let end = held.firstRange(of: Array("\r\n\r\n".utf8)) else {
            return held.starts(with: Array("HTTP/1.".utf8).prefix(held.count)) ? .more : .failed("it does not speak HTTP")
        }
        let line = String(decoding: held.prefix { $0 != 13 }, as: UTF8.self)
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0] == "HTTP/1.1" || parts[0] == "HTTP/1.0", parts[1].utf8.count == 3, let status = Int(parts[1])
        else {
            return .failed("it does not speak HTTP")
        }
        switch status {
        case 200...299: return finish(used: end.upperBound)
        case 407: return .failed("it refuses the name and password, or wants some (407)")
        default: return .failed("it refuses to connect (\(status))")
        }
    }

    // MARK: SOCKS 5

    private mutating func readMethod() -> Step {
        guard held.count >= 2 else { return held.first.map { $0 == 5 } ?? true ? .more : .failed("it does not speak SOCKS 5") }
        guard held[0] == 5 else { return .failed("it does not speak SOCKS 5") }
        switch (held[1], login) {
        case (0, _):
            held.removeFirst(2)
            return request()
        case (2, .some(let login)):
            held.removeFirst(2)
            state = .authenticating
            let (name, password) = (Array(login.name.utf8), Array(login.password.utf8))
            return .send([1, UInt8(name.count)] + name + [UInt8(password.count)] + password)
        default: return .failed(login == nil ? "it wants a name and password" : "it takes no name and password")
        }
    }

    private mutating func readLoginAnswer() -> Step {
        guard held.count >= 2 else { return .more }
        guard held[1] == 0 else { return .failed("it refuses the name and password") }
        held.removeFirst(2)
        return request()
    }

    private mutating func request() -> Step {
        guard held.isEmpty else { return .failed("it says something that was not asked for") }
        state = .requested
        switch target {
        case .name(let name, let port): return .send([5, 1, 0, 3, UInt8(name.utf8.count)] + Array(name.utf8) + Self.octets(port))
        case .address(let address): return .send([5, 1, 0, address.isIPv6 ? 4 : 1] + address.octets + Self.octets(address.port))
        }
    }

    private static func octets(_ port: UInt16) -> [UInt8] { [UInt8(port >> 8), UInt8(port & 0xff)] }

    private mutating func readReply() -> Step {
        guard held.count >= 5 else { return .more }
        guard held[0] == 5 else { return .failed("it does not speak SOCKS 5") }
        guard held[1] == 0 else { return .failed(Self.sentence(held[1])) }
        let length: Int
        switch held[3] {
        case 1: length = 10
        case 3: length = 7 + Int(held[4])
        case 4: length = 22
        default: return .failed("it does not speak SOCKS 5")
        }
        return held.count < length ? .more : finish(used: length)
    }

    /// RFC 1928 §6.
    private static func sentence(_ code: UInt8) -> String {
        switch code {
        case 1: "it has failed"
        case 2: "its rules forbid the connection"
        case 3: "it cannot reach the network"
        case 4: "it cannot reach the host"
        case 5: "the host refuses the connection"
        case 6: "it gave up in time"
        default: "it refuses to connect (\(code))"
        }
    }

    private mutating func finish(used: Int) -> Step {
        state = .over
        return held.count == used ? .open : .failed("it says something that was not asked for")
    }

    private init(kind: Kind, target: Target, login: (name: String, password: String)?, state: State) {
        self.kind = kind
        self.target = target
        self.login = login
        self.state = state
    }
}
