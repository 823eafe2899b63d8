import HTTP
import Sockets
import Testing

/// Two ends of one connection in memory.
private final class Pair {
    let clientScratch: HTTP2Scratch
    let serverScratch: HTTP2Scratch
    let client: HTTP2Session
    let server: HTTP2Session

    init() {
        let pool = BufferPool()
        clientScratch = HTTP2Scratch(pool: pool)
        serverScratch = HTTP2Scratch(pool: pool)
        client = HTTP2Session(clientScratch, isServer: false, connection: 1)
        server = HTTP2Session(serverScratch, isServer: true, connection: 2)
    }
    deinit {
        client.end()
        server.end()
    }

    /// Moves frames both ways until none is left.
    func settle(now: Int64 = 0) {
        while true {
            client.takeFrames()
            server.takeFrames()
            let up = Array(client.outbound)
            let down = Array(server.outbound)
            guard !up.isEmpty || !down.isEmpty else { return }
            client.consumeAll()
            server.consumeAll()
            _ = up.withUnsafeBytes { server.receive($0, now: now) }
            _ = down.withUnsafeBytes { client.receive($0, now: now) }
        }
    }

    func request(_ lines: String, ends: Bool = true, secretsFrom: String? = nil) -> Int32? {
        var bytes = Array(lines.utf8)
        let secret = secretsFrom.flatMap { lines.range(of: $0) }.map { lines.utf8.distance(from: lines.startIndex, to: $0.lowerBound) }
        return bytes.withUnsafeMutableBytes { client.request($0, slot: 7, scheme: "http", secretsFrom: secret ?? .max, ends: ends) }
    }

    static func events(_ scratch: HTTP2Scratch) -> [HTTP2Event.Kind] { (0..<scratch.eventCount).map { scratch.event($0).kind } }
    static func texts(_ scratch: HTTP2Scratch) -> [String] {
        (0..<scratch.eventCount).map { scratch.event($0) }.filter { $0.kind == .head || $0.kind == .trailers }
            .map { String(decoding: scratch.text(of: $0), as: UTF8.self) }
    }
}

extension String {
    fileprivate func range(of text: String) -> Range<String.Index>? { self.ranges(of: text).first }
}

