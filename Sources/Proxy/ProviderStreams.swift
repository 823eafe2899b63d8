internal import HTTP
internal import Sockets
internal import TLS

// MARK: - HTTP/2 to providers: a stream is an `Upstream` without a socket

extension Worker {
    /// Finds the exchange a stream, or has it wait for one; false when it is to dial.
    mutating func findStream(_ id: Int32) -> Bool {
        guard mayUseHTTP2(id) else { return false }
        switch streamChoice(id) {
        case .use(let carrier): beginStream(id, on: carrier)
        case .wait: awaitStream(id)
        case .alone: return false
        case .dial:
            dialling.append(Dialler(exchange: id, number: exchanges[id].number))
            return false
        }
        return true
    }

    /// WebSockets have a connection of their own; the others find out by ALPN what the provider speaks.
    func mayUseHTTP2(_ id: Int32) -> Bool {
        let origin = exchanges[id].origin
        return !exchanges[id].wantsWebSocket && origins[origin].mayUseHTTP2
    }

    private mutating func streamChoice(_ id: Int32) -> CarrierPool.Choice {
        let key = exchanges[id].poolKey
        if origins[exchanges[id].origin].speaksHTTP2 == false, carrierPool.list(key).isEmpty { return .alone }
        var standings = InlineArray<4, CarrierPool.Standing>(repeating: CarrierPool.Standing(carrier: -1, streams: 0, limit: 0))
        var count = 0
        for carrier in carrierPool.list(key) where count < 4 && isReady(carrier) {
            standings[count] = CarrierPool.Standing(
                carrier: carrier, streams: carriers[carrier].streamCount, limit: carriers[carrier].session.peerStreams)
            count += 1
        }
        return CarrierPool.choose(standings, count: count, dialling: otherDiallers(id, key))
    }

    /// How many others dial for the same key; forgets those that have done.
    private mutating func otherDiallers(_ id: Int32, _ key: Int) -> Int {
        var others = 0
        var at = 0
        while at < dialling.count {
            guard isDialling(dialling[at]) else {
                dialling.swapAt(at, dialling.count - 1)
                dialling.removeLast()
                continue
            }
            if dialling[at].exchange != id, exchanges[dialling[at].exchange].poolKey == key { others += 1 }
            at += 1
        }
        return others
    }

    private func isDialling(_ dialler: Dialler) -> Bool {
        guard exchanges.holds(dialler.exchange), exchanges[dialler.exchange].number == dialler.number else { return false }
        return exchanges[dialler.exchange].stage == .resolving || exchanges[dialler.exchange].stage == .connecting
    }

    /// A connection that was silent may have been closed in this very turn, which a POST must not meet (DESIGN §8).
    private func isReady(_ carrier: Int32) -> Bool {
        guard carriers[carrier].stage == .open else { return false }
        let isTrusted = carriers[carrier].streamCount > 0 || now - carriers[carrier].lastHeard < Self.trustedSilenceMilliseconds
        return isTrusted || carriers[carrier].socket.isQuiet
    }
    private static var trustedSilenceMilliseconds: Int64 { 1_000 }

    private mutating func awaitStream(_ id: Int32) {
        exchanges[id].stage = .connecting
        holdLessOfHead(id)
        awaiting.append(id)
    }

    /// Those who waited try again: a connection has come, or will not, or has room.
    mutating func serveAwaiting() {
        guard !awaiting.isEmpty else { return }
        let waiting = awaiting
        awaiting.removeAll(keepingCapacity: true)
        for id in waiting where exchanges.holds(id) && exchanges[id].stage == .connecting && exchanges[id].upstream < 0 { connect(id) }
    }

    private mutating func beginStream(_ id: Int32, on carrier: Int32) {
        guard let slot = streamNumbers.take() else { return refuse(id, Refusal(.outOfDescriptors)) }
        upstreams.insert(
            Upstream(streamOf: carrier, origin: exchanges[id].origin, poolKey: exchanges[id].poolKey, exchange: id, pool: pool), at: slot)
        carriers[carrier].streamCount += 1
        carriers[carrier].deadline = .max
        exchanges[id].upstream = slot
        connected(id)
    }

    /// The handshake has agreed on HTTP/2: the connection carries streams from now on, the first one for whoever dialled.
    mutating func carryStreams(ofUpstream fd: Int32) {
        let id = upstreams[fd].exchange
        let (origin, key, interest) = (upstreams[fd].origin, upstreams[fd].poolKey, upstreams[fd].interest)
        guard let socket = upstreams[fd].takeSocket() else { return }
        let session = HTTP2Session(scratch, isServer: false, connection: fd)
        var carrier = Carrier(
            socket: socket, session: session, peer: .provider(origin: origin, key: key), interest: interest,
            deadline: now + timeouts.upstreamIdle)
        carrier.tls = upstreams[fd].takeTLS()
        carrier.lastHeard = now
        upstreams.remove(at: fd)
        carriers.insert(carrier, at: fd)
        carrierPool.add(fd, key: key)
        origins[origin].speaksHTTP2 = true
        stir(fd)
        exchanges[id].upstream = -1
        beginStream(id, on: fd)
        openCarrier(fd)
        awaitingMayGoOn = true
    }

