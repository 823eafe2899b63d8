import HTTP
import Testing

@Suite struct ConnectionOptionsTests {
    @Test(arguments: [
        ("HTTP/1.1", "X: y", true), ("HTTP/1.1", "Connection: keep-alive", true), ("HTTP/1.1", "Connection: close", false),
        ("HTTP/1.1", "Connection: x, CLOSE\t", false), ("HTTP/1.1", "Connection: keep-alive\r\nConnection: close", false),
        ("HTTP/1.1", "Connection: , ,", true), ("HTTP/1.1", "Connection:", true), ("HTTP/1.0", "X: y", false),
        ("HTTP/1.0", "Connection: Keep-Alive", true), ("HTTP/1.0", "Connection: keep-alive, close", false),
        ("HTTP/1.0", "Proxy-Connection: keep-alive", false), ("HTTP/1.1", "Connection: closed", true),
        ("HTTP/1.1", "Keep-Alive: close", true),
    ])
    func aConnectionPersistsByVersionAndOptions(version: String, line: String, keepAlive: Bool) {
        let head = requestWith(line, version: version)
        #expect(head.isComplete)
        #expect(head.keepAlive == keepAlive)
        #expect(response("\(version) 200 OK\r\nContent-Length: 0\r\n\(line)\r\n\r\n").keepAlive == keepAlive)
    }

    @Test func aFieldThatConnectionNamesIsMarked() {
        let head = requestWith("X-Hop: 1\r\nConnection: x-hop, HTTP2-Settings\r\nx-HOP: 2\r\nX-Hop2: 3\r\nhttp2-settings: 4")
        #expect(head.fields.filter(\.isNamedInConnection).map(\.value) == ["1", "2", "4"])
    }

    @Test(arguments: [
        "host", "Content-Length", "transfer-encoding", "authorization", "x-api-key", "cookie", "chatgpt-account-id", "origin",
        "sec-fetch-site", "expect",
        "content-type", "content-encoding", "anthropic-beta", "anthropic-version", "keybearer-profile", "keybearer_profile", "x_api_key",
        "date",
        "sec-websocket-key",
    ])
    func aClientMayNotNameAFieldThatMatters(name: String) {
        #expect(requestWith("Connection: close, \(name)").rejection == .protectedConnectionOption)
    }

    @Test(arguments: ["te", "trailer", "upgrade", "keep-alive", "proxy-connection", "proxy-authorization", "x-anything"])
    func aClientMayNameHopByHopAndUnknownFields(name: String) {
        #expect(requestWith("Connection: \(name)").isComplete)
    }

    @Test func aServerMayNotNameItsFraming() {
        #expect(
            response("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: content-length\r\n\r\n").rejection == .protectedConnectionOption)
        #expect(response("HTTP/1.1 200 OK\r\nConnection: transfer-encoding\r\n\r\n").rejection == .protectedConnectionOption)
        let head = response("HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nConnection: set-cookie\r\n\r\n")
        #expect(head.fields.first?.isNamedInConnection == true)
    }

    @Test(arguments: ["a b", "clo\u{e9}e", "a;b", "\"close\"", "close, a/b"])
    func anOptionIsAToken(value: String) {
        #expect(requestWith("Connection: \(value)").rejection == .malformedConnection)
    }

    @Test func aLookalikeMayNotBeNamed() {
        #expect(requestWith("Connection: content_length").rejection == .lookalikeField)
    }

    @Test func optionsAreBoundedInNumber() {
        let options = (1...32).map { "x\($0)" }.joined(separator: ",")
        #expect(requestWith("Connection: \(options)").isComplete)
        #expect(requestWith("Connection: \(options)\r\nConnection: y").rejection == .tooManyConnectionOptions)
    }
}
