internal import Glibc
internal import Sockets

/// What a server of ours has answered to a probe.
struct ProbeAnswer: Equatable {
    let status: Int
    let body: [UInt8]

    init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }

    /// Reads a whole answer to a request that said `Connection: close`; nil when its end is missing.
    init?(_ bytes: [UInt8]) {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).lowercased().split(separator: "\r\n")
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return nil }
        let rest = bytes[end.upperBound...]
        if let length = Self.value(of: "content-length", in: lines) {
            guard Int(length) == rest.count else { return nil }
            self.init(status: status, body: Array(rest))
        } else if Self.value(of: "transfer-encoding", in: lines) == "chunked" {
            guard let body = Self.unchunked(rest) else { return nil }
            self.init(status: status, body: body)
        } else {
            self.init(status: status, body: Array(rest))
        }
    }

    private static func value(of name: String, in lines: [Substring]) -> String? {
        lines.first { $0.hasPrefix(name + ":") }.map { String($0.dropFirst(name.count + 1).drop { $0 == " " }) }
    }

    /// RFC 9112 §7.1, as our proxy writes it.
    private static func unchunked(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        var rest = bytes
        var body: [UInt8] = []
        while let end = rest.firstRange(of: Array("\r\n".utf8)) {
            let line = String(decoding: rest[..<end.lowerBound].prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self)
            guard let size = Int(line, radix: 16), size >= 0 else { return nil }
            if size == 0 { return body }
            rest = rest[end.upperBound...]
            guard rest.count >= size + 2 else { return nil }
            body += rest.prefix(size)
            rest = rest.dropFirst(size + 2)
        }
        return nil
    }
}

/// Sends one request to a server of ours on loopback, and waits for the answer. Blocks.
struct ProbeClient {
    /// How it ended.
    enum Outcome: Equatable {
        case answer(ProbeAnswer)
        /// Nobody listens there.
        case unreachable
        case timedOut
        /// No whole answer came.
        case broken
        /// Nobody wants the answer any more.
        case abandoned
    }

    /// Where a server of ours listens.
    enum Place {
        /// A port of 127.0.0.1.
        case port(UInt16)
        /// A socket in the file system.
        case unixSocket(String)
    }

    private let place: Place
    private let timeout: Duration
    /// Asked at least ten times a second.
    private let isWanted: () -> Bool

    init(to place: Place, timeout: Duration, isWanted: @escaping () -> Bool) {
        self.place = place
        self.timeout = timeout
        self.isWanted = isWanted
    }

    /// More than any answer to a probe.
    private static let limit = 8 << 20

    func send(_ text: String) -> Outcome {
        let deadline = ContinuousClock.now + timeout
        guard case .started(let socket) = dial() else { return .unreachable }
        if let end = wait(for: POLLOUT, on: socket, until: deadline) { return end }
        guard TCP.outcome(of: socket) == 0 else { return .unreachable }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            if let end = wait(for: POLLOUT, on: socket, until: deadline) { return end }
            let sent = unsafe rest.withUnsafeBytes { unsafe socket.send($0.baseAddress.unsafelyUnwrapped, count: $0.count) }
            guard case .moved(let count) = sent else { return .broken }
            rest = rest.dropFirst(count)
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= Self.limit {
            if let end = wait(for: POLLIN, on: socket, until: deadline) { return end }
            let received = unsafe buffer.withUnsafeMutableBytes {
                unsafe socket.receive(into: $0.baseAddress.unsafelyUnwrapped, capacity: $0.count)
            }
            guard case .moved(let count) = received else { break }
            bytes += buffer[..<count]
        }
        return ProbeAnswer(bytes).map { .answer($0) } ?? .broken
    }

    private func dial() -> TCP.Dialled {
        switch place {
        case .port(let port): TCP.dial(SocketAddress.loopback(port))
        case .unixSocket(let path): UnixSocket.dial(path)
        }
    }

    /// Nil when `event` has come; else how it ends.
    private func wait(for event: Int32, on socket: borrowing Descriptor, until deadline: ContinuousClock.Instant) -> Outcome? {
        var entry = pollfd(fd: socket.number, events: Int16(event), revents: 0)
        while true {
            guard isWanted() else { return .abandoned }
            let left = (deadline - .now) / .milliseconds(1)
            guard left > 0 else { return .timedOut }
            if unsafe poll(&entry, 1, Int32(min(left.rounded(.up), 100))) == 1 { return nil }
        }
    }
}