    // MARK: Bytes up

    /// The lines that have just been written for a provider are a head. For a stream they become a frame now. False: no stream could be had.
    mutating func sendRequestHead(_ id: Int32, to slot: Int32, secretsFrom: Int) -> Bool {
        guard upstreams[slot].isStream else { return true }
        let fd = upstreams[slot].stream.carrier
        let ends = !exchanges[id].head.framing.mayHaveBytes
        let scheme: StaticString = origins[upstreams[slot].origin].usesTLS ? "https" : "http"
        flushCrowd(on: fd)
        let number = unsafe carriers[fd].session.request(
            upstreams[slot].outbound.mutableBytes, slot: slot, scheme: scheme, secretsFrom: secretsFrom, ends: ends)
        upstreams[slot].outbound.wipe()
        carriers[fd].heads += 1
        stir(fd)
        guard let number else {
            upstreams[slot].stream.isClosed = true
            leavePool(fd)
            settle(id, .refusedStream)
            return false
        }
        upstreams[slot].stream.number = number
        upstreams[slot].stream.hasEnded = ends
        return true
    }

    /// Body bytes for a stream: framed from where they lie, as far as there is room. `isLast`: nothing follows but trailers.
    mutating func writeStream(_ slot: Int32, _ run: RawSpan) {
        let fd = upstreams[slot].stream.carrier
        var at = 0
        if upstreams[slot].outbound.isEmpty {
            repeat {
                let room = max(0, Carrier.heldBytes - carriers[fd].waiting)
                let session = carriers[fd].session
                let rest = run.extracting(at..<run.byteCount)
                at += unsafe rest.withUnsafeBytes { unsafe upstreams[slot].stream.pour($0, into: session, slot: slot, room: room) }
            } while at < run.byteCount && makeRoom(fd)
            stir(fd)
        }
        if at < run.byteCount { upstreams[slot].outbound.append(run.extracting(at..<run.byteCount)) }
        flushSoon(slot)
    }

    /// A turn that brings much does not wait for its end: what is framed leaves at once. What a broken connection comes to is seen by the flush
    /// that ends the turn.
    private mutating func makeRoom(_ fd: Int32) -> Bool {
        guard carriers[fd].waiting >= Carrier.heldBytes else { return false }
        _ = carriers[fd].flush()
        return carriers[fd].waiting < Carrier.heldBytes
    }

    /// Frames what waits for a provider's stream.
    mutating func pourUpstream(_ slot: Int32) {
        let fd = upstreams[slot].stream.carrier
        guard upstreams[slot].stream.number > 0, carriers[fd].stage < .ending else { return }
        let room = Carrier.heldBytes - carriers[fd].waiting
        let session = carriers[fd].session
        if room > 0 || upstreams[slot].outbound.isEmpty { _ = upstreams[slot].pour(into: session, slot: slot, room: room) }
        if carriers[fd].waiting >= Carrier.heldBytes { carriers[fd].holdsStreams = true }
        stir(fd)
    }

    /// Gives the provider room for as much as the client has taken.
    mutating func creditUpstream(_ slot: Int32) {
        let id = upstreams[slot].exchange
        let held = id < 0 ? 0 : downstreams[exchanges[id].downstream].waiting
        if held >= (held > 0 && holdsLittle(for: slot) ? Worker.littleRoom : Worker.heldBytes) { return }
        guard !upstreams[slot].stream.isClosed else { return }
        let fd = upstreams[slot].stream.carrier
        let due = upstreams[slot].stream.uncredited - upstreams[slot].inbound.count
        if due > 0 {
            upstreams[slot].stream.uncredited -= due
            upstreams[slot].stream.credited += due
            carriers[fd].session.credit(upstreams[slot].stream.number, due)
            stir(fd)
        }
        if held < Worker.littleRoom { widen(slot) }
    }

    /// A long answer whose client takes it as it comes is given a wider window, so that a distant provider need not wait for ours.
    private mutating func widen(_ slot: Int32) {
        guard !upstreams[slot].stream.isWide, !upstreams[slot].stream.peerHasEnded,
            upstreams[slot].stream.credited >= Int(HTTP2Session.answerWindow) / 2
        else { return }
        upstreams[slot].stream.isWide = true
        let fd = upstreams[slot].stream.carrier
        carriers[fd].session.widen(upstreams[slot].stream.number)
        stir(fd)
    }

    // MARK: Events

