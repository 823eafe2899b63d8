internal import CLinux
internal import Glibc
internal import Sockets

/// What a tool got back.
struct DemoAnswer: Sendable {
    /// 0 when there was no whole head.
    var status = 0
    /// Names in lower case.
    var fields: [(name: String, value: String)] = []
    var body: [UInt8] = []
    /// When each piece of the body arrived, and how much of it was there then.
    var arrivals: [(at: ContinuousClock.Instant, bytes: Int)] = []
    /// The body ended as its framing says.
    var isWhole = false
    /// When the request was sent.
    var sent = ContinuousClock.now
    /// From the request to the end of the answer.
    var duration = Duration.zero

    /// The first field of this name.
    func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }
}

/// The tool in the demo: sends one request over a real socket and waits for the answer. Blocks; for threads of its own.
struct DemoClient: ~Copyable {
    private let socket: Descriptor
    private var unread: [UInt8] = []
    private var answer = DemoAnswer()

    /// Connects; nil when nobody listens.
    init?(port: UInt16) {
        guard let address = SocketAddress(literal: "127.0.0.1", port: port) else { return nil }
        switch TCP.dial(address) {
        case .failed: return nil
        case .started(let dialled):
            var entry = pollfd(fd: dialled.number, events: Int16(POLLOUT), revents: 0)
            guard unsafe poll(&entry, 1, 10_000) == 1, TCP.outcome(of: dialled) == 0, kb_set_blocking(dialled.number, 1) == 0 else {
                return nil
            }
            var limit = timeval(tv_sec: 30, tv_usec: 0)
            unsafe _ = setsockopt(dialled.number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            socket = dialled
        }
    }

    /// Posts JSON, and reads the answer to its end.
    consuming func post(_ path: String, json: String, fields: [(name: String, value: String)] = []) -> DemoAnswer {
        var head = "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nConnection: close\r\n"
        head += "Content-Length: \(json.utf8.count)\r\n"
        for field in fields { head += "\(field.name): \(field.value)\r\n" }
        answer.sent = .now
        if send(Array("\(head)\r\n\(json)".utf8)), readHead() {
            answer.isWhole = answer.field("transfer-encoding") == "chunked" ? readChunks() : readCounted()
        }
        answer.duration = .now - answer.sent
        return answer
    }

    private func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let result = unsafe rest.withUnsafeBytes { unsafe socket.send($0.baseAddress.unsafelyUnwrapped, count: $0.count) }
            guard case .moved(let count) = result else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Waits for more; false at the end.
    private mutating func fill() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        let result = unsafe buffer.withUnsafeMutableBytes {
            unsafe socket.receive(into: $0.baseAddress.unsafelyUnwrapped, capacity: $0.count)
        }
        guard case .moved(let count) = result else { return false }
        unread += buffer[..<count]
        return true
    }

    /// A line without its end; nil when the connection ends before it does.
    private mutating func line() -> String? {
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: unread[..<end].filter { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
                unread.removeFirst(end + 1)
                return line
            }
            guard fill() else { return nil }
        }
    }

    private mutating func readHead() -> Bool {
        guard let status = line()?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return false }
        while let line = line() {
            if line.isEmpty {
                answer.status = status
                return true
            }
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return false }
            answer.fields.append((parts[0].lowercased(), String(parts[1].drop { $0 == " " })))
        }
        return false
    }

    /// RFC 9112 §7.1, without extensions and trailers: the proxy sends none here.
    private mutating func readChunks() -> Bool {
        while let line = line(), let size = Int(line, radix: 16) {
            guard take(size) else { return false }
            guard self.line() == "" else { return false }
            if size == 0 { return true }
        }
        return false
    }

    private mutating func readCounted() -> Bool {
        guard let length = answer.field("content-length").flatMap({ Int($0) }) else { return false }
        return take(length)
    }

    /// Moves so many bytes to the body as they arrive.
    private mutating func take(_ count: Int) -> Bool {
        var missing = count
        while missing > 0 {
            if unread.isEmpty, !fill() { return false }
            let part = unread.prefix(missing)
            answer.body += part
            answer.arrivals.append((.now, answer.body.count))
            missing -= part.count
            unread.removeFirst(part.count)
        }
        return true
    }
}

extension DemoAnswer {
    /// One event of a stream.
    struct Event {
        let name: String
        let data: String
        /// Since the request was sent.
        let after: Duration
        let arrived: ContinuousClock.Instant
    }

    /// The events of a `text/event-stream` body, each with the time at which its last byte was there.
    var events: [Event] {
        var events: [Event] = []
        var start = 0
        var index = 0
        while index + 1 < body.count {
            if body[index] == UInt8(ascii: "\n"), body[index + 1] == UInt8(ascii: "\n") {
                events.append(event(body[start..<index], endingAt: index + 2))
                start = index + 2
            }
            index += 1
        }
        return events
    }

    private func event(_ text: ArraySlice<UInt8>, endingAt end: Int) -> Event {
        var name = "message"
        var data = ""
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            if line.hasPrefix("event: ") { name = String(line.dropFirst(7)) }
            if line.hasPrefix("data: ") { data = String(line.dropFirst(6)) }
        }
        let arrived = arrivals.first { $0.bytes >= end }?.at ?? .now
        return Event(name: name, data: data, after: arrived - sent, arrived: arrived)
    }
}
