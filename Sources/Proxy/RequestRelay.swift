internal import Configuration
internal import HTTP
internal import Sockets

/// A copy of what was sent upstream of a request's body, kept only while the request may have to be sent again (DESIGN §8).
struct ReplayCopy: ~Copyable {
    enum State { case keeping, none }
    private(set) var state = State.none
    private(set) var bytes: ByteQueue
    private var limit = 0
    /// Bytes that will come, as far as that is known: room for them is taken at once, when the first are here.
    private var expected = 0
    /// How much of it the present attempt has been given.
    private(set) var sentCount = 0

    init(pool: BufferPool) { bytes = ByteQueue(pool: pool) }

    /// True when everything sent so far is here, so that it can be sent again.
    var isWhole: Bool { state == .keeping }
    /// Nothing that is held is still to be sent.
    var isSent: Bool { sentCount == bytes.count }

    mutating func begin(limit: Int, expecting framing: BodyFraming) {
        state = .keeping
        self.limit = limit
        if case .length(let count) = framing, count <= limit { expected = count } else { expected = 0 }
        sentCount = 0
    }
    /// Takes in bytes before any attempt; the caller sees to the room.
    mutating func hold(_ run: RawSpan) {
        makeRoom()
        bytes.append(run)
    }
    private mutating func makeRoom() { if bytes.isEmpty, expected > 0 { _ = unsafe bytes.reserve(exactly: expected) } }
    /// The next attempt begins at the first byte.
    mutating func rewind() { sentCount = 0 }
    /// Counts held bytes that have been sent.
    mutating func sent(_ count: Int) { sentCount += count }
    /// What has been held may be longer than what is kept from now on; false when it is.
    mutating func keepUp(to limit: Int) -> Bool {
        self.limit = limit
        return bytes.count <= limit
    }
    mutating func replace(_ range: Range<Int>, with text: [UInt8]) { bytes.replace(range, with: text) }
    /// Another body in the place of this one.
    mutating func take(_ other: inout ByteQueue) {
        bytes.release()
        bytes.take(from: &other)
    }
    /// Adds sent bytes; gives everything up when there is no room. Answers by how much what is held has changed.
    mutating func keep(_ run: RawSpan, room: Int) -> Int {
        guard state == .keeping else { return 0 }
        guard bytes.count + run.byteCount <= limit, run.byteCount <= room else { return -drop() }
        makeRoom()
        bytes.append(run)
        sentCount += run.byteCount
        return run.byteCount
    }
    /// Room for bytes that are received where they are kept; nil when so many are not kept. `keepReceived` counts them.
    mutating func room(for count: Int) -> UnsafeMutableRawPointer? {
        guard state == .keeping, bytes.count + count <= limit else { return nil }
        makeRoom()
        return unsafe bytes.reserve(count)
    }
    /// Bytes have been received into that room, and are sent now.
    mutating func keepReceived(_ count: Int) {
        bytes.advance(count)
        sentCount += count
    }
    /// Frees the copy: the first byte of the answer has gone out, or no repetition is possible. Answers how much was held.
    mutating func drop() -> Int {
        let held = bytes.count
        bytes.release()
        state = .none
        sentCount = 0
        return held
    }
}

// MARK: - Step 7, upwards: the request's body

extension Worker {
    /// Whether, and up to what size, a copy of this request's body is worth keeping.
    mutating func prepareReplay(_ id: Int32) {
        if let limit = replayLimit(id) { exchanges[id].replay.begin(limit: limit, expecting: exchanges[id].head.framing) }
    }

    /// The largest copy that is kept of this request; nil when none is.
    private func replayLimit(_ id: Int32) -> Int? {
        guard exchanges[id].mayBeSentAgain else { return nil }
        let settings = exchanges[id].setup.settings.replay
        switch exchanges[id].head.framing {
        case .none: return 0
        case .length(let count): return count <= settings.maxBytes ? max(0, count + exchanges[id].edit.lengthChange) : nil
        case .chunked: return settings.chunkedMaxBytes
        case .untilClose: return nil
        }
    }

    mutating func dropReplay(_ id: Int32) { replayBytes -= exchanges[id].replay.drop() }

    /// An answer has begun, so that nothing will be sent again: what is held goes when it has been sent once.
    mutating func releaseReplay(_ id: Int32) { if exchanges[id].replay.isSent { dropReplay(id) } }

    /// Sends what is held of the body, as the upstream takes it: a copy of an earlier attempt, or what was held to be looked into. What the
    /// client still has to send follows it.
    mutating func sendHeld(_ id: Int32, to fd: Int32) {
        var room = Worker.heldBytes - min(upstreams[fd].waiting, Worker.heldBytes)
        while !exchanges[id].replay.isSent, room > 0 {
            let held = unsafe RawSpan(_unsafeBytes: exchanges[id].replay.bytes.bytes)
            let start = exchanges[id].replay.sentCount
            let count = min(held.byteCount - start, Worker.heldBytes)
            let isLast = exchanges[id].request.isComplete && start + count == held.byteCount
            writeBody(id, held.extracting(start..<start + count), isLast: isLast, to: fd)
            exchanges[id].replay.sent(count)
            room -= count
        }
        flushSoon(fd)
        guard exchanges[id].replay.isSent else { return }
        if exchanges[id].request.isComplete { endRequest(id, to: fd) }
        // What was held to be looked into is kept only if it may be of use again.
        guard exchanges[id].replay.isWhole, exchanges[id].stage < .responding, let limit = replayLimit(id) else { return dropReplay(id) }
        if !exchanges[id].replay.keepUp(to: limit) { dropReplay(id) }
    }

