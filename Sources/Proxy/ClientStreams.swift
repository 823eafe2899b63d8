internal import HTTP
internal import Sockets

// MARK: - HTTP/2 from clients: a stream is a `Downstream` without a socket

extension Worker {
    /// The client's first bytes are HTTP/2's preface (RFC 9113 §3.3): its connection carries streams from now on.
    mutating func carryStreams(of fd: Int32, _ bytes: UnsafeRawBufferPointer) {
        beCarrier(fd)
        if carriers.holds(fd) { unsafe feedCarrier(fd, bytes) }
    }

    /// ALPN has agreed on HTTP/2.
    mutating func carryStreams(of fd: Int32) {
        beCarrier(fd)
        if carriers.holds(fd) { openCarrier(fd) }
    }

    private mutating func beCarrier(_ fd: Int32) {
        guard let socket = downstreams[fd].takeSocket() else { return }
        let caller = downstreams[fd].caller
        let interest = downstreams[fd].interest
        let session = HTTP2Session(scratch, isServer: true, connection: fd)
        var carrier = Carrier(
            socket: socket, session: session, peer: .client(caller), interest: interest, deadline: now + timeouts.keepAlive)
        carrier.tls = downstreams[fd].takeTLS()
        downstreams.remove(at: fd)
        carriers.insert(carrier, at: fd)
        clientCarriers += 1
        if draining { leave(fd) }
        stir(fd)
    }

    /// One event of a client's stream.
    mutating func serveClientStream(_ event: HTTP2Event) {
        let fd = event.connection
        if event.kind == .data { carriers[fd].session.creditConnection(event.count) }
        // A stream that began in this very call has been given its slot since.
        let known = event.slot >= 0 ? event.slot : carriers[fd].session.slot(of: event.stream)
        if event.kind == .head {
            if known == -1 { beginStream(event) }
            return
        }
        guard let slot = known, slot >= 0, downstreams.holds(slot), downstreams[slot].stream.carrier == fd else { return }
        switch event.kind {
        case .data: feedStream(slot, unsafe RawSpan(_unsafeBytes: scratch.body(of: event)))
        case .trailers:
            let id = downstreams[slot].exchange
            if id >= 0 { unsafe exchanges[id].requestTrailers.append(scratch.text(of: event)) }
            streamEnded(slot)
        case .ended: streamEnded(slot)
        case .closed:
            downstreams[slot].stream.isClosed = true
            removeClientStream(slot)
        case .wanted: flushDownstream(slot)
        case .head, .goAway, .settings, .pong: break
        }
    }

    /// A request's head. A stream that has been reset meanwhile costs nothing more.
    private mutating func beginStream(_ event: HTTP2Event) {
        let fd = event.connection
        guard case .client(let caller) = carriers[fd].peer, carriers[fd].stage < .ending, let slot = streamNumbers.take() else {
            return carriers[fd].session.reset(event.stream, HTTP2Code.refusedStream)
        }
        downstreams.insert(Downstream(stream: event.stream, of: fd, caller: caller, pool: pool), at: slot)
        carriers[fd].session.tie(event.stream, to: slot)
        carriers[fd].streamCount += 1
        openExchange(on: slot)
        let id = downstreams[slot].exchange
        let lines = unsafe RawSpan(_unsafeBytes: scratch.text(of: event))
        guard readHead(id, lines) > 0 else { return resetStream(slot, HTTP2Code.protocolError) }
    }

    private mutating func feedStream(_ slot: Int32, _ bytes: RawSpan) {
        downstreams[slot].stream.uncredited += bytes.byteCount
        switch downstreams[slot].stage {
        case .reading: feedDownstream(slot, bytes)
        case .ended: creditStream(slot)  // answered: read and dropped
        case .closing, .lingering, .gone: break
        }
    }

