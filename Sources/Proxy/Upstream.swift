internal import Configuration
internal import HTTP
internal import Sockets
internal import TLS

/// A connection to a provider, carrying one exchange at a time; or a stream of an HTTP/2 connection to one, which carries one exchange and ends
/// with it.
///
///     connecting ──▶ (tunnelling ──▶) handshaking ──▶ active ◀──▶ idle (in the pool)
///         └──────────────┴─────────────┴──────────┴──▶ gone
struct Upstream: ~Copyable {
    enum Stage { case connecting, tunnelling, handshaking, active, idle, gone }

    /// Nil: a stream.
    private var socket: Descriptor?
    var stream: StreamState
    /// The provider's index: whose host this is.
    let origin: Int
    /// Which idle connections it may join: same provider and same profile, so that nobody's connection carries another's credential.
    let poolKey: Int
    var stage = Stage.connecting
    /// The exchange served, or -1.
    var exchange: Int32
    /// Nil: plain http, to a loopback host only.
    var tls: TLSConnection?
    /// Plaintext that waits: for TLS until it is sealed in a flush, otherwise until the kernel takes it.
    var outbound: ByteQueue
    /// A response head that came in pieces.
    var inbound: ByteQueue
    var interest: Poller.Interest = [.write]
    var deadline: Int64
    /// What is being said to a proxy.
    var dialogue: ProxyDialogue?
    /// True once a session to resume was kept.
    var sessionKept = false
    /// It is in the list of those that are flushed when this event has been served.
    var isUnflushed = false
    /// The provider takes no more bytes, but may have said something before it stopped: that is still read.
    var isDeaf = false

    /// A dial that has been started.
    init(
        socket: consuming Descriptor, origin: Int, poolKey: Int, exchange: Int32, pool: BufferPool, deadline: Int64
    ) {
        self.socket = consume socket
        stream = StreamState(carrier: -1, number: 0, trailers: ByteQueue(pool: pool))
        self.origin = origin
        self.poolKey = poolKey
        self.exchange = exchange
        outbound = ByteQueue(pool: pool)
        inbound = ByteQueue(pool: pool)
        self.deadline = deadline
    }

    /// A stream of the HTTP/2 connection `carrier`, whose number comes with its head.
    init(streamOf carrier: Int32, origin: Int, poolKey: Int, exchange: Int32, pool: BufferPool) {
        socket = nil
        stream = StreamState(carrier: carrier, number: 0, trailers: ByteQueue(pool: pool))
        self.origin = origin
        self.poolKey = poolKey
        self.exchange = exchange
        outbound = ByteQueue(pool: pool)
        inbound = ByteQueue(pool: pool)
        deadline = .max
        stage = .active
    }

    var isStream: Bool { stream.carrier >= 0 }
    /// Nothing has come that was not asked for.
    var isQuiet: Bool {
        switch socket {
        case .some(let socket): socket.isQuiet
        case .none: false
        }
    }
    /// 0 once connected, else `errno` of the dial that failed.
    var dialOutcome: Int32 {
        switch socket {
        case .some(let socket): TCP.outcome(of: socket)
        case .none: 0
        }
    }

    /// Gives the socket away, to be owned by what takes this connection's place.
    mutating func takeSocket() -> Descriptor? { socket.take() }
    /// The same for TLS.
    mutating func takeTLS() -> TLSConnection? { tls.take() }

    /// Receives ciphertext or, without TLS, what the provider sends.
    func receive(into target: UnsafeMutableRawPointer, capacity: Int) -> Transfer {
        unsafe socket?.receive(into: target, capacity: capacity) ?? .failed(0)
    }
    /// Frames what waits for a stream.
    mutating func pour(into session: HTTP2Session, slot: Int32, room: Int) -> Int {
        stream.pour(&outbound, into: session, slot: slot, room: room)
    }

    /// Bytes not yet taken by the kernel.
    var waiting: Int {
        if isDeaf { return 0 }
        return switch tls {
        case .none: outbound.count
        case .some(let connection): outbound.count + connection.waiting
        }
    }
    /// True when an exchange may write to it.
    var isReady: Bool { stage == .active }

