import Sockets
import Synchronization
import TLS
import Testing

/// Providers over TLS: verified before a byte of a request exists, resumed, and cut where they are cut (spec/threats.md §6, C11).
@Suite(.serialized) struct UpstreamTLSTests {
    private static let store =
        #"{"version":1,"profiles":{"anthropic:default":{"type":"api_key","provider":"anthropic","key":"sk-one"}}}"#
    private static let get = Array("GET /anthropic/v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)

    /// A running proxy whose provider is `https://localhost`, and an authority that it trusts.
    private struct Scene {
        let folder = TestFolder()
        let authority: Certificate
        let stage: Stage

        init(trusting: Bool = true) throws {
            authority = try Certificate(authority: "Test authority")
            let path = folder.put(authority.pem, as: "ca.pem")
            let anchor = trusting ? "upstream: { caFile: \"\(path)\" }," : ""
            stage = try Stage(
                settings: "{ \(anchor) providers: { anthropic: { baseURL: \"https://localhost:{{upstream-port}}\" } } }",
                stores: ["main": UpstreamTLSTests.store])
        }

        func context(names: [String] = ["DNS:localhost"], days: Int = 30) throws -> ServerContext {
            try ServerContext(certificate: try Certificate(server: "provider", names: names, signedBy: authority, days: days))
        }

        /// One request and the answer's reader behind its head.
        func ask(_ request: [UInt8] = UpstreamTLSTests.get) throws -> (client: PlainSocket, reader: MessageReader) {
            let client = stage.dial()
            client.send(request)
            var reader = MessageReader(client)
            try reader.readHead(isRequest: false)
            return (client, reader)
        }
    }

    @Test func aVerifiedProviderIsServedAndItsSessionResumed() throws {
        let scene = try Scene()
        defer { scene.stage.end() }
        let context = try scene.context()
        let crew = Crew()
        crew.start {
            for isSecond in [false, true] {
                guard let socket = scene.stage.accept(), let server = TLSProvider(context, socket), server.shakeHands() else {
                    return scene.stage.report("no handshake")
                }
                if server.wasResumed != isSecond { scene.stage.report("resumed: \(server.wasResumed)") }
                let head = server.readHead()
                if !head.contains("X-Api-Key: sk-one\r\n") && !head.contains("x-api-key: sk-one\r\n") { scene.stage.report(head) }
                server.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                _ = scene.stage.waitFor("answered \(isSecond)")
                server.finish()
                socket.close()
            }
        }
        for isSecond in [false, true] {
            var (_, reader) = try scene.ask()
            #expect(reader.startLine == "HTTP/1.1 200 OK")
            #expect(try reader.readBody() == Array("ok".utf8))
            scene.stage.raise("answered \(isSecond)")
            // The pool must have seen the end of the first connection.
            Pause.milliseconds(100)
        }
        crew.join()
        #expect(scene.stage.reported == [])
    }

    enum Flaw: CaseIterable { case untrusted, otherName, expired, selfSigned }

    @Test(arguments: Flaw.allCases)
    func aProviderThatIsNotWhoItShouldBeSeesNothing(flaw: Flaw) throws {
        let scene = try Scene(trusting: flaw != .untrusted)
        defer { scene.stage.end() }
        let context =
            switch flaw {
            case .untrusted: try scene.context()
            case .otherName: try scene.context(names: ["DNS:other.example", "IP:127.0.0.1"])
            case .expired: try scene.context(days: -1)
            case .selfSigned: try ServerContext(certificate: try Certificate(authority: "localhost"))
            }
        let crew = Crew()
        crew.start {
            guard let socket = scene.stage.accept(), let server = TLSProvider(context, socket) else {
                return scene.stage.report("no connection")
            }
            if server.shakeHands(), !server.readHead().isEmpty { scene.stage.report("the request was sent") }
            socket.close()
            if scene.stage.accept(within: 200) != nil { scene.stage.report("the same certificate was looked at again") }
        }
        var (_, reader) = try scene.ask()
        #expect(reader.startLine == "HTTP/1.1 502 Bad Gateway")
        #expect(reader.values(of: "x-should-retry") == ["false"])
        let body = String(decoding: try reader.readBody(), as: UTF8.self)
        #expect(body.contains(#""code":"upstream_certificate""#))
        #expect(body.contains("localhost"))
        #expect(!body.contains("sk-one"))
        crew.join()
        #expect(scene.stage.reported == [])
    }

    @Test func whatDoesNotSpeakTLSIsUnreachable() throws {
        let scene = try Scene()
        defer { scene.stage.end() }
        let crew = Crew()
        let isAnswered = Atomic(false)
        crew.start {
            while !isAnswered.load(ordering: .acquiring) {
                guard let socket = scene.stage.accept(within: 100) else { continue }
                _ = socket.receive()
                socket.send(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
                socket.endSending()
                _ = socket.receive()
            }
        }
        defer {
            isAnswered.store(true, ordering: .releasing)
            crew.join()
        }
        var (_, reader) = try scene.ask()
        #expect(reader.startLine == "HTTP/1.1 502 Bad Gateway")
        #expect(String(decoding: try reader.readBody(), as: UTF8.self).contains(#""code":"upstream_unreachable""#))
    }

    @Test func largeBodiesPassBothWaysThroughSlowPeers() throws {
        let scene = try Scene()
        defer { scene.stage.end() }
        let context = try scene.context()
        let body = Array(Placeholders.filler(3_000_000).utf8)
        let crew = Crew()
        crew.start {
            guard let socket = scene.stage.accept(), let server = TLSProvider(context, socket), server.shakeHands() else {
                return scene.stage.report("no handshake")
            }
            let head = server.readHead()
            if !head.contains("Content-Length: 3000000\r\n") { scene.stage.report(head) }
            Pause.milliseconds(200)
            if server.read(body.count) != body { scene.stage.report("the upload arrived changed") }
            server.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for start in stride(from: 0, to: body.count, by: 100_000) {
                server.write("186a0\r\n")
                server.write(Array(body[start..<start + 100_000]))
                server.write("\r\n")
            }
            server.write("0\r\n\r\n")
            _ = scene.stage.waitFor("received")
        }
        let client = scene.stage.dial()
        client.send(Array("POST /anthropic/v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n".utf8) + body)
        Pause.milliseconds(300)
        var reader = MessageReader(client)
        try reader.readHead(isRequest: false)
        #expect(try reader.readBody() == body)
        scene.stage.raise("received")
        crew.join()
        #expect(scene.stage.reported == [])
    }

    @Test(arguments: [true, false])
    func aBodyThatEndsWithTheConnectionIsWholeOnlyAfterAGoodbye(saysGoodbye: Bool) throws {
        let scene = try Scene()
        defer { scene.stage.end() }
        let context = try scene.context()
        let crew = Crew()
        crew.start {
            guard let socket = scene.stage.accept(), let server = TLSProvider(context, socket), server.shakeHands() else {
                return scene.stage.report("no handshake")
            }
            _ = server.readHead()
            server.write("HTTP/1.1 200 OK\r\n\r\nhalf or whole")
            Pause.milliseconds(50)
            if saysGoodbye { server.finish() }
            socket.close()
        }
        var (_, reader) = try scene.ask()
        #expect(try reader.readChunk() == Array("half or whole".utf8))
        if saysGoodbye {
            #expect(try reader.readChunk() == nil)
        } else {
            #expect(throws: Mismatch.self) { try reader.readChunk() }
        }
        crew.join()
        #expect(scene.stage.reported == [])
    }
}

/// The provider's side of one TLS connection, blocking. A class, so that a thread's closure can hold it.
private final class TLSProvider {
    private let connection: ServerConnection
    private var buffer: [UInt8] = []

    init?(_ context: ServerContext, _ socket: PlainSocket) {
        guard let connection = ServerConnection(context, socket: socket.number) else { return nil }
        self.connection = connection
    }

    func shakeHands() -> Bool { connection.handshake() }
    var wasResumed: Bool { connection.wasResumed }
    func finish() { connection.finish() }

    /// The request's head with its empty line; empty when the connection ends first.
    func readHead() -> String {
        while true {
            if let end = buffer.firstRange(of: [13, 10, 13, 10]) {
                defer { buffer.removeFirst(end.upperBound) }
                return String(decoding: buffer[..<end.upperBound], as: UTF8.self)
            }
            guard fill() else { return "" }
        }
    }

    func read(_ count: Int) -> [UInt8] {
        while buffer.count < count { guard fill() else { return buffer } }
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }

    private func fill() -> Bool {
        var block = [UInt8](repeating: 0, count: 1 << 16)
        let count = block.withUnsafeMutableBytes { connection.read(into: $0) }
        guard count > 0 else { return false }
        buffer += block[..<count]
        return true
    }

    func write(_ text: String) { write(Array(text.utf8)) }
    func write(_ bytes: [UInt8]) { _ = bytes.withUnsafeBytes { connection.write($0) } }
}
