import Testing

/// Refreshes that wait for one another, and those that must not.
@Suite struct RefreshDeskTests {
    private static func login(_ provider: String, _ name: Int) -> String {
        """
        "\(provider):\(name)":{"type":"oauth","provider":"\(provider)","access":"at-\(name)","refresh":"rt-\(name)","expires":{{hour_ago}}}
        """
    }

    private func ask(_ client: PlainSocket, _ target: String) {
        client.send(Array("GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
    }

    /// Plays a token endpoint's answer.
    private func renew(_ socket: PlainSocket) throws {
        var reader = MessageReader(socket)
        try reader.readHead(isRequest: true)
        _ = try reader.readBody()
        let body = #"{"access_token":"at-new","refresh_token":"rt-new","expires_in":3600}"#
        socket.send(Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8))
    }

    @Test func aSlowTokenEndpointHoldsUpWhatIsRefreshedThereAndNothingElse() throws {
        let (elsewhere, port) = PlainSocket.bound()
        defer { elsewhere.close() }
        let logins = (1...9).map { Self.login("slow", $0) } + [Self.login("quick", 1)]
        let stage = try Stage(
            settings: """
                { providers: {
                  slow: { baseURL: 'http://{{upstream}}/slow', oauth: { tokenURL: 'http://{{token-endpoint}}/oauth/token', clientID: 'c' } },
                  quick: { baseURL: 'http://{{upstream}}/quick', oauth: { tokenURL: 'http://127.0.0.1:\(port)/oauth/token', clientID: 'c' } } } }
                """, stores: ["main": #"{"version":1,"profiles":{\#(logins.joined(separator: ","))}}"#])
        defer { stage.end() }
        let waiting = (1...9).map { _ in stage.dial() }
        for (number, client) in zip(1..., waiting) { ask(client, "/slow@\(number)/v1/models") }
        let held = try (1...8).map { _ in try #require(stage.acceptTokenRequest()) }
        #expect(stage.acceptTokenRequest(within: 50) == nil, "more than eight at one endpoint")

        let client = stage.dial()
        ask(client, "/quick/v1/models")
        try renew(try #require(elsewhere.accepted(within: PlainSocket.patience), "it waits behind another provider's logins"))
        let socket = try #require(stage.accept())
        var provider = MessageReader(socket)
        try provider.readHead(isRequest: true)
        #expect(provider.startLine == "GET /quick/v1/models HTTP/1.1")
        #expect(provider.values(of: "authorization") == ["Bearer at-new"])

        // The ninth follows the first of the eight that is done.
        try renew(held[0])
        try renew(try #require(stage.acceptTokenRequest()))
        for socket in held.dropFirst() { try renew(socket) }
    }
}
