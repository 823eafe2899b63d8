import Glibc
import Synchronization

/// What a dialogue's party saw instead of what the script says.
struct Mismatch: Error {
    let expected: String
    let got: String
    /// The message is not wrong: it did not come to its end.
    var isEndOfConnection = false
}

/// A blocking loopback socket. The tests' own, so that no fault of `Sockets` or `HTTP` can hide itself.
final class PlainSocket: Sendable {
    let number: Int32
    /// Nothing in a dialogue takes longer than this.
    static let patience = getenv("KEYBEARER_TEST_PATIENCE").flatMap { Int32(String(cString: $0)) } ?? 20_000

    private let isClosed = Atomic(false)

    init(owning number: Int32) { self.number = number }
    deinit { close() }

    /// Closes now, whoever else holds on to it.
    func close() { if !isClosed.exchange(true, ordering: .relaxed) { Glibc.close(number) } }

    /// A listening socket on 127.0.0.1, and its port; one that does not listen keeps its port from everybody else.
    static func bound(isListening: Bool = true) -> (socket: PlainSocket, port: UInt16) {
        let socket = PlainSocket(owning: Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        var address = Self.address(port: 0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket.number, $0, size) == 0 && getsockname(socket.number, $0, &size) == 0
            }
        }
        precondition(bound && (!isListening || listen(socket.number, 64) == 0))
        return (socket, UInt16(bigEndian: address.sin_port))
    }

    static func connected(to port: UInt16) -> PlainSocket {
        let socket = PlainSocket(owning: Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        var address = Self.address(port: port)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket.number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        precondition(code == 0, "connect to 127.0.0.1:\(port): \(errno)")
        var one: Int32 = 1
        setsockopt(socket.number, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        return socket
    }

    private static func address(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7f00_0001).bigEndian)
        return address
    }

    /// The next connection; nil when none came in time.
    func accepted(within milliseconds: Int32) -> PlainSocket? {
        guard isReadable(within: milliseconds) else { return nil }
        let number = accept(number, nil, nil)
        guard number >= 0 else { return nil }
        var one: Int32 = 1
        setsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        return PlainSocket(owning: number)
    }

    func isReadable(within milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }

    enum Received { case bytes([UInt8]), ended, reset, nothing }
    func receive(within milliseconds: Int32 = patience) -> Received {
        guard isReadable(within: milliseconds) else { return .nothing }
        var block = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(number, &block, block.count, 0)
        if count > 0 { return .bytes(Array(block[..<count])) }
        return count == 0 ? .ended : .reset
    }

    /// Sends all; false when the peer has left.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.send(number, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    func endSending() { shutdown(number, Int32(SHUT_WR)) }
    /// The peer will see a reset once the socket is closed.
    func resetOnClose() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(number, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }
}
