import HTTP
import Sockets
import TLS
import Testing

/// HTTP/2 on either side of a running proxy.
@Suite(.serialized) struct HTTP2Tests {
    private static let store = storeText("sk-one")
    private static func storeText(_ key: String) -> String {
        #"{"version":1,"profiles":{"anthropic:default":{"type":"api_key","provider":"anthropic","key":"\#(key)"}}}"#
    }
    private static let get = "GET /anthropic/v1/models HTTP/1.1\r\nHost: localhost\r\n"

    // MARK: Clients

    @Test func aStreamReachesAProviderOfHTTP11WithItsBodyAndTrailersBothWays() throws {
        let stage = try Stage(stores: ["main": Self.store])
        defer { stage.end() }
        let crew = Crew()
        crew.start {
            guard let socket = stage.accept() else { return stage.report("no connection") }
            var reader = MessageReader(socket)
            do throws(Mismatch) {
                try reader.readHead(isRequest: true)
                let body = try reader.readBody()
                guard reader.startLine == "POST /v1/messages HTTP/1.1", reader.values(of: "x-api-key") == ["sk-one"],
                    body == Array("hello".utf8),
                    reader.trailers == ["x-mark: 7"], reader.values(of: "authorization").isEmpty
                else { return stage.report("\(reader.startLine) \(reader.fields) \(reader.trailers)") }
            } catch { return stage.report("\(error)") }
            socket.send(Array("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".utf8))
            socket.send(Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n".utf8))
        }
        let client = FramedPeer(client: stage.dial())
        let stream = client.ask(
            "POST /anthropic/v1/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer theirs\r\n", body: "hello",
            trailers: "X-Mark: 7\r\n")
        #expect(client.next(.head)?.text == "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
        let head = client.next(.head)
        #expect(
            head?.stream == stream && head?.text.hasPrefix("HTTP/1.1 200 OK\r\nkeybearer-profile: anthropic:default\r\n") == true, "\(head)"
        )
        #expect(client.next(.data)?.text == "ok")
        #expect(client.next(.trailers)?.text == "x-sum: 1\r\n\r\n")
        #expect(client.next(.closed)?.code == HTTP2Code.none)
        crew.join()
        #expect(stage.reported == [])
    }

    @Test func refusalsHaveTheirBodyAndTheConnectionGoesOn() throws {
        let stage = try Stage(stores: ["main": Self.store])
        defer { stage.end() }
        let client = FramedPeer(client: stage.dial())
        for (lines, status, word) in [
            ("GET /anthropic/v1/models HTTP/1.1\r\nHost: evil.example\r\n", "421", "wrong_host"),
            ("GET /nobody/x HTTP/1.1\r\nHost: localhost\r\n", "404", "no_route"),
            ("GET /anthropic/v1/models HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n", "403", "origin_refused"),
        ] {
            _ = client.ask(lines)
            #expect(client.next(.head)?.text.hasPrefix("HTTP/1.1 \(status) ") == true)
            #expect(client.next(.data)?.text.contains(word) == true)
            #expect(client.next(.closed)?.code == HTTP2Code.none)
        }
    }

