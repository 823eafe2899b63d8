@testable import Configuration
import Proxy
import Testing

/// Settings that change while requests are under way.
@Suite(.serialized) struct ReloadTests {
    private static let key = #"{"version":1,"profiles":{"anthropic:a":{"type":"api_key","provider":"anthropic","key":"sk-one"}}}"#

    private func ask(_ client: PlainSocket, _ target: String) {
        client.send(Array("GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
    }
    private func answer(_ socket: PlainSocket) {
        socket.send(Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".utf8))
    }
    /// Plays a provider's next request; what it was.
    private func serve(_ reader: inout MessageReader, on socket: PlainSocket) throws -> String {
        try reader.readHead(isRequest: true)
        answer(socket)
        return "\(reader.startLine) \(reader.values(of: "host").joined()) \(reader.values(of: "x-api-key").joined())"
    }

    @Test func anotherBaseURLHoldsForTheNextRequestAndNoIdleConnectionGoesToTheOldOne() throws {
        let stage = try Stage(stores: ["main": Self.key])
        defer { stage.end() }
        let (elsewhere, port) = PlainSocket.bound()
        let client = stage.dial()
        var reader = MessageReader(client)
        ask(client, "/anthropic/v1/one")
        let first = try #require(stage.accept())
        var provider = MessageReader(first)
        #expect(try serve(&provider, on: first) == "GET /v1/one HTTP/1.1 \(stage.placeholders.expand("{{upstream}}")) sk-one")
        try reader.readHead(isRequest: false)
        _ = try reader.readBody()

        try stage.reload("{ providers: { anthropic: { baseURL: 'http://127.0.0.1:\(port)/new' } } }")
        ask(client, "/anthropic/v1/two")
        let second = try #require(elsewhere.accepted(within: PlainSocket.patience))
        var other = MessageReader(second)
        #expect(try serve(&other, on: second) == "GET /new/v1/two HTTP/1.1 127.0.0.1:\(port) sk-one")
        try reader.readHead(isRequest: false)
        _ = try reader.readBody()

        // Back again: the connection that was kept for the first address may be used again, by it alone.
        try stage.reload("{}")
        ask(client, "/anthropic/v1/three")
        #expect(try serve(&provider, on: first) == "GET /v1/three HTTP/1.1 \(stage.placeholders.expand("{{upstream}}")) sk-one")
        try reader.readHead(isRequest: false)
        elsewhere.close()
    }

    /// Providers are numbered; without the one before it, `second` has another number and another host stands at its old one.
    @Test func aRequestThatWaitsForItsRefreshIsSentToItsOwnProviderWhateverTheNumbersSayByThen() throws {
        let store = """
            {"version":1,"profiles":{
              "second:a":{"type":"oauth","provider":"second","access":"at-old","refresh":"rt-old","expires":{{hour_ago}}},
              "third:a":{"type":"api_key","provider":"third","key":"sk-third"}}}
            """
        let oauth = "oauth: { tokenURL: 'http://{{token-endpoint}}/oauth/token', clientID: 'c' }"
        let (elsewhere, port) = PlainSocket.bound()
        defer { elsewhere.close() }
        let rest = """
            second: { baseURL: 'http://{{upstream}}/second', \(oauth) }, third: { baseURL: 'http://127.0.0.1:\(port)/third' }
            """
        let stage = try Stage(settings: "{ providers: { first: { baseURL: 'http://{{closed}}' }, \(rest) } }", stores: ["main": store])
        defer { stage.end() }
        let client = stage.dial()
        ask(client, "/second/v1/models")
        let tokens = try #require(stage.acceptTokenRequest())
        var tokenReader = MessageReader(tokens)
        try tokenReader.readHead(isRequest: true)
        _ = try tokenReader.readBody()

        try stage.reload("{ providers: { \(rest) } }")
        let body = #"{"access_token":"at-new","refresh_token":"rt-new","expires_in":3600}"#
        tokens.send(Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8))

        let socket = try #require(stage.accept())
        var provider = MessageReader(socket)
        try provider.readHead(isRequest: true)
        #expect(provider.startLine == "GET /second/v1/models HTTP/1.1")
        #expect(provider.values(of: "authorization") == ["Bearer at-new"])
        answer(socket)
        var reader = MessageReader(client)
        try reader.readHead(isRequest: false)
        #expect(reader.startLine == "HTTP/1.1 200 OK")
        #expect(elsewhere.accepted(within: 50) == nil, "the other host was spoken to")
    }

    @Test func aRequestWhoseProviderIsGoneWhenItsRefreshIsDoneKeepsWhatItBeganWith() throws {
        let store = """
            {"version":1,"profiles":{"second:a":{"type":"oauth","provider":"second","access":"at-old","refresh":"rt-old","expires":{{hour_ago}}}}}
            """
        let stage = try Stage(
            settings: """
                { providers: { second: { baseURL: 'http://{{upstream}}/second',
                  oauth: { tokenURL: 'http://{{token-endpoint}}/oauth/token', clientID: 'c' } } } }
                """, stores: ["main": store])
        defer { stage.end() }
        let client = stage.dial()
        ask(client, "/second/v1/models")
        let tokens = try #require(stage.acceptTokenRequest())
        var tokenReader = MessageReader(tokens)
        try tokenReader.readHead(isRequest: true)
        try stage.reload("{}")
        let body = #"{"access_token":"at-new","refresh_token":"rt-new","expires_in":3600}"#
        tokens.send(Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8))
        var reader = MessageReader(client)
        try reader.readHead(isRequest: false)
        #expect(reader.startLine.hasPrefix("HTTP/1.1 403 "), "its token has expired, and no newer one is of its generation")
        #expect(stage.accept(within: 50) == nil)
        // What was spent is kept all the same.
        #expect(TestFolder.text(of: stage.folder.storePath(of: "main")).contains("rt-new"))
    }

    @Test func timesAndLimitsHoldForTheNextRequestOfAConnectionThatStands() throws {
        let stage = try Stage(stores: ["main": Self.key])
        defer { stage.end() }
        let client = stage.dial()
        var reader = MessageReader(client)
        ask(client, "/-/healthz")
        try reader.readHead(isRequest: false)
        _ = try reader.readBody()
        try stage.reload("{ limits: { requestBody: 4 }, gate: { hosts: ['box.test'] } }")
        client.send(Array("POST /anthropic/v1/messages HTTP/1.1\r\nHost: box.test\r\nContent-Length: 5\r\n\r\nhello".utf8))
        try reader.readHead(isRequest: false)
        #expect(reader.startLine.hasPrefix("HTTP/1.1 413 "))
    }

    @Test func settingsThatCannotBeUsedChangeNothing() throws {
        let stage = try Stage(stores: ["main": Self.key])
        defer { stage.end() }
        let error = #expect(throws: StartError.self) { try stage.reload("{ upstream: { caFile: '/nowhere/ca.pem' } }") }
        #expect(error?.description.contains("/nowhere/ca.pem") == true)
        let client = stage.dial()
        ask(client, "/-/status")
        var reader = MessageReader(client)
        try reader.readHead(isRequest: false)
        let status = String(decoding: try reader.readBody(), as: UTF8.self)
        #expect(status.contains(#""generation":1"#) && status.contains("/nowhere/ca.pem"), "\(status)")
    }

    @Test func whatIsReadAtStartAloneIsNamed() throws {
        let stage = try Stage(stores: ["main": Self.key])
        defer { stage.end() }
        try stage.reload("{ workers: 2, listen: ['127.0.0.1:1'], limits: { connections: 7 } }")
        let client = stage.dial()
        ask(client, "/-/status")
        var reader = MessageReader(client)
        try reader.readHead(isRequest: false)
        let status = String(decoding: try reader.readBody(), as: UTF8.self)
        #expect(status.contains(#""generation":2"#) && status.contains(#""notBeforeRestart":["listen","workers"]"#), "\(status)")
    }

    @Test func aUserWithTooManyConnectionsIsToldSoAndOthersOfItGoOn() throws {
        let stage = try Stage(settings: "{ limits: { connectionsPerUser: 2 } }", stores: ["main": Self.key])
        defer { stage.end() }
        func status(_ client: PlainSocket) throws -> String {
            ask(client, "/-/healthz")
            var reader = MessageReader(client)
            try reader.readHead(isRequest: false)
            return "\(reader.startLine) \(String(decoding: try reader.readBody(), as: UTF8.self))"
        }
        let (one, two, three) = (stage.dial(), stage.dial(), stage.dial())
        #expect(try status(one).contains(" 200 "))
        #expect(try status(two).contains(" 200 "))
        let refusal = try status(three)
        #expect(refusal.contains(" 503 ") && refusal.contains("user_limit"))
        guard case .ended = three.receive() else { throw Mismatch(expected: "the end", got: "more") }
        #expect(try status(one).contains(" 200 "))
        one.close()
        // Its place is free once the server has seen that.
        var last = ""
        for _ in 0..<100 where !last.contains(" 200 ") { last = try status(stage.dial()) }
        #expect(last.contains(" 200 "))
    }
}
