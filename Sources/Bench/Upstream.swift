internal import Glibc
internal import HTTP
internal import Sockets
internal import TLS

/// A model API that a proxy under test has behind it: it checks the credential that was put on, and answers as the target says
/// (`StubRequest`). One thread, over TLS with HTTP/2 or HTTP/1.1 by ALPN, or in clear.
@safe
struct Upstream: ~Copyable {
    /// What is asked of every request.
    struct Setup: Sendable {
        var address = SocketAddress.loopback(0)
        /// PEM texts; nil: in clear.
        var certificate: String?
        var key: String?
        /// The whole value of `Authorization`; any will do if nil. Without it: 401.
        var authorization: String?
        /// That of `ChatGPT-Account-Id`.
        var account: String?
    }
    /// What another thread may ask of it.
    enum Message: Sendable { case stop }

    let listener: Descriptor
    private let identity: ListenerContext?
    /// Gives server connections their way to the socket.
    private let wire: ClientContext
    let poller = Poller()
    let pool = BufferPool()
    let scratch: HTTP2Scratch
    let content = StubContent()
    let ticker = Ticker()
    let inbox: Mailbox<Message>
    let authorization, account: [UInt8]?
    var connections = SlotTable<StubConnection>(capacity: 65_536)
    var answers = SlotTable<StubAnswer>(capacity: 65_536)
    /// Slots of answers that are over.
    var freeAnswers: [Int32] = []
    var nextSerial: UInt32 = 0
    var wheel = Wheel()
    private var due: [Wheel.Entry] = []
    /// Connections to be closed at the end of the turn.
    private var graves: [Int32] = []
    var head: RequestHead
    private let received = UnsafeMutableRawPointer.allocate(byteCount: Self.room, alignment: 64)
    private let opened = UnsafeMutableRawPointer.allocate(byteCount: Self.room, alignment: 64)
    private static var room: Int { 256 << 10 }

    /// Listens. `inbox`: where it is told to stop.
    static func listen(_ setup: Setup, inbox: Mailbox<Message> = Mailbox()) throws -> Upstream {
        let identity = try setup.certificate.map { try ListenerContext(certificate: Array($0.utf8), key: Array((setup.key ?? "").utf8)) }
        let wire = try ClientContext(TrustAnchors(caFile: nil))
        return Upstream(setup, try TCP.listen(on: setup.address), identity, wire, inbox)
    }

    private init(
        _ setup: Setup, _ listener: consuming Descriptor, _ identity: ListenerContext?, _ wire: consuming ClientContext,
        _ inbox: Mailbox<Message>
    ) {
        var allowance = HTTP2Allowance()
        allowance.requestWindow = 4 << 20
        allowance.connectionWindow = 64 << 20
        allowance.streams = 4_096
        allowance.isTrusting = true
        scratch = HTTP2Scratch(pool: pool, allowance: allowance)
        head = RequestHead(pool: pool)
        authorization = setup.authorization.map { Array($0.utf8) }
        account = setup.account.map { Array($0.utf8) }
        self.inbox = inbox
        self.identity = identity
        self.wire = wire
        self.listener = listener
        poller.add(self.listener.number, .read)
        poller.add(inbox.descriptor, .read)
        poller.add(ticker.descriptor, .read)
    }
    deinit {
        unsafe received.deallocate()
        unsafe opened.deallocate()
    }

    /// Where it listens.
    var address: SocketAddress { TCP.localAddress(of: listener) ?? .loopback(0) }

    /// Serves until it is told to stop.
    mutating func serve() {
        while true {
            let count = poller.wait(milliseconds: -1)
            for index in 0..<count {
                let fd = poller.descriptor(at: index)
                if fd == listener.number {
                    accept()
                } else if fd == ticker.descriptor {
                    for _ in 0..<ticker.take() { tick() }
                } else if fd == inbox.descriptor {
                    if !inbox.collect().isEmpty { return }
                } else if connections.holds(fd) {
                    serve(fd, poller.ready(at: index))
                }
            }
            bury()
        }
    }

    private mutating func accept() {
        while case let (fd, _) = TCP.accept(from: listener), fd >= 0 {
            let socket = Descriptor(owning: fd)
            guard fd < connections.capacity else { continue }
            var tls: TLSConnection?
            if let identity {
                guard let made = try? TLSConnection(accepting: identity, wire: wire, pool: pool) else { continue }
                tls = consume made
            }
            connections.insert(StubConnection(socket: socket, tls: tls, pool: pool), at: fd)
            poller.add(fd, .read)
        }
    }

    // MARK: A connection's turn

    private mutating func serve(_ fd: Int32, _ ready: Poller.Interest) {
        if ready != [.write] { receive(fd) }
        pump(fd)
    }

    private mutating func receive(_ fd: Int32) {
        for _ in 0..<64 where !connections[fd].isGone {
            switch unsafe connections[fd].socket.receive(into: received, capacity: Self.room) {
            case .moved(let count):
                let bytes = unsafe UnsafeRawBufferPointer(start: received, count: count)
                if connections[fd].tls == nil { unsafe feed(fd, bytes) } else { unsafe open(fd, bytes) }
                if count < Self.room { return }
            case .wouldBlock: return
            case .ended, .failed: connections[fd].isGone = true
            }
        }
    }

