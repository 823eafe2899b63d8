import Synchronization
import Testing

/// Many clients on several workers at once: every answer belongs to its request, whatever was pooled, parked or used again meanwhile.
@Suite(.serialized) struct ConcurrencyTests {
    private static let clients = 32
    private static let requests = 20

    /// An expired login too, so that the first requests wait for one refresh together.
    private static let store = """
        { "version": 1, "profiles": {
          "anthropic:login": { "type": "oauth", "provider": "anthropic", "access": "at-old", "refresh": "rt-old", "expires": {{hour_ago}} },
          "anthropic:one": { "type": "api_key", "provider": "anthropic", "key": "sk-one" },
          "anthropic:two": { "type": "api_key", "provider": "anthropic", "key": "sk-two" } } }
        """

    @Test func everyAnswerBelongsToItsRequest() throws {
        let stage = try Stage(settings: "{ workers: 3 }", stores: ["main": Self.store])
        defer { stage.end() }
        let refreshes = Atomic(0)
        let isOver = Atomic(false)
        let provider = Crew()
        provider.start {
            while !isOver.load(ordering: .relaxed) {
                if let socket = stage.accept(within: 20) { provider.start { Self.echo(socket, stage) } }
            }
        }
        provider.start {
            while !isOver.load(ordering: .relaxed) {
                guard let socket = stage.acceptTokenRequest(within: 20) else { continue }
                refreshes.add(1, ordering: .relaxed)
                Self.renew(socket)
            }
        }
        let clients = Crew()
        for number in 0..<Self.clients { clients.start { Self.ask(number, stage) } }
        clients.join()
        isOver.store(true, ordering: .relaxed)
        #expect(stage.reported == [])
        #expect(refreshes.load(ordering: .relaxed) == 1)
        // Ends the provider's side of what is still pooled.
        stage.drain()
        provider.join()
    }

    /// A client's requests over one connection, with bodies of many sizes, some of them chunked.
    private static func ask(_ number: Int, _ stage: Stage) {
        let pins = ["anthropic", "anthropic@one", "anthropic@two"]
        let socket = stage.dial()
        var reader = MessageReader(socket)
        for request in 0..<requests {
            let body = Array("\(number)/\(request) ".utf8) + Array(Placeholders.filler((number * 7919 + request * 104_729) % 40_000).utf8)
            let line = "POST /\(pins[(number + request) % 3])/v1/echo HTTP/1.1\r\nHost: localhost\r\n"
            if request % 2 == 0 {
                socket.send(Array("\(line)Content-Length: \(body.count)\r\n\r\n".utf8) + body)
            } else {
                let half = body.count / 2
                var bytes = Array("\(line)Transfer-Encoding: chunked\r\n\r\n".utf8)
                for part in [body[..<half], body[half...]] {
                    bytes += Array("\(String(part.count, radix: 16))\r\n".utf8) + part + [13, 10]
                }
                socket.send(bytes + Array("0\r\n\r\n".utf8))
            }
            do throws(Mismatch) {
                try reader.readHead(isRequest: false)
                let answer = try reader.readBody()
                guard reader.startLine == "HTTP/1.1 200 OK", answer == body else {
                    return stage.report("\(number)/\(request): \(reader.startLine) \(MessageReader.shown(answer))")
                }
            } catch {
                return stage.report("\(number)/\(request): expected \(error.expected), got \(error.got)")
            }
        }
    }

    /// Sends every body back, by turns with a length and in chunks.
    private static func echo(_ socket: PlainSocket, _ stage: Stage) {
        var reader = MessageReader(socket)
        var count = 0
        while (try? reader.readHead(isRequest: true)) != nil, let body = try? reader.readBody() {
            let login = reader.values(of: "authorization")
            if !(login.isEmpty || login == ["Bearer at-new"]) { stage.report("sent with \(login)") }
            count += 1
            if count % 2 == 0 {
                socket.send(Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body)
            } else {
                socket.send(
                    Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(String(body.count, radix: 16))\r\n".utf8) + body
                        + Array("\r\n0\r\n\r\n".utf8))
            }
        }
        socket.close()
    }

    private static func renew(_ socket: PlainSocket) {
        var reader = MessageReader(socket)
        guard (try? reader.readHead(isRequest: true)) != nil, (try? reader.readBody()) != nil else { return }
        let answer = #"{"access_token":"at-new","refresh_token":"rt-new","expires_in":3600}"#
        socket.send(Array("HTTP/1.1 200 OK\r\nContent-Length: \(answer.utf8.count)\r\nConnection: close\r\n\r\n\(answer)".utf8))
    }
}
