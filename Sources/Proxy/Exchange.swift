internal import Configuration
internal import HTTP
internal import OAuth
internal import Routing
internal import Sockets
internal import Synchronization

/// One request and its answer.
///
///     head ──▶ looking (its body is held) ──▶ choosing ──▶ parked (its refresh is under way) ─┐
///       └────────────────────────────────────▶   │ ◀───────────────────────────────────────┘
///                 ├──▶ resolving ──▶ connecting ──▶ sending ──▶ responding ──▶ closed
///                 └─────────────◀── sent again (DESIGN §8) ──┘
///
/// Slots are used again: nothing is allocated for a request once its worker has seen as many at a time. Flags stand side by side, since a
/// thousand streams are a thousand of these.
struct Exchange: ~Copyable {
    enum Stage: UInt8, Comparable {
        case closed, head, looking, choosing, parked, resolving, connecting, sending, responding
        static func < (left: Stage, right: Stage) -> Bool { left.rawValue < right.rawValue }
    }

    /// Names the request in logs and to the client.
    var number: UInt64 = 0
    /// Monotonic milliseconds of its first byte.
    var startedAt: Int64 = 0
    var downstream: Int32 = -1
    var upstream: Int32 = -1
    var stage = Stage.closed

    // The request
    var head: RequestHead
    var headBytes: ByteQueue
    var request: MessageBody
    /// Lines behind the body, with the empty line that ends them.
    var requestTrailers: ByteQueue
    var replay: ReplayCopy
    /// What is read of the body before a profile is chosen; its text, where it came coded.
    var look: BodyLook
    var decoded: ByteQueue
    /// The client asks for a WebSocket (RFC 6455), and the provider may agree to one.
    var wantsWebSocket = false
    /// The client has been told to send its body.
    var continueWasSent = false

    // What was decided
    /// The client key that it was sent with.
    var key: KeyPolicy?
    /// The settings that hold for it, whatever becomes of them meanwhile.
    var setup: Setup
    /// Whose profiles: the agent's id.
    var agent = ""
    /// What the client's conversation is known by.
    var session = AffinityKey.none
    var model = ModelText()
    var edit = RequestEdit()
    /// Its provider's place in `setup`, and in the worker's `origins`.
    var provider = 0
    var home = 0
    /// The same of where its candidate's requests go: another place, where the login says so.
    var origin = 0
    var restStart = 0
    var lineup: Lineup?
    var candidate: Candidate?
    var position = 0
    var isPinned = false
    var reason = ChoiceReason.order
    /// The session's first profile is gone: the one that serves it now takes its place.
    var findsHome = false
    /// It is a page's whose origin is admitted: its browser is told so.
    var allowsOrigin = false
    /// It was sent on a stream of an HTTP/2 connection the last time.
    var wasSentInHTTP2 = false
    /// Names the request's model (`ModelKey`); 0 while it is not known.
    var modelKey: UInt64 = 0
    /// The place in the line-up that the request's session prefers; -1 when it has no wish.
    var preferred = -1
    /// The place of the one that served the session last, for while the one that it prefers rests; -1: there was none.
    var alternate = -1
    var attempts = Attempts()
    /// The dials under way for it.
    var race = Race()
    /// The places in the line-up that it has done with.
    var tried = TriedPositions()
    /// Nobody could serve it, and it waits.
    var hold: Hold?
    /// The subscription, percent-encoded, in whose place a metered key was billed, and why.
    var paidInsteadOf: String?
    /// Monotonic milliseconds at which it was sent the last time.
    var sentAt: Int64 = 0

    // The answer
    /// What it costs, where the key has a budget.
    var tokens: Pooled<TokenCount>
    var response: ResponseHead
    var refusalLook = RefusalLook()
    var answer: MessageBody
    var echo: EchoMask
    var answerTrailers: ByteQueue
    /// The status sent to the client; 0 when it left before.
    var status = 0
    /// Monotonic milliseconds at which the answer began to go to the client; 0 before.
    var answeredAt: Int64 = 0
    /// The length of an answer of our own.
    var ownBytes = 0
    var interimAnswers = 0
    /// The client has been sent all of the answer.
    var isWhole = false
    var answerIsChunked = false
    var answerEndsConnection = false
    var answerLook: AnswerLook

