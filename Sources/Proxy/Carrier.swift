internal import HTTP
internal import Sockets
internal import TLS

/// A connection that speaks HTTP/2 and carries many streams, each of which is a slot like a connection of its own (`Downstream`, `Upstream`).
///
///     open ──end of service, or GOAWAY──▶ leaving ──no stream left──▶ ending ──all sent──▶ lingering ──1 s──▶ gone
///       └ ──broken, too slow────────────────────────────────────────────────────────────────────────────────▶ gone
struct Carrier: ~Copyable {
    enum Stage: UInt8, Comparable {
        case open, leaving, ending, lingering, gone
        static func < (left: Stage, right: Stage) -> Bool { left.rawValue < right.rawValue }
    }
    /// Who is at the other end.
    enum Peer {
        case client(Caller)
        /// Of which origin's, and which requests it may carry.
        case provider(origin: Int, key: Int)
    }

    let socket: Descriptor
    var tls: TLSConnection?
    let session: HTTP2Session
    let peer: Peer
    let isClient: Bool
    var stage = Stage.open
    /// Streams that have a slot.
    var streamCount = 0
    var interest: Poller.Interest
    /// Frames may wait in the session; it is in the list of those to be flushed.
    var isStirred = false
    /// A stream has bytes that wait for room here.
    var holdsStreams = false
    /// Monotonic milliseconds of the moment at which something must have happened: a head be complete, the next request come.
    var deadline: Int64
    /// The same for a head that has begun; `.max` while none has.
    var headDeadline = Int64.max
    /// Which streams were the last has been said.
    var hasSaidLast = false
    /// Monotonic milliseconds at which something was last received, and at which a silent provider was asked whether it is there.
    var lastHeard: Int64 = 0
    var askedAt: Int64 = 0
    /// By then it must have answered; `.max` while it is not asked.
    var pingDeadline = Int64.max
    /// A session to resume was kept.
    var sessionKept = false
    /// By then the peer must have taken something of what waits; `.max` while nothing does.
    var writeDeadline = Int64.max

    init(socket: consuming Descriptor, session: HTTP2Session, peer: Peer, interest: Poller.Interest, deadline: Int64) {
        self.socket = socket
        self.session = session
        self.peer = peer
        if case .client = peer { isClient = true } else { isClient = false }
        self.interest = interest
        self.deadline = deadline
    }
    deinit { session.end() }

    /// What waits here at most before streams are held.
    static var heldBytes: Int { 128 << 10 }

    /// Of so many messages that are due at once, the first leave before the others are ready: they would all have to be held. A crowd of
    /// sixteen takes less yet, and makes requests over HTTP/2 dearer by a fifteenth (measured in pairs).
    static var crowd: Int { 64 }
    /// Requests' heads that have been framed since the last flush.
    var heads = 0

    /// Bytes not yet taken by the kernel.
    var waiting: Int {
        switch tls {
        case .none: session.waiting
        case .some(let connection): session.waiting + connection.waiting
        }
    }

    /// Sends what waits as far as the kernel takes it; `.failed` when the connection is broken.
    mutating func flush() -> Transfer {
        heads = 0
        if tls != nil {
            if session.waiting > 0 {
                guard unsafe tls?.write(session.outbound) ?? false else { return .failed(0) }
                session.consumeAll()
            }
            return tls?.flush(to: socket) ?? .failed(0)
        }
        var total = 0
        while session.waiting > 0 {
            let bytes = unsafe session.outbound
            let sent = unsafe socket.send(bytes.baseAddress.unsafelyUnwrapped, count: bytes.count)
            guard case .moved(let count) = sent else { return total > 0 && sent == .wouldBlock ? .moved(total) : sent }
            session.consume(count)
            total += count
        }
        return .moved(total)
    }
}

// MARK: - Bytes in