    /// The client has sent all of its request.
    private mutating func streamEnded(_ slot: Int32) {
        downstreams[slot].stream.peerHasEnded = true
        if downstreams[slot].stage == .reading, downstreams[slot].inbound.isEmpty { bodyEnded(slot) }
    }

    /// All of the request's body has been used; where only the stream's end delimits it, it is whole now.
    mutating func bodyEnded(_ slot: Int32) {
        let id = downstreams[slot].exchange
        guard id >= 0, !exchanges[id].request.isComplete else { return }
        exchanges[id].request.endedWithConnection()
        // nghttp2 has compared a length that was told with what came (RFC 9113 §8.1.1), so that this is not to be reached.
        guard exchanges[id].request.isComplete else { return resetStream(slot, HTTP2Code.protocolError) }
        downstreams[slot].readDeadline = .max
        if exchanges[id].stage == .looking { return endLook(id) }
        let fd = exchanges[id].upstream
        if fd >= 0, exchanges[id].stage >= .sending, exchanges[id].replay.isSent { endRequest(id, to: fd) }
    }

    // MARK: Bytes out

    /// The lines that have just been written to a client are a head. For a stream they become a frame now.
    mutating func sendHead(to client: Int32, ends: Bool = false, isInterim: Bool = false) {
        guard downstreams[client].isStream else { return }
        let fd = downstreams[client].stream.carrier
        let session = carriers[fd].session
        let number = downstreams[client].stream.number
        if isInterim {
            unsafe session.inform(downstreams[client].outbound.mutableBytes, stream: number)
        } else {
            unsafe session.respond(downstreams[client].outbound.mutableBytes, stream: number, slot: client, ends: ends)
            downstreams[client].stream.hasEnded = ends
        }
        downstreams[client].outbound.release()
        stir(fd)
    }

    /// Frames what waits for a client's stream; applies the end that was decided once all is gone.
    mutating func flushStream(_ slot: Int32) {
        let fd = downstreams[slot].stream.carrier
        guard carriers[fd].stage < .ending else { return }
        let room = Carrier.heldBytes - carriers[fd].waiting
        var sent = 0
        if room > 0 || downstreams[slot].outbound.isEmpty {
            sent = downstreams[slot].pour(into: carriers[fd].session, slot: slot, room: room)
        }
        stir(fd)
        if downstreams[slot].outbound.isEmpty {
            downstreams[slot].writeDeadline = .max
            if downstreams[slot].stage == .closing, downstreams[slot].stream.hasEnded { streamIsAnswered(slot) }
        } else {
            if sent >= room || room <= 0 { carriers[fd].holdsStreams = true }
            if sent > 0 || downstreams[slot].writeDeadline == .max { downstreams[slot].writeDeadline = now + timeouts.streamStall }
        }
        updateInterest(ofDownstream: slot)
        let id = downstreams[slot].exchange
        if id >= 0, exchanges[id].upstream >= 0 { updateInterest(ofUpstream: exchanges[id].upstream) }
    }

    /// The whole answer is on its way. What the client still sends of its request is not wanted, and it may be told so (RFC 9113 §8.1); but
    /// curl 7.88 forgets the answer then. So it is first let finish, as it is on HTTP/1.1.
    private mutating func streamIsAnswered(_ slot: Int32) {
        downstreams[slot].stage = .ended
        guard !downstreams[slot].stream.peerHasEnded else { return }
        downstreams[slot].inbound.release()
        creditStream(slot)
        downstreams[slot].readDeadline = now + Worker.lingerMilliseconds
    }

    /// It goes on sending a body that was answered long ago.
    mutating func endLingering(_ slot: Int32) {
        downstreams[slot].readDeadline = .max
        let fd = downstreams[slot].stream.carrier
        carriers[fd].session.reset(downstreams[slot].stream.number, HTTP2Code.none)
        stir(fd)
    }

