internal import Configuration
internal import HTTP
internal import Sockets

/// A copy of what was sent upstream of a request's body, kept only while the request may have to be sent again (DESIGN §8).
struct ReplayCopy: ~Copyable {
    enum State { case keeping, none }
    private(set) var state = State.none
    private(set) var bytes: ByteQueue
    private var limit = 0

    init(pool: BufferPool) { bytes = ByteQueue(pool: pool) }

    /// True when everything sent so far is here, so that it can be sent again.
    var isWhole: Bool { state == .keeping }

    mutating func begin(limit: Int) {
        state = .keeping
        self.limit = limit
    }
    /// Adds sent bytes; gives everything up when there is no room. Answers by how much what is held has changed.
    mutating func keep(_ run: RawSpan, room: Int) -> Int {
        guard state == .keeping else { return 0 }
        guard bytes.count + run.byteCount <= limit, run.byteCount <= room else { return -drop() }
        bytes.append(run)
        return run.byteCount
    }
    /// Frees the copy: the first byte of the answer has gone out, or no repetition is possible. Answers how much was held.
    mutating func drop() -> Int {
        let held = bytes.count
        bytes.release()
        state = .none
        return held
    }
}

// MARK: - Step 7, upwards: the request's body

extension Worker {
    /// Whether, and up to what size, a copy of this request's body is worth keeping.
    mutating func prepareReplay(_ id: Int32) {
        guard exchanges[id].mayBeSentAgain else { return }
        let settings = shared.settings.replay
        switch exchanges[id].head.framing {
        case .none: exchanges[id].replay.begin(limit: 0)
        case .length(let count) where count <= settings.maxBytes: exchanges[id].replay.begin(limit: count)
        case .chunked: exchanges[id].replay.begin(limit: settings.chunkedMaxBytes)
        default: break
        }
    }

    mutating func dropReplay(_ id: Int32) { replayBytes -= exchanges[id].replay.drop() }

    /// Passes body bytes on as they come; answers how many were used. None while the upstream is not there or has its fill.
    mutating func relayRequestBody(_ id: Int32, _ bytes: RawSpan) -> Int {
        let fd = exchanges[id].upstream
        guard fd >= 0, upstreams[fd].isReady, upstreams[fd].waiting < Worker.heldBytes else { return 0 }
        var at = 0
        while !exchanges[id].request.isComplete {
            switch exchanges[id].request.next(bytes, from: at) {
            case .data(let start, let count, let next):
                sendBody(id, bytes.extracting(start..<start + count), to: fd)
                at = next
            case .ended(let next):
                upstreams[fd].outbound.append("0\r\n\r\n")
                at = next
            case .starved:
                at = bytes.byteCount
                bodyProgressed(id, fd)
                return at
            case .broken(let rejection):
                requestBroken(id, rejection)
                return bytes.byteCount
            }
            if let cap = shared.settings.limits.requestBody, exchanges[id].request.byteCount > cap, !exchanges[id].wantsWebSocket {
                dropUpstream(id)
                refuse(id, Refusal(.bodyTooLarge))
                return bytes.byteCount
            }
        }
        bodyProgressed(id, fd)
        return at
    }

    private mutating func bodyProgressed(_ id: Int32, _ fd: Int32) {
        // Frames come when they come.
        let isUntimed = exchanges[id].request.isComplete || exchanges[id].wantsWebSocket
        downstreams[exchanges[id].downstream].readDeadline = isUntimed ? .max : now + timeouts.bodyIdle
        flushSoon(fd)
    }

    /// One run of body bytes, framed as the request is.
    private mutating func sendBody(_ id: Int32, _ run: RawSpan, to fd: Int32) {
        replayBytes += exchanges[id].replay.keep(run, room: shared.replayShare - replayBytes)
        writeBody(run, chunked: exchanges[id].request.framing == .chunked, to: fd)
    }

    private mutating func writeBody(_ run: RawSpan, chunked: Bool, to fd: Int32) {
        guard chunked else {
            _ = upstreams[fd].write(run)
            return
        }
        upstreams[fd].outbound.append(chunkSize: run.byteCount)
        _ = upstreams[fd].write(run)
        upstreams[fd].outbound.append("\r\n")
    }

    /// Sends the copy again on a new connection; what the client still has to send follows it.
    mutating func sendReplay(_ id: Int32, to fd: Int32) {
        let chunked = exchanges[id].request.framing == .chunked
        if !exchanges[id].replay.bytes.isEmpty {
            let bytes = unsafe exchanges[id].replay.bytes.bytes
            writeBody(unsafe RawSpan(_unsafeBytes: bytes), chunked: chunked, to: fd)
        }
        if chunked, exchanges[id].request.isComplete { upstreams[fd].outbound.append("0\r\n\r\n") }
    }

    /// The client's framing broke after the head was forwarded: the upstream must never take what it has for a whole request.
    private mutating func requestBroken(_ id: Int32, _ rejection: Rejection) {
        dropUpstream(id)
        if exchanges[id].stage == .responding { return truncate(id) }
        refuse(id, Refusal(rejection))
    }
}

extension ByteQueue {
    /// A chunk's size line (RFC 9112 §7.1).
    @inline(__always)
    mutating func append(chunkSize size: Int) {
        let room = unsafe reserve(Numbers.chunkSizeCapacity)
        advance(unsafe Numbers.writeChunkSize(size, to: room))
    }
}
