internal import Glibc
internal import HTTP
internal import Sockets
internal import TLS

/// A load: one thread that makes requests as a plan says and checks every answer. Nothing is allocated for a request.
///
///     warming ──▶ measuring ──▶ over
///     opening ──each stream has its first byte──▶ holding ──▶ over        (with `hold`)
@safe
struct Load: ~Copyable {
    /// What happens on the way, for whoever measures beside.
    enum Phase { case warming, opening, measuring, holding, over }
    /// Streams that never have a first byte are waited for no longer than this, in seconds.
    private static let openingLimit: Int64 = 30

    let plan: LoadPlan
    let host: String
    let address: SocketAddress
    let trust: ClientContext
    let poller = Poller()
    let pool = BufferPool()
    let scratch: HTTP2Scratch
    let ticker = Ticker()
    /// Head and body of every request, as HTTP/1.1 sends them.
    let message: UnsafeMutableRawBufferPointer
    let headCount: Int
    let countsEvents: Bool
    var connections = SlotTable<LoadConnection>(capacity: 65_536)
    var units: SlotTable<LoadUnit>
    var report = LoadReport()
    var phase: Phase
    var schedule: Schedule?
    /// The open loop's next request.
    private var nextNumber = 0
    private let began: Int64
    private var phaseEnds: Int64
    private var measuredFrom: Int64 = 0
    /// Connections to be opened anew at the end of the turn.
    var losses: [Int32] = []
    /// When the bytes that are being read came.
    var now: Int64
    private let received = UnsafeMutableRawPointer.allocate(byteCount: Self.room, alignment: 64)
    private let opened = UnsafeMutableRawPointer.allocate(byteCount: Self.room, alignment: 64)
    private static var room: Int { 256 << 10 }

    /// Runs `plan` to its end. `observe` is told of each phase as it begins; `isStopped` is asked ten times a second.
    static func run(_ plan: LoadPlan, observe: (Phase) -> Void = { _ in }, isStopped: () -> Bool = { false }) throws -> LoadReport {
        let trust: ClientContext
        do { trust = try ClientContext(TrustAnchors(caFile: plan.caFile)) } catch { throw BenchFailure.failed(error.description) }
        var load = Load(plan, trust, try plan.target.address())
        try load.open()
        load.loop(observe, isStopped)
        return load.report
    }

    private init(_ plan: LoadPlan, _ trust: consuming ClientContext, _ address: SocketAddress) {
        self.plan = plan
        self.address = address
        self.trust = trust
        host = plan.target.host
        var allowance = HTTP2Allowance()
        allowance.answerWindow = 4 << 20
        allowance.connectionWindow = 64 << 20
        allowance.isTrusting = true
        scratch = HTTP2Scratch(pool: pool, allowance: allowance)
        let head = Array(plan.head.utf8)
        let body = plan.bodySize > 0 ? plan.body : []
        headCount = head.count
        unsafe message = .allocate(byteCount: head.count + body.count, alignment: 1)
        unsafe message.copyBytes(from: head + body)
        if case .events = plan.expectation { countsEvents = true } else { countsEvents = false }
        units = SlotTable(capacity: plan.units)
        for unit in 0..<plan.units { units.insert(LoadUnit(number: 0), at: Int32(unit)) }
        began = Monotonic.now
        now = began
        phase = plan.hold == nil ? .warming : .opening
        phaseEnds = began + (plan.hold == nil ? Int64(plan.warmUp * 1e9) : Self.openingLimit * Monotonic.second)
        // A millisecond, so that the first ones are not late from the start.
        schedule = plan.rate.map { Schedule(start: began + 1_000_000, rate: $0) }
        if schedule != nil {
            for number in 0..<plan.units {
                units[Int32(Schedule.unit(of: number, connections: plan.connections, streams: plan.streams))].number = number
            }
        }
    }
    deinit {
        unsafe message.deallocate()
        unsafe received.deallocate()
        unsafe opened.deallocate()
    }

    // MARK: The loop

    private mutating func loop(_ observe: (Phase) -> Void, _ isStopped: () -> Bool) {
        observe(phase)
        var askedAt = now
        while phase != .over {
            now = Monotonic.now
            if now - askedAt > 100_000_000 {
                askedAt = now
                if isStopped() { phase = .over }
            }
            passTime(observe)
            if phase == .over { break }
            if schedule != nil { startDue() }
            let count = poller.wait(milliseconds: Int32(clamping: min(100, max(1, (phaseEnds - now) / 1_000_000))))
            for index in 0..<count {
                let fd = poller.descriptor(at: index)
                if fd == ticker.descriptor { _ = ticker.take() } else if connections.holds(fd) { serve(fd, poller.ready(at: index)) }
            }
            replaceLost()
        }
        if measuredFrom > 0 { report.seconds = Double(Monotonic.now - measuredFrom) / 1e9 }
        observe(.over)
        for unit in 0..<Int32(plan.units) where units[unit].isBusy { report.open += 1 }
    }

    private mutating func passTime(_ observe: (Phase) -> Void) {
        if phase == .opening, report.held + report.errors >= plan.units {
            phase = .holding
            phaseEnds = now + Int64((plan.hold ?? 0) * 1e9)
            return observe(phase)
        }
        guard now >= phaseEnds else { return }
        switch phase {
        case .warming:
            phase = .measuring
            measuredFrom = now
            phaseEnds = now + Int64(plan.duration * 1e9)
            observe(phase)
        case .opening: giveUp("only \(report.held) of \(plan.units) streams have begun")
        case .measuring, .holding, .over: phase = .over
        }
    }

