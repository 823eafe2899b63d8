internal import Configuration
internal import HTTP
internal import Sockets
internal import TLS

/// One thread's loop. It owns its client connections, its exchanges, its upstream connections and their pool, and its
/// buffers; nothing here is touched by another thread, whose news come through the mailbox.
@safe
struct Worker: ~Copyable {
    /// What one receive takes at most: 64 KiB, and a head with them. With twice or four times as much, what a turn works on leaves the nearer
    /// caches: measured in pairs, requests over HTTP/2 cost 40 % more, and downloads a fifth.
    static var receiveRoom: Int { 72 << 10 }
    /// What is held for a stream in each direction before its source is no longer read.
    static var heldBytes: Int { 64 << 10 }
    /// The same for a stream whose window is closed, and what one receive takes for it.
    static var littleRoom: Int { 8 << 10 }
    /// How long a client may go on sending a body that has already been answered.
    static var lingerMilliseconds: Int64 { 2_000 }
    /// Descriptors are below this number; streams of HTTP/2 connections have the numbers from it on.
    static var slots: Int { 1 << 16 }
    static var streams: Int { 1 << 16 }
    /// Room for what one receive opens to.
    static var openRoom: Int { receiveRoom + TLSConnection.recordBytes }
    /// How often deadlines are looked at. Setting one is a store; only this sweep costs anything.
    private static var sweepMilliseconds: Int64 { 250 }
    /// The same while a deadline of a few hundred milliseconds is running.
    private static var closeSweepMilliseconds: Int64 { 25 }

    let index: Int
    let shared: Shared
    let mailbox: Mailbox<Message>
    var timeouts: Timeouts
    let poller = Poller()
    let pool = BufferPool()
    var tls: ClientContext
    var caFile: String?
    let received = UnsafeMutableRawPointer.allocate(byteCount: Worker.receiveRoom, alignment: 4096)
    let opened = UnsafeMutableRawPointer.allocate(byteCount: Worker.openRoom, alignment: 4096)

    var downstreams = SlotTable<Downstream>(capacity: Worker.slots + Worker.streams, split: Worker.slots)
    var carriers = SlotTable<Carrier>(capacity: Worker.slots)
    let scratch: HTTP2Scratch
    var streamNumbers = StreamNumbers()
    /// HTTP/2 connections with frames to be sent at the end of this turn.
    var stirred: [Int32] = []
    var clientCarriers = 0
    var carrierPool = CarrierPool()
    /// Exchanges whose dials may bring a connection that others can use, and those others.
    var dialling: [Dialler] = []
    var awaiting: [Int32] = []
    var awaitingMayGoOn = false
    var upstreams = SlotTable<Upstream>(capacity: Worker.slots + Worker.streams, split: Worker.slots)
    var exchanges = SlotTable<Exchange>(capacity: Worker.slots)
    var freeExchanges: [Int32] = []
    var idle = IdlePool()
    /// Every host that was ever configured, each at its own place; and the places of the providers in force.
    var origins: [Origin]
    var places: [Int]
    var rosters: RosterCache
    /// Exchanges that wait for a refresh, and those that wait for a name to be looked up.
    var parked: [Int32] = []
    var resolving: [Int32] = []
    /// Exchanges of which another dial starts soon.
    var racing: [Int32] = []
    /// Exchanges that wait for somebody who can serve them.
    var held: [Int32] = []
    /// Upstreams that were written to in this event and not flushed yet: a head and the body behind it leave in one record, one call.
    var unflushed: [Int32] = []
    /// The same for clients: all that one event brings of an answer leaves in one call.
    var unflushedClients: [Int32] = []
    /// Descriptors to be closed at the end of this turn.
    var graves: [Int32] = []
    /// Bytes held in replay copies now; all workers' share of the cap is equal.
    var replayBytes = 0
    /// Answers that are looked at before they are delivered: while there are some, deadlines are looked at more often.
    var looking = 0
    var decoder = ContentDecoder()
    var requestNumber: UInt64
    var access: AccessLines
    var draining = false
    /// Monotonic milliseconds, read once a turn: what deadlines are compared with.
    var now = Clock.monotonic()
    /// Milliseconds since 1970, read with them: what expiries are compared with.
    var wall = Clock.wall()
    private var nextSweep: Int64 = 0

