import Glibc
import HTTP
import Sockets
import TLS

/// One end of an HTTP/2 connection over a blocking socket; over TLS where it is a provider's.
final class FramedPeer {
    struct Event: Equatable {
        var kind: HTTP2Event.Kind
        var stream: Int32
        /// A head's or trailers' lines, or the body's bytes as text.
        var text = ""
        var code: UInt32 = 0
    }

    let session: HTTP2Session
    private let socket: PlainSocket
    private let descriptor: Descriptor
    private let scratch: HTTP2Scratch
    private let wire: ClientContext?
    private var tls: TLSConnection?
    private var isOpen = true
    private var waiting: [Event] = []

    /// The client's end, with prior knowledge.
    init(client socket: PlainSocket) {
        self.socket = socket
        descriptor = Descriptor(owning: dup(socket.number))
        scratch = HTTP2Scratch(pool: BufferPool())
        session = HTTP2Session(scratch, isServer: false, connection: 1)
        wire = nil
        flush()
    }

    /// A provider's end; nil when no HTTP/2 was agreed on.
    init?(provider socket: PlainSocket, _ context: ListenerContext) throws {
        let pool = BufferPool()
        let wire = try ClientContext(TrustAnchors(caFile: nil))
        tls = try TLSConnection(accepting: context, wire: wire, pool: pool)
        self.wire = consume wire
        self.socket = socket
        descriptor = Descriptor(owning: dup(socket.number))
        scratch = HTTP2Scratch(pool: pool)
        session = HTTP2Session(scratch, isServer: true, connection: 2)
        isOpen = false
        while !isOpen { guard receive(within: PlainSocket.patience) else { return nil } }
        guard tls?.speaksHTTP2 ?? false else { return nil }
        flush()
    }

    deinit { session.end() }

    /// Sends what is due.
    func flush() {
        session.takeFrames()
        if tls != nil {
            if session.waiting > 0 { _ = tls?.write(session.outbound) }
            session.consumeAll()
            _ = tls?.flush(to: descriptor)
        } else if session.waiting > 0 {
            socket.send(Array(session.outbound))
            session.consumeAll()
        }
    }

    /// The next event of one of these kinds; others are passed over. Nil when it does not come.
    func next(_ kinds: HTTP2Event.Kind..., within milliseconds: Int32 = PlainSocket.patience) -> Event? {
        while true {
            while !waiting.isEmpty {
                let event = waiting.removeFirst()
                if kinds.contains(event.kind) { return event }
            }
            flush()
            guard receive(within: milliseconds) else { return nil }
        }
    }

    private func receive(within milliseconds: Int32) -> Bool {
        guard case .bytes(let bytes) = socket.receive(within: milliseconds) else { return false }
        return bytes.withUnsafeBytes { tls == nil ? read($0) : open($0) }
    }

    private func open(_ bytes: UnsafeRawBufferPointer) -> Bool {
        tls?.offer(bytes)
        if !isOpen {
            let outcome = tls?.shakeHands(host: "") ?? .underWay
            _ = tls?.flush(to: descriptor)
            switch outcome {
            case .underWay: return true
            case .failed: return false
            case .done: isOpen = true
            }
        }
        let room = 256 << 10
        let target = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 16)
        defer { target.deallocate() }
        guard let (count, last) = tls?.open(into: target, room: room) else { return false }
        if count > 0 { _ = read(UnsafeRawBufferPointer(start: target, count: count)) }
        return last == .starved || count > 0
    }

    private func read(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let isUsable = session.receive(bytes, now: 0)
        for index in 0..<scratch.eventCount {
            let event = scratch.event(index)
            var seen = Event(kind: event.kind, stream: event.stream, code: event.code)
            switch event.kind {
            case .head, .trailers: seen.text = String(decoding: scratch.text(of: event), as: UTF8.self)
            case .data:
                seen.text = String(decoding: scratch.body(of: event), as: UTF8.self)
                session.creditConnection(event.count)
                session.credit(event.stream, event.count)
            default: break
            }
            waiting.append(seen)
        }
        scratch.clear()
        return isUsable
    }

    // MARK: What is sent

    /// A request; the stream.
    func ask(_ lines: String, body: String? = nil, trailers: String = "") -> Int32 {
        var bytes = Array((lines + "\r\n").utf8)
        let stream =
            bytes.withUnsafeMutableBytes { session.request($0, slot: 0, scheme: "http", secretsFrom: .max, ends: body == nil) } ?? -1
        if let body { send(body, on: stream, trailers: trailers) }
        flush()
        return stream
    }

    /// An answer's head.
    func answer(_ stream: Int32, _ lines: String, ends: Bool = false) {
        var bytes = Array((lines + "\r\n").utf8)
        bytes.withUnsafeMutableBytes { session.respond($0, stream: stream, slot: 0, ends: ends) }
        flush()
    }

    func send(_ body: String, on stream: Int32, ends: Bool = true, trailers: String = "") {
        _ = Array(body.utf8).withUnsafeBytes { session.send($0, stream: stream, slot: 0, ends: ends, hasTrailers: !trailers.isEmpty) }
        if !trailers.isEmpty {
            var bytes = Array((trailers + "\r\n").utf8)
            bytes.withUnsafeMutableBytes { session.trail($0, stream: stream) }
        }
        flush()
    }
}