extension Worker {
    mutating func serveCarrier(_ fd: Int32, _ ready: Poller.Interest) {
        guard carriers[fd].stage != .gone else { return }
        if ready.contains(.write) { stir(fd) }
        if !ready.isDisjoint(with: [.read, .broken, .peerEnded]) { receiveCarrier(fd) }
    }

    /// Several receives, while each is full: many streams' bytes come mixed, and so each stream's leave in larger runs.
    private mutating func receiveCarrier(_ fd: Int32) {
        guard carriers[fd].stage < .lingering else { return buryCarrier(fd) }
        for _ in 0..<Self.receivesPerEvent {
            let target = unsafe received
            switch unsafe carriers[fd].socket.receive(into: target, capacity: Worker.receiveRoom) {
            case .moved(let count):
                let bytes = unsafe UnsafeRawBufferPointer(start: target, count: count)
                if carriers[fd].tls == nil {
                    unsafe feedCarrier(fd, bytes)
                } else {
                    unsafe carriers[fd].tls?.offer(bytes)
                    openCarrier(fd)
                }
                guard count == Worker.receiveRoom, carriers[fd].stage < .ending else { return }
            case .wouldBlock: return
            case .ended, .failed: return buryCarrier(fd)
            }
        }
    }
    private static var receivesPerEvent: Int { 4 }

    /// Opens all records that were offered, several at a time.
    mutating func openCarrier(_ fd: Int32) {
        while carriers[fd].stage < .ending {
            guard let (count, last) = unsafe carriers[fd].tls?.open(into: opened, room: Worker.openRoom) else { return }
            if count > 0 { unsafe feedCarrier(fd, UnsafeRawBufferPointer(start: opened, count: count)) }
            switch last {
            case .bytes: continue
            case .starved: return
            case .ended, .failed: return buryCarrier(fd)
            }
        }
    }

    /// Has nghttp2 read what came, and acts on it.
    mutating func feedCarrier(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) {
        guard carriers[fd].stage < .ending else { return }
        let session = carriers[fd].session
        carriers[fd].lastHeard = now
        let isUsable = unsafe session.receive(bytes, now: now)
        drainStreams()
        stir(fd)
        guard carriers[fd].stage < .ending else { return }
        if isUsable { return watchHead(fd) }
        if session.isAbusive, carriers[fd].isClient { shared.log.clientTooBusy() }
        end(fd)
    }

    /// Acts on all events; those that acting brings about are acted on as well.
    mutating func drainStreams() {
        var index = 0
        var last: Int32 = -1
        while index < scratch.eventCount {
            let event = scratch.event(index)
            index += 1
            // Before the next stream's: what hundreds are to be sent would all be held until the last of them is served.
            if event.slot != last, unflushedClients.count >= Carrier.crowd { flushWritten() }
            last = event.slot
            guard carriers.holds(event.connection), carriers[event.connection].stage != .gone else { continue }
            if carriers[event.connection].isClient { serveClientStream(event) } else { serveProviderStream(event) }
        }
        if index > 0 { scratch.clear() }
    }

    // MARK: Bytes out

    /// Frames may wait to be sent when this turn ends.
    mutating func stir(_ fd: Int32) {
        guard !carriers[fd].isStirred, carriers[fd].stage != .gone else { return }
        carriers[fd].isStirred = true
        stirred.append(fd)
    }

    /// Sends the requests of a crowd that have been framed, before one more is. What a broken connection comes to is seen by the flush that ends the turn.
    mutating func flushCrowd(on fd: Int32) { if carriers[fd].heads >= Carrier.crowd { _ = carriers[fd].flush() } }

    /// At the end of a turn: all frames of a connection leave together.
    mutating func flushCarriers() {
        while let fd = stirred.popLast() { flushCarrier(fd) }
    }