    init(index: Int, shared: Shared, mailbox: Mailbox<Message>) throws(TLSError) {
        self.index = index
        self.shared = shared
        self.mailbox = mailbox
        scratch = HTTP2Scratch(pool: pool)
        rosters = RosterCache(shared.board)
        let settings = rosters.setup.settings
        timeouts = Timeouts(settings.timeouts)
        caFile = settings.upstream.caFile
        guard let trusted = rosters.setup.anchors else { preconditionFailure("a server's setup says whom to trust") }
        tls = try ClientContext(trusted)
        let anchors = caFile
        origins = settings.providers.map { Origin($0, caFile: anchors) }
        places = Array(origins.indices)
        requestNumber = RequestID.seed()
        access = AccessLines(pool: pool)
    }
    deinit {
        unsafe received.deallocate()
        unsafe opened.deallocate()
    }

    /// Runs until the drain is over.
    mutating func run() {
        poller.add(mailbox.descriptor, .read)
        while !(draining && downstreams.count == 0 && clientCarriers == 0) {
            let pause = looking > 0 || !racing.isEmpty ? Self.closeSweepMilliseconds : Self.sweepMilliseconds
            let count = hasNothingToDo ? rest() : poller.wait(milliseconds: Int32(pause))
            now = Clock.monotonic()
            wall = Clock.wall()
            for event in 0..<count { serve(poller.descriptor(at: event), poller.ready(at: event)) }
            if !racing.isEmpty { goOnRacing() }
            if now >= nextSweep || looking > 0 { sweep() }
            endTurn()
            buryGone()
        }
        if let log = shared.accessLog { access.hand(to: log, atLeast: 1) }
    }

    private mutating func serve(_ fd: Int32, _ ready: Poller.Interest) {
        if downstreams.holds(fd) {
            serveDownstream(fd, ready)
        } else if upstreams.holds(fd) {
            serveUpstream(fd, ready)
        } else if carriers.holds(fd) {
            serveCarrier(fd, ready)
        } else if fd == mailbox.descriptor {
            readMail()
        }
        flushWritten()
    }

    /// What was put together in a turn leaves together.
    private mutating func endTurn() {
        repeat {
            if awaitingMayGoOn {
                awaitingMayGoOn = false
                serveAwaiting()
            }
            flushWritten()
            flushCarriers()
        } while hasUnflushed || awaitingMayGoOn && !awaiting.isEmpty
    }

    private var hasUnflushed: Bool { !unflushed.isEmpty || !unflushedClients.isEmpty || !stirred.isEmpty }

    /// Flushing lets held bodies go on, which may write again.
    mutating func flushWritten() {
        while true {
            // The mark goes first: a flush may lead to another write.
            if let upstream = unflushed.popLast() {
                guard upstreams.holds(upstream) else { continue }
                upstreams[upstream].isUnflushed = false
                flushUpstream(upstream)
            } else if let client = unflushedClients.popLast() {
                guard downstreams.holds(client) else { continue }
                downstreams[client].isUnflushed = false
                flushDownstream(client)
            } else {
                return
            }
        }
    }

    private mutating func readMail() {
        for message in mailbox.collect() {
            switch message {
            case .accepted(let fd, let caller, let tls): adopt(fd, caller, tls)
            case .resolved(let origin, let outcome): resolved(origin, outcome)
            case .refreshed(let key, let result): refreshed(key, result)
            case .news: takeNews()
            case .drain: drain()
            case .cut: cut()
            }
        }
    }

