internal import Configuration
internal import HTTP
internal import Routing
internal import Sockets

// MARK: - Beginning and end of an exchange

extension Worker {
    /// The first byte of a request is here.
    mutating func openExchange(on fd: Int32) {
        let id: Int32
        if let free = freeExchanges.popLast() {
            id = free
        } else {
            id = exchanges.ceiling
            exchanges.insert(Exchange(pool: pool, setup: setup), at: id)
        }
        requestNumber &+= 1
        exchanges[id].number = requestNumber
        exchanges[id].downstream = fd
        exchanges[id].startedAt = now
        exchanges[id].stage = .head
        downstreams[fd].exchange = id
        downstreams[fd].readDeadline = now + timeouts.head
    }

    /// Reads the head from the start of `bytes`; answers how many it took, 0 while it is incomplete.
    mutating func readHead(_ id: Int32, _ bytes: RawSpan) -> Int {
        let limits = setup.headLimits
        switch unsafe bytes.withUnsafeBytes({ unsafe exchanges[id].head.parse($0, limits: limits) }) {
        case .incomplete: return 0
        case .rejected(let rejection):
            refuse(id, Refusal(rejection))
            return bytes.byteCount
        case .complete(let count):
            exchanges[id].headBytes.isSecret = true  // the client's own credentials are among them
            exchanges[id].headBytes.hold(bytes.extracting(0..<count))
            begin(id)
            return count
        }
    }

    /// Whether the client's connection can carry another request after this answer.
    func mayKeepAlive(_ id: Int32) -> Bool {
        exchanges[id].head.keepAlive && !exchanges[id].answerEndsConnection && exchanges[id].request.isComplete && !draining
    }

    /// After an answer: the next request of the connection, or its end.
    mutating func nextRequest(_ client: Int32, keepAlive: Bool, requestUnread: Bool) {
        if downstreams[client].isStream {
            downstreams[client].stage = .closing
            downstreams[client].readDeadline = .max
            downstreams[client].inbound.release()
            return flushClientSoon(client)
        }
        guard keepAlive else { return closeWhenSent(client, requestUnread: requestUnread) }
        downstreams[client].readDeadline = now + timeouts.keepAlive
        flushClientSoon(client)
        if downstreams[client].stage == .reading, !downstreams[client].inbound.isEmpty { drainInbound(client) }
    }

    /// The answer cannot be completed: the client must be able to see that (RFC 9112 §8), so its connection ends without a terminator.
    mutating func truncate(_ id: Int32) {
        let client = exchanges[id].downstream
        endEchoMask(id)
        dropUpstream(id)
        if downstreams[client].isStream {
            flushDownstream(client)
            return resetStream(client, HTTP2Code.internalError)
        }
        closeExchange(id)
        closeWhenSent(client, requestUnread: false)
    }

    /// The client is gone: so is the work that was done for it.
    mutating func dropExchange(_ id: Int32) {
        dropUpstream(id)
        closeExchange(id)
    }

    mutating func dropUpstream(_ id: Int32) {
        cancelRace(id)
        let fd = exchanges[id].upstream
        guard fd >= 0 else { return }
        exchanges[id].upstream = -1
        buryUpstream(fd)
    }

    /// Empties the slot for the next request.
    mutating func closeExchange(_ id: Int32) {
        if exchanges[id].stage == .parked {
            parked.removeAll { $0 == id }
            held.removeAll { $0 == id }
        }
        if !awaiting.isEmpty {
            awaiting.removeAll { $0 == id }
            awaitingMayGoOn = true
        }
        if exchanges[id].stage == .resolving { resolving.removeAll { $0 == id } }
        leaveLook(id)
        dropReplay(id)
        settleTokens(id)
        record(id)
        if exchanges[id].stage == .head { exchanges[id].head.reset() }
        downstreams[exchanges[id].downstream].exchange = -1
        exchanges[id].headBytes.release()
        exchanges[id].requestTrailers.release()
        exchanges[id].answerTrailers.release()
        exchanges[id].clear()
        freeExchanges.append(id)
    }
}

extension Worker {
    /// So many bytes of lines are handed over before the next sweep: just under a block, so that the writer, whose waking interrupts a
    /// worker that has a lot to do, is not woken for less.
    private static var linesHanded: Int { 60 << 10 }

    /// One line in the access log for every request whose head was understood.
    private mutating func record(_ id: Int32) {
        guard let log = shared.accessLog, exchanges[id].stage > .head else { return }
        let isRouted = exchanges[id].lineup != nil
        // Taken out while it is written: the exchange is borrowed from the same worker.
        var lines = AccessLines(pool: pool)
        swap(&lines, &access)
        let provider = isRouted ? exchanges[id].setup.settings.providers[exchanges[id].provider].id : nil
        lines.add(exchanges[id], provider: provider, now: now, wall: wall)
        lines.hand(to: log, atLeast: Self.linesHanded)
        swap(&lines, &access)
    }
}

extension Exchange {
    /// Forgets the request; the storage stays for the next one.
    mutating func clear() {
        stage = .closed
        downstream = -1
        wantsWebSocket = false
        upstream = -1
        key = nil
        allowsOrigin = false
        tokens.release()
        lineup = nil
        candidate = nil
        position = 0
        isPinned = false
        reason = .order
        look.end()
        head.releaseFields()
        decoded.release()
        continueWasSent = false
        agent = ""
        session = .none
        findsHome = false
        model = ModelText()
        edit = RequestEdit()
        modelKey = 0
        preferred = -1
        alternate = -1
        attempts = Attempts()
        race = Race()
        tried = TriedPositions()
        hold = nil
        sentAt = 0
        wasSentInHTTP2 = false
        paidInsteadOf = nil
        response.reset()
        response.releaseFields()
        request.clear()
        answer.clear()
        status = 0
        ownBytes = 0
        answeredAt = 0
        isWhole = false
        interimAnswers = 0
        answerIsChunked = false
        answerEndsConnection = false
        answerLook.end()
        echo.clear()
    }

    /// Whether there is any event after which this request would be sent a second time, so that a copy of its body is worth keeping.
    var mayBeSentAgain: Bool {
        guard let candidate else { return false }
        return candidate.isRefreshable || (!isPinned && (lineup?.candidates.count ?? 0) > 1)
    }
}