    /// One event of a provider's connection.
    mutating func serveProviderStream(_ event: HTTP2Event) {
        let fd = event.connection
        switch event.kind {
        case .data: carriers[fd].session.creditConnection(event.count)
        case .goAway: return leavePool(fd)
        case .settings:
            awaitingMayGoOn = true
            return
        case .pong: return carriers[fd].pingDeadline = .max
        default: break
        }
        let slot = event.slot
        guard slot >= 0, upstreams.holds(slot), upstreams[slot].stream.carrier == fd else { return }
        switch event.kind {
        case .head where upstreams[slot].exchange >= 0: feedUpstream(slot, unsafe RawSpan(_unsafeBytes: scratch.text(of: event)))
        case .data:
            upstreams[slot].stream.uncredited += event.count
            if upstreams[slot].exchange >= 0 { feedUpstream(slot, unsafe RawSpan(_unsafeBytes: scratch.body(of: event))) }
            if upstreams[slot].stage != .gone { creditUpstream(slot) }
        case .trailers:
            let id = upstreams[slot].exchange
            if id >= 0 { unsafe exchanges[id].answerTrailers.append(scratch.text(of: event)) }
            answerEnded(slot)
        case .ended: answerEnded(slot)
        case .closed:
            upstreams[slot].stream.isClosed = true
            streamClosed(slot, event.code)
        case .wanted: flushUpstream(slot)
        default: break
        }
    }

    /// The provider has sent all of its answer.
    private mutating func answerEnded(_ slot: Int32) {
        upstreams[slot].stream.peerHasEnded = true
        let id = upstreams[slot].exchange
        guard id >= 0 else { return }
        if exchanges[id].refusalLook.state == .waiting {
            endLook(id, slot)
            guard upstreams[slot].exchange == id else { return }
        }
        responseEnded(id, orderly: true)
    }

    /// nghttp2 has let go of the stream, or its connection is no more.
    private mutating func streamClosed(_ slot: Int32, _ code: UInt32) {
        let id = upstreams[slot].exchange
        let fd = upstreams[slot].stream.carrier
        if id >= 0, code == HTTP2Code.http11Required { origins[upstreams[slot].origin].mayUseHTTP2 = false }
        let wasRefused = code == HTTP2Code.refusedStream || code == HTTP2Code.http11Required
        if id >= 0 {
            if exchanges[id].refusalLook.state == .waiting { endLook(id, slot) }
            if upstreams[slot].exchange == id {
                buryUpstream(slot)
                exchanges[id].upstream = -1
                if wasRefused, exchanges[id].stage == .sending { settle(id, .refusedStream) } else { responseEnded(id, orderly: false) }
            }
        }
        upstreams.remove(at: slot)
        streamNumbers.give(slot)
        carriers[fd].streamCount -= 1
        awaitingMayGoOn = true
        guard carriers[fd].streamCount == 0 else { return }
        carriers[fd].deadline = now + timeouts.upstreamIdle
        if carriers[fd].stage == .leaving { carriers[fd].session.terminate(HTTP2Code.none) }
        stir(fd)
    }

    /// A stream that never began.
    mutating func forgetStream(_ slot: Int32) {
        let fd = upstreams[slot].stream.carrier
        streamNumbers.give(slot)
        if carriers.holds(fd) { carriers[fd].streamCount -= 1 }
    }

    /// The connection is over with all that it carried.
    mutating func removeProviderStream(_ slot: Int32) {
        upstreams[slot].stream.isClosed = true
        streamClosed(slot, HTTP2Code.internalError)
    }

    // MARK: Ends

    /// Lets go of a stream: the provider is told, unless both messages were complete.
    mutating func buryStream(_ slot: Int32) {
        guard upstreams[slot].stage != .gone else { return }
        upstreams[slot].stage = .gone
        upstreams[slot].exchange = -1
        upstreams[slot].deadline = .max
        upstreams[slot].outbound.wipe()
        let fd = upstreams[slot].stream.carrier
        guard upstreams[slot].stream.number > 0 else { return graves.append(slot) }
        guard !upstreams[slot].stream.isClosed, carriers[fd].stage < .ending else { return }
        if upstreams[slot].stream.peerHasEnded, upstreams[slot].stream.hasEnded { return }
        carriers[fd].session.reset(upstreams[slot].stream.number, HTTP2Code.cancel)
        stir(fd)
    }

    /// New requests go elsewhere; those under way go on (RFC 9113 §6.8).
    mutating func leavePool(_ fd: Int32) {
        guard carriers[fd].stage == .open, case .provider(_, let key) = carriers[fd].peer else { return }
        carriers[fd].stage = .leaving
        carriers[fd].hasSaidLast = true
        carrierPool.remove(fd, key: key)
        if carriers[fd].streamCount == 0 { carriers[fd].session.terminate(HTTP2Code.none) }
        awaitingMayGoOn = true
        stir(fd)
    }

    /// A connection with requests under way and nothing heard for long is asked whether it is still there.
    mutating func askAfter(_ fd: Int32) {
        if now >= carriers[fd].pingDeadline { return buryCarrier(fd) }
        guard carriers[fd].streamCount > 0, carriers[fd].pingDeadline == .max else { return }
        guard now - max(carriers[fd].lastHeard, carriers[fd].askedAt) >= Self.silenceMilliseconds else { return }
        carriers[fd].askedAt = now
        carriers[fd].pingDeadline = now + Self.pongMilliseconds
        carriers[fd].session.ping()
        stir(fd)
    }
    private static var silenceMilliseconds: Int64 { 30_000 }
    private static var pongMilliseconds: Int64 { 15_000 }
}

/// An exchange whose dial may bring a connection that others can use.
struct Dialler {
    let exchange: Int32
    /// The request's number: slots of exchanges are used again.
    let number: UInt64
}
