internal import HTTP
internal import Sockets

// MARK: - HTTP/2: a stream is a unit

extension Load {
    /// Frames a request: all that the peer's windows allow.
    mutating func startHTTP2(_ unit: Int32) {
        let fd = units[unit].connection
        guard let session = connections[fd].session else { return }
        let head = unsafe UnsafeMutableRawBufferPointer(rebasing: message[..<headCount])
        let stream = unsafe session.request(
            head, slot: unit, scheme: plan.target.usesTLS ? "https" : "http", secretsFrom: .max, ends: plan.bodySize == 0)
        guard let stream else {
            connections[fd].isLost = true
            return fail(unit, "no stream can be had")
        }
        units[unit].stream = stream
        sendBody(unit, session)
    }

    private mutating func sendBody(_ unit: Int32, _ session: HTTP2Session) {
        guard units[unit].sent < plan.bodySize else { return }
        let rest = unsafe UnsafeRawBufferPointer(rebasing: message[(headCount + units[unit].sent)...])
        units[unit].sent += unsafe session.send(rest, stream: units[unit].stream, slot: unit, ends: true, hasTrailers: false)
    }

    mutating func feedHTTP2(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) {
        guard let session = connections[fd].session else { return }
        let isUsable = unsafe session.receive(bytes, now: now / 1_000_000)
        drain()
        if !isUsable {
            connections[fd].isLost = true
            report.note(error: "frames that make no sense")
        }
    }

    /// Acts on all events; those that acting brings about are acted on as well.
    mutating func drain() {
        guard scratch.eventCount > 0 else { return }
        var index = 0
        while index < scratch.eventCount, phase != .over {
            let event = scratch.event(index)
            index += 1
            if connections.holds(event.connection) { act(on: event) }
        }
        scratch.clear()
    }

    @inline(__always)
    private mutating func act(on event: HTTP2Event) {
        let fd = event.connection
        guard let session = connections[fd].session else { return }
        if event.kind == .data {
            session.creditConnection(event.count)
            session.credit(event.stream, event.count)
        }
        if event.kind == .goAway {
            connections[fd].isLost = true
            return report.note(error: "the server lets go of the connection (GOAWAY)")
        }
        let unit = event.slot
        guard unit >= 0, units.holds(unit), units[unit].isBusy, units[unit].stream == event.stream else { return }
        switch event.kind {
        case .head: units[unit].check.status = unsafe Self.status(inHead: scratch.text(of: event))
        case .data: unsafe take(scratch.body(of: event), for: unit)
        case .wanted: sendBody(unit, session)
        case .closed: if event.code == 0 { finish(unit) } else { fail(unit, "stream reset, code \(event.code)") }
        case .trailers, .ended, .goAway, .settings, .pong: break
        }
    }

    /// `HTTP/1.1 200 …`
    private static func status(inHead lines: UnsafeRawBufferPointer) -> Int {
        guard lines.count >= 12 else { return 0 }
        var status = 0
        for place in 9..<12 { status = unsafe status * 10 + Int(lines[place]) - 0x30 }
        return status
    }
}