    /// Hands over plaintext; large runs are sealed where they lie instead of being gathered first.
    mutating func write(_ bytes: RawSpan) -> Bool {
        guard tls != nil, bytes.byteCount >= 8 << 10 else {
            outbound.append(bytes)
            return true
        }
        guard seal() else { return false }
        return unsafe bytes.withUnsafeBytes { unsafe tls?.write($0) ?? false }
    }

    private mutating func seal() -> Bool {
        guard !outbound.isEmpty else { return true }
        let sealed = unsafe tls?.write(outbound.bytes) ?? true
        outbound.release()
        return sealed
    }

    private func flushTLS() -> Transfer {
        switch socket {
        case .some(let socket): tls?.flush(to: socket) ?? .failed(0)
        case .none: .failed(0)
        }
    }

    /// Sends what waits as far as the kernel takes it; `.failed` when the connection is broken.
    mutating func flush() -> Transfer {
        if isDeaf {
            outbound.release()
            return .moved(0)
        }
        if tls != nil {
            guard seal() else { return .failed(0) }
            return flushTLS()
        }
        while !outbound.isEmpty {
            let bytes = unsafe outbound.bytes
            let sent = unsafe socket?.send(bytes.baseAddress.unsafelyUnwrapped, count: bytes.count) ?? .failed(0)
            guard case .moved(let count) = sent else { return sent }
            outbound.consume(count)
        }
        return .moved(0)
    }
}

// MARK: - Readiness

extension Worker {
    mutating func serveUpstream(_ fd: Int32, _ ready: Poller.Interest) {
        switch upstreams[fd].stage {
        case .connecting: finishDial(fd)
        case .tunnelling, .handshaking, .active, .idle:
            if ready.contains(.write) { flushUpstream(fd) }
            if upstreams[fd].stage != .gone, !ready.isDisjoint(with: [.read, .broken]) { receiveUpstream(fd) }
        case .gone: break
        }
    }

    private mutating func receiveUpstream(_ fd: Int32) {
        let target = unsafe received
        switch unsafe upstreams[fd].receive(into: target, capacity: holdsLittle(for: fd) ? Worker.littleRoom : Worker.receiveRoom) {
        case .moved(let count):
            let bytes = unsafe UnsafeRawBufferPointer(start: target, count: count)
            if upstreams[fd].stage == .tunnelling { return unsafe feedDialogue(fd, bytes) }
            if upstreams[fd].tls == nil { return feedUpstream(fd, unsafe RawSpan(_unsafeBytes: bytes)) }
            unsafe upstreams[fd].tls?.offer(bytes)
            if upstreams[fd].stage == .handshaking, !shakeHands(fd) { return }
            open(fd)
        case .wouldBlock: break
        // Without TLS the end of the stream is all there is to see; with TLS an orderly end is announced (close_notify).
        // Once a write has met a reset, the kernel tells the end of the stream and no longer the reset.
        case .ended: upstreamEnded(fd, orderly: upstreams[fd].tls == nil && !upstreams[fd].isDeaf)
        case .failed: upstreamEnded(fd, orderly: false)
        }
    }