@Suite struct HTTP2SessionTests {
    @Test func aRequestArrivesAsTheLinesThatItWasWrittenAs() throws {
        let pair = Pair()
        let stream = pair.request(
            "POST /a?b=c HTTP/1.1\r\nHost: localhost:1\r\nX-Name: Value\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
            ends: false)
        #expect(stream == 1)
        pair.settle()
        #expect(
            Pair.texts(pair.serverScratch)
                == ["POST http://localhost:1/a?b=c HTTP/1.1\r\nx-name: Value\r\nhost: localhost:1\r\ntransfer-encoding: chunked\r\n\r\n"])
        var head = RequestHead()
        let text = Array(Pair.texts(pair.serverScratch)[0].utf8)
        let outcome = text.withUnsafeBytes { head.parse($0, limits: HeadLimits()) }
        let (framing, target) = (head.framing, String(decoding: text[head.target], as: UTF8.self))
        #expect(outcome == .complete(byteCount: text.count))
        #expect(framing == .chunked)
        #expect(target == "/a?b=c")
    }

    @Test func aRequestThatEndsWithItsHeadHasNoBody() {
        let pair = Pair()
        _ = pair.request("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        pair.settle()
        #expect(Pair.texts(pair.serverScratch) == ["GET http://localhost/ HTTP/1.1\r\nhost: localhost\r\n\r\n"])
        #expect(Pair.events(pair.serverScratch).filter { $0 != .settings } == [.head, .ended])
    }

    @Test func anAnswerItsInterimOneItsBodyAndItsTrailersComeInOrder() throws {
        let pair = Pair()
        let stream = try #require(pair.request("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        pair.settle()
        pair.clientScratch.clear()
        var hints = Array("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".utf8)
        var head = Array("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n".utf8)
        var trailers = Array("X-Sum: 1\r\n\r\n".utf8)
        hints.withUnsafeMutableBytes { pair.server.inform($0, stream: stream) }
        head.withUnsafeMutableBytes { pair.server.respond($0, stream: stream, slot: 9, ends: false) }
        let taken = Array("body".utf8).withUnsafeBytes { pair.server.send($0, stream: stream, slot: 9, ends: true, hasTrailers: true) }
        #expect(taken == 4)
        #expect(pair.server.endWasSent)
        trailers.withUnsafeMutableBytes { pair.server.trail($0, stream: stream) }
        pair.settle()
        #expect(
            Pair.texts(pair.clientScratch)
                == [
                    "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n",
                    "x-sum: 1\r\n\r\n",
                ])
        #expect(Pair.events(pair.clientScratch).filter { $0 != .settings } == [.head, .head, .data, .trailers, .closed])
    }

    @Test func noMoreIsTakenThanTheWindowAllowsAndTheRestIsAskedForLater() throws {
        let pair = Pair()
        let stream = try #require(pair.request("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", ends: false))
        pair.settle()
        let body = [UInt8](repeating: 1, count: 100_000)
        let first = body.withUnsafeBytes { pair.client.send($0, stream: stream, slot: 7, ends: true, hasTrailers: false) }
        #expect(first == 65_536)
        #expect(!pair.client.endWasSent)
        pair.settle()
        pair.server.creditConnection(first)
        pair.server.credit(stream, first)
        pair.clientScratch.clear()
        pair.settle()
        #expect(Pair.events(pair.clientScratch).contains(.wanted))
        let second = body[first...].withUnsafeBytes { pair.client.send($0, stream: stream, slot: 7, ends: true, hasTrailers: false) }
        #expect(second == body.count - first)
        #expect(pair.client.endWasSent)
    }

    @Test(arguments: [
        "X-Name: a\u{0}b", "Content-Length: 5",  // a body is due that never comes
    ])
    func whatIsMalformedEndsTheStreamAndIsNoRequest(line: String) {
        let pair = Pair()
        _ = pair.request("GET / HTTP/1.1\r\nHost: localhost\r\n\(line)\r\n\r\n")
        pair.settle()
        #expect(!Pair.events(pair.serverScratch).contains(.head))
        let closed = (0..<pair.clientScratch.eventCount).map { pair.clientScratch.event($0) }.filter { $0.kind == .closed }
        #expect(closed.map(\.code) == [HTTP2Code.protocolError])
    }

    @Test func aFieldBeforeAllPseudoFieldsIsNoRequestAndDoesNoHarm() {
        let scratch = HTTP2Scratch(pool: BufferPool())
        let server = HTTP2Session(scratch, isServer: true, connection: 2)
        defer { server.end() }
        // RFC 9113 §8.3 forbids it, and nghttp2 tells of the field first.
        let block = [0x00, 3] + Array("x-a".utf8) + [1] + Array("b".utf8) + [0x82, 0x86, 0x84, 0x01, 9] + Array("localhost".utf8)
        let bytes =
            Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]
            + [0, 0, UInt8(block.count), 1, 5, 0, 0, 0, 1] + block
        _ = bytes.withUnsafeBytes { server.receive($0, now: 0) }
        #expect(!(0..<scratch.eventCount).map { scratch.event($0).kind }.contains(.head))
    }

    @Test func aFloodOfPingsIsAbuseAndAFewAreNot() {
        let few = Pair()
        for _ in 0..<500 {
            few.client.ping()
            few.settle()
        }
        #expect(!few.server.isAbusive)
        let many = Pair()
        for _ in 0..<1_100 {
            many.client.ping()
            many.settle()
        }
        #expect(many.server.isAbusive)
    }

    @Test func aStreamFindsItsSlotOnceItIsTiedToOne() throws {
        let pair = Pair()
        let stream = try #require(pair.request("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", ends: false))
        pair.settle()
        #expect(pair.server.slot(of: stream) == -1)
        pair.server.tie(stream, to: 70_000)
        #expect(pair.server.slot(of: stream) == 70_000)
        #expect(pair.server.slot(of: 99) == nil)
    }
}