    private mutating func startDue() {
        while let schedule, schedule.time(of: nextNumber) <= now {
            let unit = Int32(Schedule.unit(of: nextNumber, connections: plan.connections, streams: plan.streams))
            nextNumber += 1
            guard isDue(unit), case let fd = units[unit].connection, connections.holds(fd), connections[fd].stage == .open else { continue }
            start(unit)
            flush(fd)
        }
    }

    /// There is nothing to be measured here.
    mutating func giveUp(_ reason: String) {
        report.note(error: reason)
        phase = .over
    }

    // MARK: A connection's turn

    private mutating func serve(_ fd: Int32, _ ready: Poller.Interest) {
        if connections[fd].stage == .dialling { return connected(fd) }
        if ready != [.write] { receive(fd) }
        if !connections[fd].isLost, phase != .over { flush(fd) }
        if connections[fd].isLost { losses.append(fd) }
    }

    private mutating func receive(_ fd: Int32) {
        for _ in 0..<8 where !connections[fd].isLost && phase != .over {
            switch unsafe connections[fd].socket.receive(into: received, capacity: Self.room) {
            case .moved(let count):
                now = Monotonic.now
                let bytes = unsafe UnsafeRawBufferPointer(start: received, count: count)
                if connections[fd].tls == nil { unsafe feed(fd, bytes) } else { unsafe openRecords(fd, bytes) }
                if count < Self.room { return }
            case .wouldBlock: return
            case .ended, .failed: return streamEnded(fd)
            }
        }
    }

    private mutating func openRecords(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) {
        unsafe connections[fd].tls?.offer(bytes)
        if connections[fd].stage == .shaking { shakeHands(fd) }
        while connections[fd].stage == .open, !connections[fd].isLost {
            guard let (count, last) = unsafe connections[fd].tls?.open(into: opened, room: Self.room) else { return }
            if count > 0 { unsafe feed(fd, UnsafeRawBufferPointer(start: opened, count: count)) }
            switch last {
            case .bytes: continue
            case .starved: return
            case .ended, .failed: return streamEnded(fd)
            }
        }
    }

    private mutating func feed(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) {
        if plan.usesHTTP2 { unsafe feedHTTP2(fd, bytes) } else { unsafe feedHTTP1(fd, bytes) }
    }

    private mutating func streamEnded(_ fd: Int32) {
        if !plan.usesHTTP2 { connectionEndedHTTP1(fd) }
        connections[fd].isLost = true
    }

    /// Sends what waits, and waits for room if there is none.
    mutating func flush(_ fd: Int32) {
        var isBlocked = false
        if plan.usesHTTP2 {
            connections[fd].session?.takeFrames()
            drain()
            connections[fd].flush()
        } else {
            isBlocked = !writeHTTP1(fd)
        }
        let interest: Poller.Interest = isBlocked || connections[fd].waiting > 0 ? [.read, .write] : [.read]
        guard interest != connections[fd].interest, !connections[fd].isLost else { return }
        connections[fd].interest = interest
        poller.change(fd, interest)
    }

    // MARK: Requests

    /// Whether the unit's next request is to be made now.
    @inline(__always)
    func isDue(_ unit: Int32) -> Bool {
        guard !units[unit].isBusy else { return false }
        guard let schedule else { return true }
        return schedule.time(of: units[unit].number) <= now
    }

    @inline(__always)
    mutating func start(_ unit: Int32) {
        units[unit].isBusy = true
        units[unit].check = AnswerCheck()
        units[unit].sent = 0
        if let schedule {
            units[unit].startedAt = schedule.time(of: units[unit].number)
            units[unit].number += plan.units
        } else {
            units[unit].startedAt = Monotonic.now
        }
        if plan.usesHTTP2 { startHTTP2(unit) }
    }

    /// The answer is complete.
    @inline(__always)
    mutating func finish(_ unit: Int32) {
        if let flaw = units[unit].check.flaw(plan.expectation) { return fail(unit, flaw.description) }
        if phase == .measuring {
            report.requests += 1
            report.latency.add(Monotonic.now - units[unit].startedAt)
            if units[unit].check.firstByteAt > 0 { report.firstByte.add(units[unit].check.firstByteAt - units[unit].startedAt) }
        }
        goOn(unit)
    }

    /// The request came to nothing.
    mutating func fail(_ unit: Int32, _ reason: String) {
        report.note(error: reason)
        if report.errors > LoadReport.errorLimit { phase = .over }
        goOn(unit)
    }

    @inline(__always)
    private mutating func goOn(_ unit: Int32) {
        units[unit].isBusy = false
        guard plan.hold == nil, phase != .over, !connections[units[unit].connection].isLost, isDue(unit) else { return }
        start(unit)
    }

    /// Takes bytes of an answer's body.
    @inline(__always)
    mutating func take(_ bytes: UnsafeRawBufferPointer, for unit: Int32) {
        let isFirst = units[unit].check.firstByteAt == 0
        let before = units[unit].check.events
        let isMeasuring = phase == .measuring
        unsafe units[unit].check.take(bytes, at: now, countsEvents: countsEvents, delays: &report.eventDelay, isMeasuring: isMeasuring)
        if isMeasuring {
            report.bytes += bytes.count
            report.events += units[unit].check.events - before
        }
        if phase == .opening, isFirst { noteHeld(unit) }
    }

    private mutating func noteHeld(_ unit: Int32) {
        if units[unit].check.status == 200 { report.held += 1 } else { report.note(error: "status \(units[unit].check.status)") }
    }
}