    @Test func aClientThatResetsItsStreamEndsItsUpstreamAndNoOther() throws {
        let stage = try Stage(stores: ["main": Self.store])
        defer { stage.end() }
        let client = FramedPeer(client: stage.dial())
        let leaving = client.ask(Self.get)
        let first = try #require(stage.accept())
        let staying = client.ask(Self.get)
        let second = try #require(stage.accept())
        client.session.reset(leaving, HTTP2Code.cancel)
        client.flush()
        var reader = MessageReader(first)
        try reader.readHead(isRequest: true)
        switch reader.next(within: 5_000) {
        case .ended, .reset: break
        default: Issue.record("the upstream of the stream that was reset is open")
        }
        second.send(Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".utf8))
        let data = client.next(.data)
        #expect(data?.stream == staying && data?.text == "ok")
    }

    @Test func aSlowStreamNeverStallsItsSibling() throws {
        let stage = try Stage(stores: ["main": Self.store])
        defer { stage.end() }
        let client = FramedPeer(client: stage.dial())
        _ = client.ask(Self.get)
        let first = try #require(stage.accept())
        _ = client.ask(Self.get)
        let second = try #require(stage.accept())
        // More than a window: the first stream is full, since nothing of it is credited while nobody reads here.
        let crew = Crew()
        crew.start {
            first.send(Array("HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n".utf8) + [UInt8](repeating: 0x61, count: 900_000))
        }
        Pause.milliseconds(100)
        second.send(Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".utf8))
        var total = 0
        var sibling = ""
        while total < 900_000 || sibling.isEmpty, let data = client.next(.data) {
            if data.stream == 3 { sibling += data.text } else { total += data.text.utf8.count }
        }
        crew.join()
        #expect(total == 900_000 && sibling == "ok")
    }

    // MARK: Providers

    private struct Scene {
        let folder = TestFolder()
        let stage: Stage
        let context: ListenerContext

        init(provider: String = "", store: String = HTTP2Tests.store) throws {
            let authority = try Certificate(authority: "Test authority")
            let own = try Certificate(server: "provider", names: ["DNS:localhost"], signedBy: authority)
            context = try ListenerContext(certificate: Array(own.pem.utf8), key: Array(own.keyPEM.utf8))
            let path = folder.put(authority.pem, as: "ca.pem")
            stage = try Stage(
                settings:
                    "{ upstream: { caFile: \"\(path)\" }, providers: { anthropic: { baseURL: \"https://localhost:{{upstream-port}}\"\(provider) } } }",
                stores: ["main": store])
        }

        func provider() throws -> FramedPeer {
            let socket = try #require(stage.accept())
            return try #require(try FramedPeer(provider: socket, context))
        }
    }

    private func ask(_ stage: Stage, _ client: PlainSocket) { client.send(Array((Self.get + "\r\n").utf8)) }

    @Test func requestsShareAConnectionAndTheCredentialIsOnEach() throws {
        let scene = try Scene()
        defer { scene.stage.end() }
        let clients = (0..<3).map { _ in scene.stage.dial() }
        ask(scene.stage, clients[0])
        let provider = try scene.provider()
        for (index, client) in clients.enumerated() {
            if index > 0 { ask(scene.stage, client) }
            let head = try #require(provider.next(.head))
            #expect(head.text.hasPrefix("GET http://localhost:"))
            #expect(head.text.contains("x-api-key: sk-one\r\n"))
            provider.answer(head.stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n")
            provider.send("ok", on: head.stream)
            var reader = MessageReader(client)
            try reader.readHead(isRequest: false)
            #expect(try reader.readBody() == Array("ok".utf8))
        }
        #expect(scene.stage.accept(within: 50) == nil)
    }

    /// Without a wider window than an answer begins with, a provider would wait for ours after each 16 KiB.
    @Test func aLongAnswerThatIsTakenAsItComesIsGivenAWiderWindow() throws {
        let scene = try Scene()
        defer { scene.stage.end() }
        let client = scene.stage.dial()
        ask(scene.stage, client)
        let provider = try scene.provider()
        let stream = try #require(provider.next(.head)?.stream)
        provider.answer(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n")
        provider.send(String(repeating: "a", count: 16_000), on: stream, ends: false)
        let first = Int(HTTP2Session.answerWindow)
        for _ in 0..<200 where provider.session.room(on: stream) <= first { _ = provider.next(.pong, within: 100) }
        #expect(provider.session.room(on: stream) > 4 * first)
    }

    @Test func aRefusedStreamIsAskedForAgainAndAnotherErrorIsTold() throws {
        let scene = try Scene()
        defer { scene.stage.end() }
        let client = scene.stage.dial()
        ask(scene.stage, client)
        let provider = try scene.provider()
        let refused = try #require(provider.next(.head))
        provider.session.reset(refused.stream, HTTP2Code.refusedStream)
        provider.flush()
        let again = try #require(provider.next(.head))
        provider.answer(again.stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n")
        provider.send("ok", on: again.stream)
        var reader = MessageReader(client)
        try reader.readHead(isRequest: false)
        #expect(try reader.readBody() == Array("ok".utf8))
        client.send(Array("POST /anthropic/v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}".utf8))
        let broken = try #require(provider.next(.data))
        provider.session.reset(broken.stream, HTTP2Code.internalError)
        provider.flush()
        try reader.readHead(isRequest: false)
        #expect(reader.startLine == "HTTP/1.1 502 Bad Gateway")
    }

    @Test func afterGoAwayTheNextRequestHasAnotherConnection() throws {
        let scene = try Scene()
        defer { scene.stage.end() }
        let (first, second) = (scene.stage.dial(), scene.stage.dial())
        ask(scene.stage, first)
        let leaving = try scene.provider()
        let head = try #require(leaving.next(.head))
        leaving.session.goAway()
        leaving.flush()
        Pause.milliseconds(50)
        ask(scene.stage, second)
        let provider = try scene.provider()
        let other = try #require(provider.next(.head))
        provider.answer(other.stream, "HTTP/1.1 204 No Content\r\n", ends: true)
        leaving.answer(head.stream, "HTTP/1.1 200 OK\r\n")
        leaving.send("old", on: head.stream)
        var reader = MessageReader(second)
        try reader.readHead(isRequest: false)
        #expect(reader.startLine == "HTTP/1.1 204 No Content")
        reader = MessageReader(first)
        try reader.readHead(isRequest: false)
        #expect(try reader.readBody() == Array("old".utf8))
    }

    @Test func aSecretThatAStreamSendsBackIsMaskedAlsoAcrossItsFrames() throws {
        let scene = try Scene(store: Self.storeText("sk-http2-0123456789"))
        defer { scene.stage.end() }
        let client = scene.stage.dial()
        ask(scene.stage, client)
        let provider = try scene.provider()
        let head = try #require(provider.next(.head))
        #expect(head.text.contains("x-api-key: sk-http2-0123456789\r\n"))
        provider.answer(head.stream, "HTTP/1.1 500 Broken\r\nX-Echo: sk-http2-0123456789\r\n")
        provider.send("no such key: sk-http2-01", on: head.stream, ends: false)
        var reader = MessageReader(client)
        try reader.readHead(isRequest: false)
        #expect(reader.values(of: "x-echo") == ["*******************"])
        #expect(try reader.readChunk() == Array("no such key: ".utf8))
        provider.send("23456789, s", on: head.stream, ends: false)
        #expect(try reader.readChunk() == Array("*******************, ".utf8))
        provider.send("k-http2-", on: head.stream)
        #expect(try reader.readChunk() == Array("sk-http2-".utf8))
        #expect(try reader.readChunk() == nil)
        // A client of HTTP/2 gets the same of the same.
        let streams = FramedPeer(client: scene.stage.dial())
        _ = streams.ask(Self.get)
        let second = try #require(provider.next(.head))
        provider.answer(second.stream, "HTTP/1.1 404 No\r\nContent-Length: 21\r\n")
        provider.send("k=sk-http2-", on: second.stream, ends: false)
        provider.send("0123456789", on: second.stream)
        var text = ""
        while text.utf8.count < 21, let data = streams.next(.data) { text += data.text }
        #expect(text == "k=*******************")
    }

    @Test func anAnswerThatIsCutIsSeenAsCut() throws {
        let scene = try Scene()
        defer { scene.stage.end() }
        let client = scene.stage.dial()
        ask(scene.stage, client)
        let provider = try scene.provider()
        let head = try #require(provider.next(.head))
        provider.answer(head.stream, "HTTP/1.1 200 OK\r\n")
        provider.send("half", on: head.stream, ends: false)
        var reader = MessageReader(client)
        try reader.readHead(isRequest: false)
        #expect(try reader.readChunk() == Array("half".utf8))
        provider.session.reset(head.stream, HTTP2Code.internalError)
        provider.flush()
        #expect(throws: Mismatch.self) { try reader.readChunk() }
    }

    @Test func aProviderThatIsKeptToHTTP11IsNotOfferedMore() throws {
        let scene = try Scene(provider: ", http2: false")
        defer { scene.stage.end() }
        let client = scene.stage.dial()
        defer { client.close() }
        ask(scene.stage, client)
        let socket = try #require(scene.stage.accept())
        #expect(try FramedPeer(provider: socket, scene.context) == nil)
    }
}