    /// Opens all records that were offered, several at a time.
    private mutating func open(_ fd: Int32) {
        let target = unsafe opened
        while upstreams[fd].stage != .gone {
            guard let (filled, last) = unsafe upstreams[fd].tls?.open(into: target, room: Worker.openRoom) else { return }
            if filled > 0 { feedUpstream(fd, unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(start: target, count: filled))) }
            switch last {
            case .bytes: continue
            case .starved: return
            case .ended: return upstreamEnded(fd, orderly: true)
            case .failed: return upstreamEnded(fd, orderly: false)
            }
        }
    }

    /// Sends what waits when this event has been served.
    mutating func flushSoon(_ fd: Int32) {
        guard upstreams.holds(fd), !upstreams[fd].isUnflushed else { return }
        upstreams[fd].isUnflushed = true
        unflushed.append(fd)
    }

    /// Sends what waits; lets the client go on when there is room again.
    mutating func flushUpstream(_ fd: Int32) {
        guard upstreams.holds(fd), upstreams[fd].stage != .gone else { return }
        if upstreams[fd].isStream {
            pourUpstream(fd)
        } else {
            switch upstreams[fd].flush() {
            case .moved, .wouldBlock: break
            // An early answer, then a close with our body unread: the reset that this write met came behind the answer.
            case .failed(let code) where code != 0 && upstreams[fd].stage == .active: upstreams[fd].isDeaf = true
            case .ended, .failed: return upstreamEnded(fd, orderly: false)
            }
        }
        updateInterest(ofUpstream: fd)
        let id = upstreams[fd].exchange
        guard id >= 0, upstreams[fd].stage == .active, upstreams[fd].waiting < Worker.heldBytes / 2 else { return }
        if !exchanges[id].replay.isSent { return sendHeld(id, to: fd) }
        if !downstreams[exchanges[id].downstream].inbound.isEmpty, !exchanges[id].request.isComplete {
            drainInbound(exchanges[id].downstream)
        }
        // Draining may have ended the exchange.
        guard upstreams[fd].exchange == id, upstreams[fd].stage == .active, upstreams[fd].waiting == 0 else { return }
        tunnelDrained(exchanges[id].downstream)
    }

    /// Reads only while the client takes what is read, writes only while something waits.
    mutating func updateInterest(ofUpstream fd: Int32) {
        guard upstreams[fd].stage != .gone, upstreams[fd].stage != .connecting else { return }
        if upstreams[fd].isStream { return creditUpstream(fd) }
        var wanted: Poller.Interest = []
        let id = upstreams[fd].exchange
        let held = id < 0 ? 0 : downstreams[exchanges[id].downstream].waiting
        if held < (held > 0 && holdsLittle(for: fd) ? Worker.littleRoom : Worker.heldBytes) { wanted.insert(.read) }
        if upstreams[fd].waiting > 0 { wanted.insert(.write) }
        if wanted != upstreams[fd].interest {
            upstreams[fd].interest = wanted
            poller.change(fd, wanted)
        }
    }

    /// The client's window is closed: for each of many streams that nobody reads, little is held.
    func holdsLittle(for fd: Int32) -> Bool {
        let id = upstreams[fd].exchange
        guard id >= 0, downstreams[exchanges[id].downstream].isStream else { return false }
        let client = exchanges[id].downstream
        return carriers[downstreams[client].stream.carrier].session.room(on: downstreams[client].stream.number) == 0
    }

    // MARK: Ends

    /// No more will come from the provider. `orderly`: it said so itself, so a body that only ends with the connection is whole.
    mutating func upstreamEnded(_ fd: Int32, orderly: Bool) {
        guard upstreams[fd].stage != .gone else { return }
        let id = upstreams[fd].exchange
        let stage = upstreams[fd].stage
        if id >= 0, exchanges[id].refusalLook.state == .waiting {
            endLook(id, fd)
            guard upstreams[fd].stage != .gone, upstreams[fd].exchange == id else { return }
        }
        buryUpstream(fd)
        guard id >= 0 else { return }
        exchanges[id].upstream = -1
        switch stage {
        case .tunnelling: connectFailed(id, "\(proxyTitle(id)) closed the connection before it let anything through", certificate: false)
        case .connecting, .handshaking: connectFailed(id, "the connection ended during the TLS handshake", certificate: false)
        default: responseEnded(id, orderly: orderly)
        }
    }

    mutating func upstreamTooSlow(_ fd: Int32) {
        let id = upstreams[fd].exchange
        let stage = upstreams[fd].stage
        guard stage != .gone else { return }
        if id >= 0, exchanges[id].refusalLook.state == .waiting { return endLook(id, fd) }
        buryUpstream(fd)
        guard id >= 0 else { return }
        exchanges[id].upstream = -1
        switch stage {
        case .connecting, .tunnelling, .handshaking:
            cancelRace(id)
            connectFailed(id, "\(proxyTitle(id)): no connection within \(timeouts.connect / 1000) s", certificate: false)
        default: settle(id, .noAnswer(timedOut: true))
        }
    }

    /// Closes at the end of the turn; an idle one leaves the pool.
    mutating func buryUpstream(_ fd: Int32) {
        guard upstreams[fd].stage != .gone else { return }
        if upstreams[fd].isStream { return buryStream(fd) }
        if upstreams[fd].stage == .idle {
            idle.remove(fd, key: upstreams[fd].poolKey)
            upstreams[fd].tls?.sayGoodbye()
            _ = upstreams[fd].flush()
        }
        upstreams[fd].stage = .gone
        upstreams[fd].exchange = -1
        poller.remove(fd)
        graves.append(fd)
    }
}