    /// The upstream is there, has been sent all that is held, and takes more.
    func takesBody(_ id: Int32) -> Bool {
        let fd = exchanges[id].upstream
        return fd >= 0 && upstreams[fd].isReady && upstreams[fd].waiting < Worker.heldBytes && exchanges[id].replay.isSent
    }

    /// Passes body bytes on as they come; answers how many were used. None while the upstream is not there or has its fill. `isKept`: they lie
    /// in the replay copy, and are counted there.
    mutating func relayRequestBody(_ id: Int32, _ bytes: RawSpan, isKept: Bool = false) -> Int {
        guard takesBody(id) else { return 0 }
        let fd = exchanges[id].upstream
        var at = 0
        while !exchanges[id].request.isComplete {
            switch exchanges[id].request.next(bytes, from: at) {
            case .data(let start, let count, let next):
                sendBody(id, bytes.extracting(start..<start + count), to: fd, isKept: isKept)
                at = next
            case .trailers(let start, let count, let next):
                exchanges[id].requestTrailers.append(bytes.extracting(start..<start + count))
                at = next
            case .ended(let next): at = next
            case .starved:
                at = bytes.byteCount
                bodyProgressed(id, fd)
                return at
            case .broken(let rejection):
                requestBroken(id, Refusal(rejection))
                return bytes.byteCount
            }
            if exchanges[id].look.hasTwoModels {
                requestBroken(id, .twoModels)
                return bytes.byteCount
            }
            if let cap = exchanges[id].setup.settings.limits.requestBody, exchanges[id].request.byteCount > cap,
                !exchanges[id].wantsWebSocket
            {
                dropUpstream(id)
                refuse(id, Refusal(.bodyTooLarge))
                return bytes.byteCount
            }
        }
        endRequest(id, to: fd)
        bodyProgressed(id, fd)
        return at
    }

    /// All of the body has been handed over.
    mutating func endRequest(_ id: Int32, to fd: Int32) {
        if upstreams[fd].isStream {
            endStream(id, fd)
        } else if exchanges[id].head.framing == .chunked {
            unsafe upstreams[fd].outbound.append(endOfChunks: exchanges[id].requestTrailers.bytes)
        }
        flushSoon(fd)
    }

    /// What waits for a stream, or is written next, is the last of the body.
    private mutating func endStream(_ id: Int32, _ fd: Int32) {
        guard !upstreams[fd].stream.ends else { return }
        upstreams[fd].stream.ends = true
        unsafe upstreams[fd].stream.trailers.append(exchanges[id].requestTrailers.bytes)
    }

    private mutating func bodyProgressed(_ id: Int32, _ fd: Int32) {
        // Frames come when they come.
        let isUntimed = exchanges[id].request.isComplete || exchanges[id].wantsWebSocket
        downstreams[exchanges[id].downstream].readDeadline = isUntimed ? .max : now + timeouts.bodyIdle
        flushSoon(fd)
    }

    /// One run of body bytes, framed as the request is.
    private mutating func sendBody(_ id: Int32, _ run: RawSpan, to fd: Int32, isKept: Bool) {
        if exchanges[id].look.stage == .watching { exchanges[id].look.feed(run) }
        if !isKept { replayBytes += exchanges[id].replay.keep(run, room: exchanges[id].setup.replayShare - replayBytes) }
        writeBody(id, run, isLast: exchanges[id].request.isComplete, to: fd)
    }

    private mutating func writeBody(_ id: Int32, _ run: RawSpan, isLast: Bool, to fd: Int32) {
        if upstreams[fd].isStream {
            if isLast { endStream(id, fd) }
            return writeStream(fd, run)
        }
        guard exchanges[id].head.framing == .chunked else {
            _ = upstreams[fd].write(run)
            return
        }
        upstreams[fd].outbound.append(chunkSize: run.byteCount)
        _ = upstreams[fd].write(run)
        upstreams[fd].outbound.append("\r\n")
    }

    /// The body turned out to be wrong after the head was forwarded: the upstream must never take what it has for a whole request.
    private mutating func requestBroken(_ id: Int32, _ refusal: Refusal) {
        dropUpstream(id)
        if exchanges[id].stage == .responding { return truncate(id) }
        refuse(id, refusal)
    }
}

extension ByteQueue {
    /// The last chunk and what follows it: `trailers`, if there are some, with the empty line behind them.
    mutating func append(endOfChunks trailers: UnsafeRawBufferPointer) {
        append("0\r\n")
        if unsafe trailers.isEmpty { append("\r\n") } else { unsafe append(trailers) }
    }

    /// A chunk's size line (RFC 9112 §7.1).
    @inline(__always)
    mutating func append(chunkSize size: Int) {
        let room = unsafe reserve(Numbers.chunkSizeCapacity)
        advance(unsafe Numbers.writeChunkSize(size, to: room))
    }
}