    init(pool: BufferPool, setup: Setup) {
        self.setup = setup
        head = RequestHead(pool: pool)
        response = ResponseHead(pool: pool)
        look = BodyLook(pool: pool)
        headBytes = ByteQueue(pool: pool)
        request = MessageBody(pool: pool)
        answer = MessageBody(pool: pool)
        replay = ReplayCopy(pool: pool)
        requestTrailers = ByteQueue(pool: pool)
        answerTrailers = ByteQueue(pool: pool)
        decoded = ByteQueue(pool: pool)
        tokens = Pooled(pool: pool)
        answerLook = AnswerLook(pool: pool)
        echo = EchoMask(pool: pool)
    }

    /// Idle connections may be shared with requests of the same profile to the same place only.
    var poolKey: Int { candidate?.connectionKey ?? 0 }

    /// Nothing is counted or stored where the settings are those of the last request.
    mutating func begin(_ setup: Setup) {
        if self.setup !== setup { self.setup = setup }
    }
}

// MARK: - The path of a request, step by step (DESIGN §2)

extension Worker {
    /// The head is complete: everything that can be decided before a connection exists. A JSON body is looked into first, since the model
    /// it names may decide; then this goes on when enough of it is here.
    mutating func begin(_ id: Int32) {
        takeNews()
        exchanges[id].begin(setup)
        // A stream of HTTP/2 ends its body itself.
        let endsWithStream = downstreams[exchanges[id].downstream].isStream && exchanges[id].head.framing == .chunked
        exchanges[id].request.begin(endsWithStream ? .untilClose : exchanges[id].head.framing)
        exchanges[id].stage = .choosing
        downstreams[exchanges[id].downstream].readDeadline = .max
        guard admit(id), route(id) else { return }
        if beginLook(id, unsafe RawSpan(_unsafeBytes: exchanges[id].headBytes.bytes)) { return }
        decide(id)
    }

    /// 1. May this caller speak to us at all? Host, Origin, its user and its key are checked before anything is looked up.
    private mutating func admit(_ id: Int32) -> Bool {
        guard !downstreams[exchanges[id].downstream].caller.isOneTooMany else {
            exchanges[id].answerEndsConnection = true
            refuse(id, Refusal(.userLimit))
            return false
        }
        let bytes = unsafe RawSpan(_unsafeBytes: exchanges[id].headBytes.bytes)
        let isRemote = downstreams[exchanges[id].downstream].caller.door == .network
        if let refusal = exchanges[id].setup.gate.verdict(on: exchanges[id].head, bytes, takesAddresses: isRemote) {
            refuse(id, refusal)
            return false
        }
        exchanges[id].allowsOrigin = exchanges[id].head.contains(.origin)
        if exchanges[id].allowsOrigin, answerPreflight(id, bytes) { return false }
        guard admitCaller(id, bytes) else { return false }
        switch UpgradeWish.read(exchanges[id].head, bytes) {
        case .none: return true
        case .webSocket: exchanges[id].wantsWebSocket = true
        case .refused(let refusal):
            refuse(id, refusal)
            return false
        }
        return true
    }

    /// 2. Which provider is meant? `/-/…` is ours.
    private mutating func route(_ id: Int32) -> Bool {
        let bytes = unsafe RawSpan(_unsafeBytes: exchanges[id].headBytes.bytes)
        switch routed(id, bytes) {
        case .provider(let route):
            exchanges[id].provider = route.providerIndex
            exchanges[id].home = places[route.providerIndex]
            exchanges[id].origin = exchanges[id].home
            exchanges[id].restStart = route.restStart
            guard keyAllowsProvider(id) else { return false }
            return select(id, route, bytes)
        case .own(let start):
            let target = exchanges[id].head.target
            serveOwn(id, path: FieldText.string(bytes, target.lowerBound + start..<target.upperBound))
            return false
        case .unknown(let error):
            refuse(id, Refusal(error))
            return false
        }
    }

    /// 3. Which profiles, in which order? A pin leaves one, and never falls back silently; then the session's wish, then the order.
    mutating func choose(_ id: Int32) -> Bool {
        if exchanges[id].isPinned { return true }
        guard let candidates = exchanges[id].lineup?.candidates, !candidates.isEmpty else {
            holdOrRefuse(id, nobody(id))
            return false
        }
        switch choosePosition(id) {
        case .use(let position, let reason):
            exchanges[id].position = position
            exchanges[id].reason = reason
            exchanges[id].candidate = candidates[position]
        case .wait(_, let until):
            holdOrRefuse(id, everybodyRests(id, until: until))
            return false
        case .nobody:
            holdOrRefuse(id, nobody(id))
            return false
        }
        return true
    }

