import HTTP
import Sockets

/// A connection survives whatever its peer sends; each head that is told of is one that the parser of HTTP/1.1 takes, or a trailer section.
enum HTTP2Rules {
    /// libFuzzer tries one input after the other, on one thread.
    nonisolated(unsafe) private static let scratch = HTTP2Scratch(pool: BufferPool())
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    /// `isServer`: the peer is a client, which begins with the preface.
    static func check(_ input: [UInt8], isServer: Bool) {
        let session = HTTP2Session(scratch, isServer: isServer, connection: 3)
        defer {
            session.end()
            scratch.clear()
        }
        if !isServer {
            for slot in 0..<3 { open(session, slot: Int32(slot)) }
        }
        session.takeFrames()
        session.consumeAll()
        let bytes = isServer ? preface + input : input
        for piece in cuts(bytes) {
            let goesOn = bytes[piece].withUnsafeBytes { session.receive($0, now: 1_000) }
            for index in 0..<scratch.eventCount { act(on: scratch.event(index), session, isServer: isServer) }
            scratch.clear()
            session.takeFrames()
            demand(session.waiting < 1 << 20, "no flood is answered by a flood")
            session.consumeAll()
            if !goesOn { return }
        }
    }

    private static func open(_ session: HTTP2Session, slot: Int32) {
        var lines = Array("POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\n\r\n".utf8)
        let number = lines.withUnsafeMutableBytes {
            session.request($0, slot: slot, scheme: "https", secretsFrom: 50, ends: slot == 0)
        }
        demand(number == slot * 2 + 1, "streams are numbered in order")
    }

    private static func act(on event: HTTP2Event, _ session: HTTP2Session, isServer: Bool) {
        switch event.kind {
        case .head:
            let text = scratch.text(of: event)
            demand(text.count > 4, "a head has lines")
            var request = RequestHead()
            var response = ResponseHead()
            let outcome =
                isServer
                ? request.parse(text, limits: HeadLimits()) : response.parse(text, requestMethodWasHead: false, limits: HeadLimits())
            demand(outcome != .incomplete, "a head is told of as a whole")
            if isServer, event.stream % 4 == 1 { answer(event.stream, session) }
        case .data:
            demand(scratch.body(of: event).count == event.count, "a body lies inside")
            session.creditConnection(event.count)
            session.credit(event.stream, event.count)
        case .wanted:
            let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
            _ = session.send(nothing, stream: event.stream, slot: event.slot, ends: true, hasTrailers: false)
        default: break
        }
    }

    private static func answer(_ stream: Int32, _ session: HTTP2Session) {
        session.tie(stream, to: stream)
        var lines = Array("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n".utf8)
        lines.withUnsafeMutableBytes { session.respond($0, stream: stream, slot: stream, ends: false) }
        let body = [UInt8](repeating: 7, count: 100)
        _ = body.withUnsafeBytes { session.send($0, stream: stream, slot: stream, ends: false, hasTrailers: false) }
    }
}
