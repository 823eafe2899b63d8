internal import HTTP
internal import Sockets
internal import TLS

/// A client's connection to the stub upstream.
///
///     TLS: shaking ──handshake──▶ HTTP/1.1 or HTTP/2, as ALPN says
///     in clear: unknown ──first bytes──▶ HTTP/1.1, or HTTP/2 by its preface
struct StubConnection: ~Copyable {
    enum Stage { case shaking, unknown, http1, http2 }
    /// Where in a request of HTTP/1.1 it is.
    enum Body { case none, length(Int), chunked }

    let socket: Descriptor
    var tls: TLSConnection?
    var session: HTTP2Session?
    var stage: Stage
    var interest: Poller.Interest = [.read]
    /// Nothing more is read or written; it is closed at the end of the turn.
    var isGone = false
    /// An answer waits for room here.
    var holdsAnswers = false
    /// HTTP/1.1 in clear: what waits to be sent.
    var outbound: ByteQueue
    /// HTTP/1.1: the beginning of a head, or what came while an answer was under way.
    var inbound: ByteQueue
    var head: RequestHead
    var body = Body.none
    var chunks = ChunkDecoder()
    var request = StubRequest(refusing: 404)
    /// HTTP/1.1: the answer under way, or -1.
    var answer: Int32 = -1

    init(socket: consuming Descriptor, tls: consuming TLSConnection?, pool: BufferPool) {
        self.socket = socket
        stage = tls == nil ? .unknown : .shaking
        self.tls = tls
        outbound = ByteQueue(pool: pool)
        inbound = ByteQueue(pool: pool)
        head = RequestHead(pool: pool)
    }
    deinit { session?.end() }

    /// What waits here at most before answers are held.
    static var heldBytes: Int { 256 << 10 }

    /// Bytes not yet taken by the kernel.
    var waiting: Int {
        let frames = session?.waiting ?? 0
        switch tls {
        case .none: return frames + outbound.count
        case .some(let connection): return frames + connection.waiting
        }
    }

    /// Writes bytes of HTTP/1.1: over TLS as a record of their own, if they fit one.
    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        guard tls != nil else { return unsafe outbound.append(bytes) }
        if unsafe tls?.write(bytes) != true { isGone = true }
    }

    /// Puts the frames that wait into a record of their own.
    mutating func seal() {
        guard tls != nil, let session, session.waiting > 0 else { return }
        if unsafe tls?.write(session.outbound) != true { isGone = true }
        session.consumeAll()
    }

    /// Sends what waits, as far as the kernel takes it.
    mutating func flush() {
        seal()
        if tls != nil {
            _ = moved(tls?.flush(to: socket) ?? .failed(0))
        } else if let session {
            while session.waiting > 0, case let count = unsafe moved(socket.send(session.outbound)), count > 0 { session.consume(count) }
        } else {
            while !outbound.isEmpty, case let count = unsafe moved(socket.send(outbound.bytes)), count > 0 { outbound.consume(count) }
        }
    }

    private mutating func moved(_ outcome: Transfer) -> Int {
        switch outcome {
        case .moved(let count): return count
        case .wouldBlock: return 0
        case .ended, .failed:
            isGone = true
            return 0
        }
    }
}

extension Descriptor {
    /// Sends as much of `bytes`, of which there are some, as the kernel takes.
    @inline(__always)
    borrowing func send(_ bytes: UnsafeRawBufferPointer) -> Transfer {
        unsafe send(bytes.baseAddress.unsafelyUnwrapped, count: bytes.count)
    }
}