    /// 4. A credential that works now, or wait until its refresh is done.
    mutating func credential(_ id: Int32) {
        guard let candidate = exchanges[id].candidate else { return }
        switch candidate.readiness(now: wall) {
        case .ready: connect(id)
        case .early:
            shared.refreshes.ask(candidate, cause: .early(holding: candidate.fingerprint), replyTo: nil)
            connect(id)
        case .expired: park(id, cause: .expired)
        case .unusable: if !advance(id) { holdOrRefuse(id, nobody(id)) }
        }
    }

    /// 5. A connection from the pool, or a new one.
    mutating func connect(_ id: Int32) {
        exchanges[id].origin = exchanges[id].candidate?.moved.map { place(of: $0) } ?? exchanges[id].home
        if findStream(id) { return }
        guard let fd = pooled(for: id) else { return dial(id) }
        exchanges[id].upstream = fd
        connected(id)
    }

    /// The connection stands: head, what is kept of the body, and then whatever the client sends.
    mutating func connected(_ id: Int32) {
        let fd = exchanges[id].upstream
        exchanges[id].stage = .sending
        exchanges[id].response.reset()  // an earlier attempt may have ended within its head
        exchanges[id].attempts.began()
        exchanges[id].sentAt = now
        exchanges[id].candidate?.wasUsed.store(true, ordering: .relaxed)
        if let slot = exchanges[id].candidate?.slot { shared.standings.wasUsed(slot, now: wall) }
        if let limit = timeouts.firstByte { upstreams[fd].deadline = now + limit }
        exchanges[id].wasSentInHTTP2 = upstreams[fd].isStream
        if inject(id, into: fd) { relay(id, fd) }
    }

    /// 6. The upstream's head: the client's credentials and hop-by-hop fields out, ours in. False: its connection takes no request any more.
    private mutating func inject(_ id: Int32, into fd: Int32) -> Bool {
        let bytes = unsafe RawSpan(_unsafeBytes: exchanges[id].headBytes.bytes)
        unsafe bytes.withUnsafeBytes { unsafe exchanges[id].head.restoreFields(from: $0) }  // an earlier attempt may have given them back
        let origin = exchanges[id].origin
        let injector = Injector(
            hostLine: origins[origin].hostLine, basePath: origins[origin].basePath, candidate: exchanges[id].candidate,
            restStart: exchanges[id].restStart, isUpgrade: exchanges[id].wantsWebSocket, edit: exchanges[id].edit)
        var output = ByteQueue(pool: pool)
        output.take(from: &upstreams[fd].outbound)
        output.isSecret = true
        let secretsFrom = injector.write(exchanges[id].head, bytes, to: &output)
        upstreams[fd].outbound.take(from: &output)
        holdLessOfHead(id)
        return sendRequestHead(id, to: fd, secretsFrom: secretsFrom)
    }

    /// 7. The body up as it comes, the answer down as it comes (`RequestRelay`, `ResponseRelay`).
    private mutating func relay(_ id: Int32, _ fd: Int32) {
        if exchanges[id].replay.isWhole { exchanges[id].replay.rewind() } else { prepareReplay(id) }
        sendHeld(id, to: fd)
        let client = exchanges[id].downstream
        if exchanges[id].head.expectsContinue, !exchanges[id].request.isComplete, downstreams[client].inbound.isEmpty,
            exchanges[id].request.byteCount == 0, !exchanges[id].continueWasSent
        {
            sendContinue(to: client)
        }
        if !exchanges[id].request.isComplete { downstreams[client].readDeadline = now + timeouts.bodyIdle }
        flushSoon(fd)
    }

    /// 8. The answer is complete: keep both connections where that is safe, and go on with the client's next request.
    mutating func finish(_ id: Int32, upstreamIsClean: Bool) {
        let client = exchanges[id].downstream
        let fd = exchanges[id].upstream
        exchanges[id].isWhole = true
        endAnswer(id)
        downstreams[client].endsByReset = false
        let keepsClient = mayKeepAlive(id)
        let requestUnread = !exchanges[id].request.isComplete
        if fd >= 0 {
            let isIntact = upstreamIsClean && !upstreams[fd].isDeaf && upstreams[fd].waiting == 0
            // A body that it was sent half of would be taken to begin in the next request.
            let keepsUpstream = isIntact && exchanges[id].response.keepAlive && !requestUnread && exchanges[id].replay.isSent
            if keepsUpstream, !upstreams[fd].isStream { keepUpstream(fd) } else { buryUpstream(fd) }
        }
        closeExchange(id)
        nextRequest(client, keepAlive: keepsClient, requestUnread: requestUnread)
    }
}