    /// Gives the client room for as much as has been passed on.
    mutating func creditStream(_ slot: Int32) {
        let due = downstreams[slot].stream.uncredited - downstreams[slot].inbound.count
        guard due > 0, !downstreams[slot].stream.isClosed else { return }
        let fd = downstreams[slot].stream.carrier
        downstreams[slot].stream.uncredited -= due
        carriers[fd].session.credit(downstreams[slot].stream.number, due)
        stir(fd)
    }

    // MARK: Ends

    /// Ends a stream with an error; its exchange is over.
    mutating func resetStream(_ slot: Int32, _ code: UInt32) {
        guard downstreams[slot].stage != .gone else { return }
        downstreams[slot].stage = .gone
        downstreams[slot].outbound.release()
        let fd = downstreams[slot].stream.carrier
        if !downstreams[slot].stream.isClosed, carriers[fd].stage < .ending {
            carriers[fd].session.reset(downstreams[slot].stream.number, code)
            stir(fd)
        }
        let id = downstreams[slot].exchange
        if id >= 0 { dropExchange(id) }
    }

    /// nghttp2 has let go of the stream, or its connection is no more.
    mutating func removeClientStream(_ slot: Int32) {
        downstreams[slot].stream.isClosed = true
        resetStream(slot, HTTP2Code.cancel)
        let fd = downstreams[slot].stream.carrier
        downstreams.remove(at: slot)
        streamNumbers.give(slot)
        carriers[fd].streamCount -= 1
        guard carriers[fd].streamCount == 0 else { return }
        if carriers[fd].stage == .open { carriers[fd].deadline = now + timeouts.keepAlive }
        if carriers[fd].stage == .leaving, carriers[fd].hasSaidLast { carriers[fd].session.terminate(HTTP2Code.none) }
        stir(fd)
    }

    // MARK: Time

    /// A head that has begun is complete in time, counted from its first byte, or the connection ends.
    mutating func watchHead(_ fd: Int32) {
        if !carriers[fd].session.isInHead {
            carriers[fd].headDeadline = .max
        } else if carriers[fd].headDeadline == .max {
            carriers[fd].headDeadline = now + timeouts.head
        }
    }

    /// How long after our wish to leave a client may still send requests.
    private static var lastWordMilliseconds: Int64 { 200 }

    /// Serves what is under way and what is on its way, and nothing after that (RFC 9113 §6.8).
    mutating func leave(_ fd: Int32) {
        guard carriers[fd].stage == .open, carriers[fd].isClient else { return }
        carriers[fd].stage = .leaving
        carriers[fd].deadline = now + Self.lastWordMilliseconds
        carriers[fd].session.announceEnd()
        stir(fd)
    }

    /// Deadlines of a connection with streams.
    mutating func sweepCarrier(_ fd: Int32) {
        switch carriers[fd].stage {
        case .gone: return
        case .ending where now >= carriers[fd].writeDeadline, .lingering where now >= carriers[fd].deadline: return buryCarrier(fd)
        case .ending, .lingering: return
        case .leaving where !carriers[fd].hasSaidLast:
            guard now >= carriers[fd].deadline else { return }
            // A round trip has passed: what the client sent before it knew is here.
            carriers[fd].hasSaidLast = true
            if carriers[fd].streamCount > 0 { carriers[fd].session.goAway() } else { carriers[fd].session.terminate(HTTP2Code.none) }
            return stir(fd)
        case .open, .leaving: break
        }
        if now >= carriers[fd].writeDeadline { return buryCarrier(fd) }
        if now >= carriers[fd].headDeadline {
            carriers[fd].session.terminate(HTTP2Code.enhanceYourCalm)
            return end(fd)
        }
        if !carriers[fd].isClient { askAfter(fd) }
        if carriers[fd].stage < .ending, now >= carriers[fd].deadline, carriers[fd].streamCount == 0 {
            carriers[fd].session.terminate(HTTP2Code.none)
            end(fd)
        }
    }
}
