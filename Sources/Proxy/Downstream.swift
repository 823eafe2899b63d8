internal import HTTP
internal import Sockets
internal import TLS

/// A client's connection and the one exchange it may have under way; or a stream of a client's HTTP/2 connection, which carries one exchange
/// and ends with it.
///
///     reading ──answer sent, keep-alive──▶ reading
///        │ ──answer sent, close────────────▶ closing ──all sent──▶ gone
///        │ ──answer sent, body unread──────▶ lingering ──client ends, or 2 s──▶ gone
///        │ ──client of a tunnel ended──────▶ ended ──its last bytes have gone up──▶ gone
///        └ ──client left, broken, too slow─▶ gone
struct Downstream: ~Copyable {
    enum Stage { case reading, closing, lingering, ended, gone }

    /// Nil: a stream.
    private(set) var socket: Descriptor?
    /// Nil: in clear.
    var tls: TLSConnection?
    /// The handshake is not over.
    var isGreeting = false
    var stream: StreamState
    let caller: Caller
    /// Received and not yet used: a head in pieces, a body held by back-pressure, the next request of a pipeline.
    var inbound: ByteQueue
    /// Written and not yet taken by the kernel.
    var outbound: ByteQueue
    var stage = Stage.reading
    /// The exchange under way, or -1.
    var exchange: Int32 = -1
    var interest: Poller.Interest = [.read, .peerEnded]
    /// Monotonic milliseconds by which the client must have sent what is due.
    var readDeadline: Int64
    /// Monotonic milliseconds by which the client must have taken something of what waits; `.max` while nothing does.
    var writeDeadline = Int64.max
    /// What was received may still be used.
    var mayHoldRequests: Bool { stage == .reading || stage == .ended }
    /// Closing will send a reset, since the client could not tell otherwise that a body delimited by the end was cut.
    var endsByReset = false
    /// It is in the list of those that are flushed when this event has been served.
    var isUnflushed = false
    /// Nothing but the beginning of HTTP/2's preface has come, or nothing at all.
    var mayBeHTTP2 = true

    init(socket: consuming Descriptor, caller: Caller, pool: BufferPool, readDeadline: Int64) {
        self.socket = consume socket
        stream = StreamState(carrier: -1, number: 0, trailers: ByteQueue(pool: pool))
        self.caller = caller
        inbound = ByteQueue(pool: pool)
        outbound = ByteQueue(pool: pool)
        self.readDeadline = readDeadline
    }

    /// A stream of the HTTP/2 connection `carrier`.
    init(stream number: Int32, of carrier: Int32, caller: Caller, pool: BufferPool) {
        socket = nil
        stream = StreamState(carrier: carrier, number: number, trailers: ByteQueue(pool: pool))
        self.caller = caller
        inbound = ByteQueue(pool: pool)
        outbound = ByteQueue(pool: pool)
        readDeadline = .max
    }

    var isStream: Bool { stream.carrier >= 0 }

    /// Gives the socket away, to be owned by what takes this connection's place.
    mutating func takeSocket() -> Descriptor? { socket.take() }
    /// The same for TLS.
    mutating func takeTLS() -> TLSConnection? { tls.take() }

    /// Bytes not yet taken by the kernel.
    var waiting: Int {
        switch tls {
        case .none: outbound.count
        case .some(let connection): outbound.count + connection.waiting
        }
    }

    /// Sends what waits as far as the kernel takes it; `.failed` when the connection is broken.
    mutating func flush() -> Transfer {
        if tls != nil {
            if !outbound.isEmpty {
                guard unsafe tls?.write(outbound.bytes) ?? false else { return .failed(0) }
                outbound.release()
            }
            return flushTLS()
        }
        var total = 0
        while !outbound.isEmpty {
            let bytes = unsafe outbound.bytes
            let sent = unsafe socket?.send(bytes.baseAddress.unsafelyUnwrapped, count: bytes.count) ?? .failed(0)
            guard case .moved(let count) = sent else { return total > 0 && sent == .wouldBlock ? .moved(total) : sent }
            outbound.consume(count)
            total += count
        }
        return .moved(total)
    }
    private func flushTLS() -> Transfer {
        switch socket {
        case .some(let socket): tls?.flush(to: socket) ?? .failed(0)
        case .none: .failed(0)
        }
    }