    private mutating func open(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) {
        unsafe connections[fd].tls?.offer(bytes)
        if connections[fd].stage == .shaking, !shakeHands(fd) { return }
        while !connections[fd].isGone {
            guard let (count, last) = unsafe connections[fd].tls?.open(into: opened, room: Self.room) else { return }
            if count > 0 { unsafe feed(fd, UnsafeRawBufferPointer(start: opened, count: count)) }
            switch last {
            case .bytes: continue
            case .starved: return
            case .ended, .failed: connections[fd].isGone = true
            }
        }
    }

    /// Whether the handshake is done.
    private mutating func shakeHands(_ fd: Int32) -> Bool {
        switch connections[fd].tls?.shakeHands(host: "a client") {
        case .some(.done):
            let speaksHTTP2 = connections[fd].tls?.speaksHTTP2 == true
            if speaksHTTP2 { beginHTTP2(fd) } else { connections[fd].stage = .http1 }
            return true
        case .some(.underWay): return false
        case .some(.failed):
            connections[fd].isGone = true
            return false
        case .none: return false
        }
    }

    private mutating func beginHTTP2(_ fd: Int32) {
        connections[fd].session = HTTP2Session(scratch, isServer: true, connection: fd)
        connections[fd].stage = .http2
    }

    private mutating func feed(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) {
        if connections[fd].stage == .unknown { unsafe learnProtocol(fd, bytes) }
        if connections[fd].stage == .http2 { unsafe feedHTTP2(fd, bytes) } else { unsafe feedHTTP1(fd, bytes) }
    }

    /// In clear: HTTP/2 with prior knowledge begins with its preface (RFC 9113 §3.3), which comes in one piece here.
    private mutating func learnProtocol(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) {
        if case .whole = unsafe HTTP2Preface.find(in: bytes) { beginHTTP2(fd) } else { connections[fd].stage = .http1 }
    }

    // MARK: Bytes out

    /// Sends what there is to say, until there is no more or the kernel takes no more.
    mutating func pump(_ fd: Int32) {
        while !connections[fd].isGone {
            if connections[fd].holdsAnswers { resume(fd) }
            if connections[fd].stage == .http2 {
                connections[fd].session?.takeFrames()
                drain()
            }
            connections[fd].flush()
            if connections[fd].waiting > 0 || !connections[fd].holdsAnswers { break }
        }
        if connections[fd].isGone { return graves.append(fd) }
        let interest: Poller.Interest = connections[fd].waiting > 0 ? [.read, .write] : [.read]
        guard interest != connections[fd].interest else { return }
        connections[fd].interest = interest
        poller.change(fd, interest)
    }

    /// Answers that waited for room go on.
    private mutating func resume(_ fd: Int32) {
        connections[fd].holdsAnswers = false
        guard connections[fd].stage == .http2 else { return goOnHTTP1(fd) }
        var slot = answers.next(from: 0)
        while let at = slot {
            if answers[at].connection == fd { pumpHTTP2(at) }
            slot = answers.next(from: at + 1)
        }
    }

    // MARK: Time

    /// A millisecond has passed. Each event leaves by itself, as a provider's do.
    private mutating func tick() {
        wheel.advance(into: &due)
        for entry in due where answers.holds(entry.slot) && answers[entry.slot].serial == entry.serial {
            let fd = answers[entry.slot].connection
            answers[entry.slot].available += 1
            if answers[entry.slot].sent + answers[entry.slot].available < answers[entry.slot].request.count {
                wheel.add(entry, after: answers[entry.slot].request.pace)
            }
            if connections[fd].stage == .http2 { pumpHTTP2(entry.slot) } else { goOnHTTP1(fd) }
            pump(fd)
        }
        if wheel.count == 0 { ticker.stop() }
    }

    // MARK: Answers

    /// Begins an answer that may take a while.
    mutating func begin(_ request: StubRequest, connection: Int32, stream: Int32) -> Int32 {
        nextSerial &+= 1
        let slot = freeAnswers.popLast() ?? answers.ceiling
        answers.insert(StubAnswer(request, connection: connection, stream: stream, serial: nextSerial), at: slot)
        return slot
    }

    /// From now on its events come one by one.
    mutating func pace(_ slot: Int32) {
        let request = answers[slot].request
        guard request.kind == .events, request.pace > 0, !request.isHeld, request.count > 1 else { return }
        if wheel.count == 0 {
            let millisecond: Int64 = 1_000_000
            ticker.start(every: millisecond, first: Monotonic.now + millisecond)
        }
        wheel.add(Wheel.Entry(slot: slot, serial: answers[slot].serial), after: request.pace)
    }

    mutating func end(_ slot: Int32) {
        answers.remove(at: slot)
        freeAnswers.append(slot)
    }

    /// Closes what is gone, with what was under way on it.
    private mutating func bury() {
        while let fd = graves.popLast() {
            guard connections.holds(fd) else { continue }
            var slot = answers.next(from: 0)
            while let at = slot {
                if answers[at].connection == fd { end(at) }
                slot = answers.next(from: at + 1)
            }
            connections.remove(at: fd)
        }
    }
}
