internal import HTTP
internal import Sockets
internal import TLS

/// A connection of the load.
///
///     dialling ──▶ shaking (TLS) ──▶ open
struct LoadConnection: ~Copyable {
    enum Stage { case dialling, shaking, open }
    /// What of an answer in HTTP/1.1 comes next.
    enum Part { case head, length(Int), chunks, untilClose }

    let socket: Descriptor
    /// The first of its units; the others stand behind it.
    let firstUnit: Int32
    var tls: TLSConnection?
    var session: HTTP2Session?
    var stage = Stage.dialling
    var interest: Poller.Interest = [.write]
    /// It is of no more use, and opened anew at once.
    var isLost = false
    /// HTTP/1.1: the beginning of a head.
    var inbound: ByteQueue
    var head: ResponseHead
    var part = Part.head
    var chunks = ChunkDecoder()

    init(socket: consuming Descriptor, tls: consuming TLSConnection?, firstUnit: Int32, pool: BufferPool) {
        self.socket = socket
        self.tls = tls
        self.firstUnit = firstUnit
        inbound = ByteQueue(pool: pool)
        head = ResponseHead(pool: pool)
    }
    deinit { session?.end() }

    /// Bytes not yet taken by the kernel, but for those of an HTTP/1.1 request, which lie in the plan.
    var waiting: Int {
        let frames = session?.waiting ?? 0
        switch tls {
        case .none: return frames
        case .some(let connection): return frames + connection.waiting
        }
    }

    /// Sends the frames and records that wait, as far as the kernel takes them.
    mutating func flush() {
        if tls != nil {
            if let session, session.waiting > 0 {
                if unsafe tls?.write(session.outbound) != true { isLost = true }
                session.consumeAll()
            }
            _ = moved(tls?.flush(to: socket) ?? .failed(0))
        } else if let session {
            while session.waiting > 0, case let count = unsafe moved(socket.send(session.outbound)), count > 0 { session.consume(count) }
        }
    }

    /// Bytes that were moved; a broken connection is noted.
    mutating func moved(_ outcome: Transfer) -> Int {
        switch outcome {
        case .moved(let count): return count
        case .wouldBlock: return 0
        case .ended, .failed:
            isLost = true
            return 0
        }
    }
}