    /// Says that no more will come, where TLS has a word for it.
    mutating func sayGoodbye() {
        guard tls != nil, !isGreeting else { return }
        tls?.sayGoodbye()
        _ = flushTLS()
    }

    /// Frames what waits for a stream.
    mutating func pour(into session: HTTP2Session, slot: Int32, room: Int) -> Int {
        stream.pour(&outbound, into: session, slot: slot, room: room)
    }
}

// MARK: - Bytes in

extension Worker {
    /// Takes over a connection from the acceptor.
    mutating func adopt(_ fd: Int32, _ caller: Caller, _ context: ListenerContext?) {
        guard !draining, Int(fd) < Worker.slots else {
            shared.loads.ended(worker: index, caller)
            return Descriptor(owning: fd).discard()
        }
        let socket = Descriptor(owning: fd)
        let patience = caller.isOneTooMany ? timeouts.head : timeouts.keepAlive
        downstreams.insert(Downstream(socket: socket, caller: caller, pool: pool, readDeadline: now + patience), at: fd)
        if let context { greet(fd, context) }
        poller.add(fd, [.read, .peerEnded])
    }

    /// The client has to shake hands before anything else.
    private mutating func greet(_ fd: Int32, _ context: ListenerContext) {
        downstreams[fd].isGreeting = true
        downstreams[fd].mayBeHTTP2 = false  // ALPN tells
        downstreams[fd].readDeadline = now + timeouts.head
        do throws(TLSError) {
            downstreams[fd].tls = try TLSConnection(accepting: context, wire: tls, pool: pool)
        } catch {
            abandon(fd)
        }
    }

    /// Goes on with the handshake; true once it is done and requests of HTTP/1.1 may come.
    private mutating func shakeHands(withClient fd: Int32) -> Bool {
        switch downstreams[fd].tls?.shakeHands(host: "") ?? .underWay {
        case .underWay:
            flushDownstream(fd)
            return false
        case .failed:
            _ = downstreams[fd].flush()  // the alert that tells the client why
            abandon(fd)
            return false
        case .done:
            downstreams[fd].isGreeting = false
            downstreams[fd].readDeadline = now + timeouts.keepAlive
            flushDownstream(fd)
            guard downstreams[fd].stage == .reading else { return false }
            guard downstreams[fd].tls?.speaksHTTP2 ?? false else { return true }
            carryStreams(of: fd)
            return false
        }
    }

    mutating func serveDownstream(_ fd: Int32, _ ready: Poller.Interest) {
        if downstreams[fd].stage == .gone { return }
        if ready.contains(.broken) { return abandon(fd) }
        if ready.contains(.write) { flushDownstream(fd) }
        guard downstreams[fd].stage != .gone, !ready.isDisjoint(with: [.read, .peerEnded]) else { return }
        // A client that has ended its side while an answer is due has left: its upstream is told at once (as nginx does).
        if ready.contains(.peerEnded), downstreams[fd].exchange >= 0, exchanges[downstreams[fd].exchange].stage > .head,
            !isTunnel(downstreams[fd].exchange)
        {
            return abandon(fd)
        }
        receiveDownstream(fd)
    }

    private mutating func receiveDownstream(_ fd: Int32) {
        let kept = unsafe roomInCopy(fd)
        let target = unsafe kept?.start ?? received
        switch unsafe downstreams[fd].socket?.receive(into: target, capacity: kept?.size ?? Worker.receiveRoom) ?? .failed(0) {
        case .moved(let count):
            if unsafe kept != nil { return relayKept(fd, count) }
            if downstreams[fd].tls != nil { return unsafe openDownstream(fd, UnsafeRawBufferPointer(start: target, count: count)) }
            guard downstreams[fd].stage == .reading else { return }  // lingering: read and dropped
            let bytes = unsafe UnsafeRawBufferPointer(start: target, count: count)
            if downstreams[fd].mayBeHTTP2 { return unsafe feedBeginning(fd, bytes) }
            feedDownstream(fd, unsafe RawSpan(_unsafeBytes: bytes))
        case .wouldBlock: return
        case .ended: clientEnded(fd)
        case .failed: abandon(fd)
        }
    }

