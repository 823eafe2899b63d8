internal import HTTP
internal import Sockets

// MARK: - HTTP/2: many requests at a time

extension Upstream {
    mutating func feedHTTP2(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) {
        guard let session = connections[fd].session else { return }
        let isUsable = unsafe session.receive(bytes, now: Clock.monotonic())
        drain()
        if !isUsable {
            connections[fd].flush()
            connections[fd].isGone = true
        }
    }

    /// Acts on all events; those that acting brings about are acted on as well.
    mutating func drain() {
        guard scratch.eventCount > 0 else { return }
        var index = 0
        while index < scratch.eventCount {
            let event = scratch.event(index)
            index += 1
            if connections.holds(event.connection) { act(on: event) }
        }
        scratch.clear()
    }

    private mutating func act(on event: HTTP2Event) {
        let fd = event.connection
        guard let session = connections[fd].session else { return }
        // A stream that began in this very call has been given its slot since.
        let slot = event.slot >= 0 ? event.slot : session.slot(of: event.stream) ?? -1
        switch event.kind {
        case .head: if session.slot(of: event.stream) == -1 { beginHTTP2(event, session) }
        case .data:
            session.creditConnection(event.count)
            session.credit(event.stream, event.count)
        case .ended, .trailers: if holds(slot, event) { respondHTTP2(slot, session) }
        case .wanted: if holds(slot, event) { pumpHTTP2(slot) }
        case .closed: if holds(slot, event) { end(slot) }
        case .goAway, .settings, .pong: break
        }
    }

    private func holds(_ slot: Int32, _ event: HTTP2Event) -> Bool {
        slot >= 0 && answers.holds(slot) && answers[slot].connection == event.connection && answers[slot].stream == event.stream
    }

    private mutating func beginHTTP2(_ event: HTTP2Event, _ session: HTTP2Session) {
        let lines = unsafe scratch.text(of: event)
        guard case .complete = unsafe head.parse(lines, limits: HeadLimits()) else {
            return session.reset(event.stream, HTTP2Code.protocolError)
        }
        let request = unsafe Self.judge(head, lines, authorization, account)
        let slot = begin(request, connection: event.connection, stream: event.stream)
        session.tie(event.stream, to: slot)
    }

    /// The whole request is here.
    private mutating func respondHTTP2(_ slot: Int32, _ session: HTTP2Session) {
        unsafe session.respond(content.head(of: answers[slot].request), stream: answers[slot].stream, slot: slot, ends: false)
        pace(slot)
        pumpHTTP2(slot)
    }

    /// Says as much of an answer as there is room for: on the connection, and in the peer's windows.
    mutating func pumpHTTP2(_ slot: Int32) {
        let fd = answers[slot].connection
        guard let session = connections[fd].session else { return }
        var budget = 64 << 10
        while !answers[slot].isComplete, !connections[fd].isGone {
            guard connections[fd].waiting < StubConnection.heldBytes, budget > 0 else {
                connections[fd].holdsAnswers = true
                return
            }
            let isStream = answers[slot].request.kind == .events
            let taken = isStream ? sendEvent(slot, session) : sendPiece(slot, session)
            guard taken > 0 else { return }
            if isStream || taken == StubContent.pieceSize { connections[fd].seal() }
            budget -= taken
        }
    }

    private mutating func sendPiece(_ slot: Int32, _ session: HTTP2Session) -> Int {
        let piece = unsafe content.piece(of: answers[slot].request, after: answers[slot].sent)
        let isLast = answers[slot].sent + piece.count == answers[slot].request.count
        let taken = unsafe session.send(piece, stream: answers[slot].stream, slot: slot, ends: isLast, hasTrailers: false)
        answers[slot].sent += taken
        return taken
    }

    /// Sends the rest of the event under way, or the next one.
    private mutating func sendEvent(_ slot: Int32, _ session: HTTP2Session) -> Int {
        if answers[slot].eventTaken == answers[slot].eventCount {
            guard answers[slot].available > 0 else { return 0 }
            let isLast = answers[slot].isAtLastEvent
            answers[slot].eventCount = unsafe withUnsafeMutableBytes(of: &answers[slot].event) { room in
                unsafe EventText.write(isLast: isLast, at: Monotonic.now, to: room.baseAddress.unsafelyUnwrapped)
            }
            answers[slot].eventTaken = 0
            answers[slot].sent += 1
            answers[slot].available -= 1
        }
        let (start, count) = (answers[slot].eventTaken, answers[slot].eventCount)
        let ends = answers[slot].sent == answers[slot].request.count
        let stream = answers[slot].stream
        let taken = unsafe withUnsafeBytes(of: &answers[slot].event) { text in
            unsafe session.send(
                UnsafeRawBufferPointer(rebasing: text[start..<count]), stream: stream, slot: slot, ends: ends, hasTrailers: false)
        }
        answers[slot].eventTaken += taken
        return taken
    }
}