    private mutating func flushCarrier(_ fd: Int32) {
        guard carriers.holds(fd), carriers[fd].stage != .gone else { return }
        let session = carriers[fd].session
        session.takeFrames()
        drainStreams()
        flushWritten()
        session.takeFrames()
        carriers[fd].isStirred = false
        guard carriers[fd].stage != .gone else { return }
        switch carriers[fd].flush() {
        case .moved(let count): if count > 0 { carriers[fd].writeDeadline = .max }
        case .wouldBlock: break
        case .ended, .failed: return buryCarrier(fd)
        }
        let waiting = carriers[fd].waiting
        if waiting == 0 {
            carriers[fd].writeDeadline = .max
            if carriers[fd].stage == .ending || session.isOver { return linger(fd) }
        } else if carriers[fd].writeDeadline == .max {
            carriers[fd].writeDeadline = now + timeouts.streamStall
        }
        updateInterest(ofCarrier: fd)
        if carriers[fd].holdsStreams, waiting < Carrier.heldBytes / 2 { resumeStreams(fd) }
    }

    /// Streams that waited for room on their connection go on.
    private mutating func resumeStreams(_ fd: Int32) {
        carriers[fd].holdsStreams = false
        var at = downstreams.next(from: Int32(Worker.slots))
        while let slot = at {
            if downstreams[slot].stream.carrier == fd, !downstreams[slot].outbound.isEmpty { flushDownstream(slot) }
            at = downstreams.next(from: slot + 1)
        }
        at = upstreams.next(from: Int32(Worker.slots))
        while let slot = at {
            if upstreams[slot].stream.carrier == fd, !upstreams[slot].outbound.isEmpty { flushSoon(slot) }
            at = upstreams.next(from: slot + 1)
        }
        flushWritten()
    }

    private mutating func updateInterest(ofCarrier fd: Int32) {
        var wanted: Poller.Interest = []
        // A peer that does not take what it has asked for is not read either.
        if carriers[fd].stage < .ending, carriers[fd].waiting < Carrier.heldBytes * 2 { wanted = [.read, .peerEnded] }
        if carriers[fd].waiting > 0 { wanted.insert(.write) }
        if wanted != carriers[fd].interest {
            carriers[fd].interest = wanted
            poller.change(fd, wanted)
        }
    }

    // MARK: Ends

    /// Nothing more is read; it is closed once what waits, and says why, has been sent.
    mutating func end(_ fd: Int32) {
        guard carriers[fd].stage < .ending else { return }
        leavePool(fd)
        carriers[fd].stage = .ending
        dropStreams(of: fd)
        stir(fd)
    }

    /// Everything has been sent. The kernel would answer unread bytes with a reset, which takes our last words away: they get a second.
    private mutating func linger(_ fd: Int32) {
        guard carriers[fd].isClient else { return buryCarrier(fd) }
        carriers[fd].tls?.sayGoodbye()
        _ = carriers[fd].flush()
        dropStreams(of: fd)
        carriers[fd].stage = .lingering
        carriers[fd].deadline = now + 1_000
        carriers[fd].socket.endWriting()
        updateInterest(ofCarrier: fd)
    }

    /// Closes at the end of the turn.
    mutating func buryCarrier(_ fd: Int32) {
        guard carriers[fd].stage != .gone else { return }
        leavePool(fd)
        carriers[fd].stage = .gone
        dropStreams(of: fd)
        poller.remove(fd)
        graves.append(fd)
    }

    /// Everything that was under way on the connection is over.
    private mutating func dropStreams(of fd: Int32) {
        guard carriers[fd].streamCount > 0 else { return }
        var at = downstreams.next(from: Int32(Worker.slots))
        while let slot = at {
            if downstreams[slot].stream.carrier == fd { removeClientStream(slot) }
            at = downstreams.next(from: slot + 1)
        }
        at = upstreams.next(from: Int32(Worker.slots))
        while let slot = at {
            if upstreams[slot].stream.carrier == fd { removeProviderStream(slot) }
            at = upstreams.next(from: slot + 1)
        }
    }
}