    /// The client sends no more.
    private mutating func clientEnded(_ fd: Int32) {
        if downstreams[fd].stage == .lingering, downstreams[fd].waiting > 0 {
            downstreams[fd].stage = .closing  // it has sent all it will; our answer is still on its way
            updateInterest(ofDownstream: fd)
        } else if downstreams[fd].exchange >= 0, isTunnel(downstreams[fd].exchange) {
            clientEndedTunnel(fd)
        } else {
            abandon(fd)
        }
    }

    /// Shakes hands, or opens the records that have come.
    private mutating func openDownstream(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) {
        unsafe downstreams[fd].tls?.offer(bytes)
        if downstreams[fd].isGreeting, !shakeHands(withClient: fd) { return }
        while downstreams[fd].stage != .gone {
            guard let (count, last) = unsafe downstreams[fd].tls?.open(into: opened, room: Worker.openRoom) else { return }
            if count > 0, downstreams[fd].stage == .reading {
                feedDownstream(fd, unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(start: opened, count: count)))
            }
            switch last {
            case .bytes: continue
            case .starved: return
            case .ended: return clientEnded(fd)
            case .failed: return abandon(fd)
            }
        }
    }

    /// The first bytes of a connection tell the version (RFC 9113 §3.3).
    private mutating func feedBeginning(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) {
        var held = ByteQueue(pool: pool)
        held.take(from: &downstreams[fd].inbound)
        if !held.isEmpty { unsafe held.append(bytes) }
        let all = unsafe held.isEmpty ? bytes : held.bytes
        switch unsafe HTTP2Preface.find(in: all) {
        case .whole: unsafe carryStreams(of: fd, all)
        case .begun:
            if held.isEmpty {
                unsafe held.append(bytes)
                downstreams[fd].readDeadline = now + timeouts.head
            }
            downstreams[fd].inbound.take(from: &held)
        case .none:
            downstreams[fd].mayBeHTTP2 = false
            feedDownstream(fd, unsafe RawSpan(_unsafeBytes: all))
        }
    }

    /// Uses what it can of `bytes`, keeps the rest for later.
    mutating func feedDownstream(_ fd: Int32, _ bytes: RawSpan) {
        guard downstreams[fd].inbound.isEmpty else {
            hold(fd, bytes)
            return drainInbound(fd)
        }
        let used = consume(fd, bytes)
        guard downstreams[fd].stage == .reading else { return }
        if used < bytes.byteCount { hold(fd, bytes.extracting(used..<bytes.byteCount)) }
        updateInterest(ofDownstream: fd)
    }

    /// Keeps what was received for later: a head in it has the client's own credentials.
    private mutating func hold(_ fd: Int32, _ bytes: RawSpan) {
        downstreams[fd].inbound.isSecret = true
        downstreams[fd].inbound.append(bytes)
    }

    /// Goes on with bytes that had to wait.
    mutating func drainInbound(_ fd: Int32) {
        guard downstreams[fd].mayHoldRequests, !downstreams[fd].inbound.isEmpty else {
            return updateInterest(ofDownstream: fd)
        }
        // Taken out while it is read, so that nothing below can move it.
        var held = ByteQueue(pool: pool)
        held.take(from: &downstreams[fd].inbound)
        let used = consume(fd, unsafe RawSpan(_unsafeBytes: held.bytes))
        guard downstreams[fd].mayHoldRequests else { return }
        held.consume(used)
        downstreams[fd].inbound.take(from: &held)
        updateInterest(ofDownstream: fd)
        if downstreams[fd].stream.peerHasEnded, downstreams[fd].inbound.isEmpty { bodyEnded(fd) }
    }

    /// Feeds heads and bodies; answers how many bytes were used. The rest waits for the upstream, or for this exchange to end.
    private mutating func consume(_ fd: Int32, _ bytes: RawSpan) -> Int {
        var at = 0
        while at < bytes.byteCount, downstreams[fd].mayHoldRequests {
            if downstreams[fd].exchange < 0 { openExchange(on: fd) }
            let id = downstreams[fd].exchange
            let rest = bytes.extracting(at..<bytes.byteCount)
            let used: Int
            switch exchanges[id].stage {
            case .head: used = readHead(id, rest)
            case .looking: used = lookAtBody(id, rest)
            case _ where !exchanges[id].request.isComplete: used = relayRequestBody(id, rest)
            default: used = 0
            }
            if used == 0 { return at }
            at += used
        }
        return at
    }
}