    /// Nothing new: idle clients are let go, the others when their answer has been sent.
    private mutating func drain() {
        draining = true
        forEachDownstream { worker, fd in
            if worker.downstreams[fd].exchange < 0, worker.downstreams[fd].stage == .reading { worker.abandon(fd) }
        }
        for fd in 0..<carriers.ceiling where carriers.holds(fd) { leave(fd) }
    }

    private mutating func cut() {
        draining = true
        forEachDownstream { worker, fd in worker.abandon(fd) }
        for fd in 0..<carriers.ceiling where carriers.holds(fd) { buryCarrier(fd) }
    }

    // MARK: Deadlines

    private mutating func sweep() {
        nextSweep = now + Self.sweepMilliseconds
        lookAfterHeld()
        forEachDownstream { worker, fd in
            if worker.now >= worker.downstreams[fd].readDeadline { worker.clientTooSlow(fd) }
            if worker.now >= worker.downstreams[fd].writeDeadline { worker.abandon(fd) }
        }
        for fd in 0..<carriers.ceiling where carriers.holds(fd) { sweepCarrier(fd) }
        if let log = shared.accessLog { access.hand(to: log, atLeast: 1) }
        var at = upstreams.next(from: 0)
        while let fd = at {
            if now >= upstreams[fd].deadline { upstreamTooSlow(fd) }
            at = upstreams.next(from: fd + 1)
        }
        awaitingMayGoOn = true
        flushWritten()
    }

    /// Connections and streams of clients; each may end the one it is called with.
    private mutating func forEachDownstream(_ body: (inout Worker, Int32) -> Void) {
        var at = downstreams.next(from: 0)
        while let fd = at {
            body(&self, fd)
            at = downstreams.next(from: fd + 1)
        }
    }

    private mutating func clientTooSlow(_ fd: Int32) {
        if downstreams[fd].isStream, downstreams[fd].stage == .ended { return endLingering(fd) }
        // So little has come that it might have become HTTP/2: a request has begun all the same.
        if downstreams[fd].exchange < 0, downstreams[fd].stage == .reading, !downstreams[fd].inbound.isEmpty { openExchange(on: fd) }
        let id = downstreams[fd].exchange
        // Bytes that wait for a slow provider are not the client's fault.
        if id >= 0, !downstreams[fd].inbound.isEmpty, exchanges[id].stage > .head {
            downstreams[fd].readDeadline = now + timeouts.bodyIdle
            return
        }
        guard id >= 0, exchanges[id].upstream < 0 || exchanges[id].stage < .responding, downstreams[fd].stage == .reading else {
            return abandon(fd)
        }
        refuse(id, Refusal(exchanges[id].stage == .head ? .headTimeout : .bodyTimeout))
    }

    private mutating func buryGone() {
        guard !graves.isEmpty else { return }
        for fd in graves {
            if downstreams.holds(fd) {
                shared.loads.ended(worker: index, downstreams[fd].caller)
                downstreams.remove(at: fd)
            } else if upstreams.holds(fd) {
                if upstreams[fd].isStream { forgetStream(fd) }
                upstreams.remove(at: fd)
            } else if carriers.holds(fd) {
                if case .client(let caller) = carriers[fd].peer {
                    clientCarriers -= 1
                    shared.loads.ended(worker: index, caller)
                }
                carriers.remove(at: fd)
            }
        }
        graves.removeAll(keepingCapacity: true)
    }
}

/// The settings' time-outs in milliseconds.
struct Timeouts {
    let head, keepAlive, bodyIdle, streamStall, connect, upstreamIdle: Int64
    /// Nil: an upstream may think as long as it likes.
    let firstByte: Int64?

    init(_ settings: TimeoutSettings) {
        head = settings.head.milliseconds
        keepAlive = settings.keepAlive.milliseconds
        bodyIdle = settings.bodyIdle.milliseconds
        streamStall = settings.streamStall.milliseconds
        connect = settings.connect.milliseconds
        upstreamIdle = settings.upstreamIdle.milliseconds
        firstByte = settings.firstByte?.milliseconds
    }
}

extension Duration {
    /// Whole milliseconds.
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