// MARK: - Bytes out, and the end

extension Worker {
    /// Sends what waits when this event has been served.
    mutating func flushClientSoon(_ fd: Int32) {
        guard downstreams.holds(fd), !downstreams[fd].isUnflushed else { return }
        downstreams[fd].isUnflushed = true
        unflushedClients.append(fd)
    }

    /// Sends what waits; applies the end that was decided once all is gone.
    mutating func flushDownstream(_ fd: Int32) {
        guard downstreams[fd].stage != .gone else { return }
        if downstreams[fd].isStream { return flushStream(fd) }
        switch downstreams[fd].flush() {
        case .moved(let count): if count > 0 { downstreams[fd].writeDeadline = .max }
        case .wouldBlock: break
        case .ended, .failed: return abandon(fd)
        }
        if downstreams[fd].waiting == 0 {
            downstreams[fd].writeDeadline = .max
            switch downstreams[fd].stage {
            case .closing: return endDownstream(fd)
            case .lingering:
                downstreams[fd].sayGoodbye()
                downstreams[fd].socket?.endWriting()
            case .reading, .ended, .gone: break
            }
        } else if downstreams[fd].writeDeadline == .max {
            downstreams[fd].writeDeadline = now + timeouts.streamStall
        }
        updateInterest(ofDownstream: fd)
        let id = downstreams[fd].exchange
        if id >= 0, exchanges[id].upstream >= 0 { updateInterest(ofUpstream: exchanges[id].upstream) }
    }

    /// Closes after what waits has been sent. With an unread request body the client must first be let finish, or the
    /// kernel's reset would take the answer away from it (RFC 9112 §9.6).
    mutating func closeWhenSent(_ fd: Int32, requestUnread: Bool) {
        downstreams[fd].stage = requestUnread ? .lingering : .closing
        downstreams[fd].inbound.release()
        if requestUnread { downstreams[fd].readDeadline = now + Worker.lingerMilliseconds }
        flushDownstream(fd)
    }

    private mutating func endDownstream(_ fd: Int32) {
        if downstreams[fd].endsByReset { downstreams[fd].socket?.resetWhenClosed() } else { downstreams[fd].sayGoodbye() }
        buryDownstream(fd)
    }

    /// The client has left, or must be left: its upstream is closed at once.
    mutating func abandon(_ fd: Int32) {
        guard downstreams[fd].stage != .gone else { return }
        if downstreams[fd].isStream { return resetStream(fd, HTTP2Code.cancel) }
        let id = downstreams[fd].exchange
        if id >= 0 { dropExchange(id) }
        buryDownstream(fd)
    }

    /// Marks the connection; the descriptor is closed at the end of the turn, so that its number is not taken meanwhile.
    private mutating func buryDownstream(_ fd: Int32) {
        downstreams[fd].stage = .gone
        graves.append(fd)
    }

    /// Reads only while there is room for what is read, writes only while something waits.
    mutating func updateInterest(ofDownstream fd: Int32) {
        guard downstreams[fd].stage != .gone else { return }
        if downstreams[fd].isStream { return creditStream(fd) }
        var wanted: Poller.Interest = []
        switch downstreams[fd].stage {
        case .reading: wanted = downstreams[fd].inbound.count < Worker.heldBytes ? [.read, .peerEnded] : .peerEnded
        case .lingering: wanted = .read
        case .closing, .ended, .gone: break
        }
        if downstreams[fd].waiting > 0 { wanted.insert(.write) }
        if wanted != downstreams[fd].interest {
            downstreams[fd].interest = wanted
            poller.change(fd, wanted)
        }
    }
}
