import HTTP
import Testing

@Suite struct RequestHeadTests {
    @Test func aHeadIsReadIntoItsParts() {
        let text =
            "POST /anthropic/v1/messages?beta=1 HTTP/1.1\r\nHost: localhost:5392\r\nContent-Length: 12\r\nX-Test:\t a b \t\r\n\r\nbody"
        let head = request(text)
        #expect(head.outcome == .complete(byteCount: text.utf8.count - 4))
        #expect(head.method == .post)
        #expect(head.methodText == "POST")
        #expect(head.target == "/anthropic/v1/messages?beta=1")
        #expect(head.targetAuthority == nil)
        #expect(head.version == .http11)
        #expect(head.host == "localhost:5392")
        #expect(head.hostName == "localhost")
        #expect(head.framing == .length(12))
        #expect(head.keepAlive)
        #expect(
            head.fields == [
                .init(known: .host, name: "Host", value: "localhost:5392", isNamedInConnection: false),
                .init(known: .contentLength, name: "Content-Length", value: "12", isNamedInConnection: false),
                .init(known: .other, name: "X-Test", value: "a b", isNamedInConnection: false),
            ])
    }

    @Test(arguments: [
        ("GET", Method.get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("DELETE", .delete), ("PATCH", .patch), ("OPTIONS", .options),
        ("TRACE", .trace), ("get", .other), ("PURGE", .other), ("PAT", .other), ("HEAP", .other), ("M-SEARCH", .other), ("Q", .other),
    ])
    func aMethodIsKnownByItsExactName(name: String, method: Method) {
        let head = request("\(name) / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(head.isComplete)
        #expect(head.method == method)
        #expect(head.methodText == name)
    }

    @Test(arguments: [
        ("\r\n\r\nGET / HTTP/1.1", Rejection.emptyLines), ("GET /\u{00}a HTTP/1.1", .controlByte),
        ("GET\t/ HTTP/1.1", .malformedRequestLine),
        ("GET / HTTP/1.1\n", .bareLineFeed), ("GET / HTTP/1.1\rX", .bareCarriageReturn), ("GET /a\u{7f} HTTP/1.1", .controlByte),
        ("GET /", .malformedRequestLine), ("GET", .malformedRequestLine), (" GET / HTTP/1.1", .malformedRequestLine),
        ("GET / HTTP/1.1 ", .malformedRequestLine), ("GET HTTP/1.1", .malformedRequestLine), ("GET  HTTP/1.1", .malformedRequestLine),
        ("G@T / HTTP/1.1", .malformedMethod), ("G\u{e9}T / HTTP/1.1", .malformedMethod), ("(GET) / HTTP/1.1", .malformedMethod),
        ("AVERYLONGMETHODNAMETHATNOBODYWILLE / HTTP/1.1", .methodTooLong), ("GET / http/1.1", .malformedVersion),
        ("GET / HTTP/1", .malformedVersion),
        ("GET / HTTP/11", .malformedVersion), ("GET / HTTP/1.10", .malformedVersion), ("GET / ICE/1.0", .malformedVersion),
        ("GET / HTTP/1,1", .malformedVersion), ("GET / HTTP/0.9", .unsupportedVersion), ("GET / HTTP/1.2", .unsupportedVersion),
        ("GET / HTTP/2.0", .unsupportedVersion), ("PRI * HTTP/2.0", .unsupportedVersion), ("GET  / HTTP/1.1", .targetByte),
        ("GET /  HTTP/1.1", .targetByte), ("GET /a\tb HTTP/1.1", .targetByte), ("GET /a b HTTP/1.1", .targetByte),
        ("GET /\u{e9} HTTP/1.1", .targetByte), ("GET /12345678\u{80} HTTP/1.1", .targetByte), ("GET /a#b HTTP/1.1", .targetFragment),
        ("GET /1234567890#b HTTP/1.1", .targetFragment), ("OPTIONS * HTTP/1.1", .targetForm), ("GET a HTTP/1.1", .targetForm),
        ("GET localhost:80 HTTP/1.1", .targetForm), ("GET ftp://a/ HTTP/1.1", .targetForm), ("GET http:/a/ HTTP/1.1", .targetForm),
        ("GET http:// HTTP/1.1", .targetForm), ("GET http:///p HTTP/1.1", .targetAuthority), ("GET http://a?q HTTP/1.1", .targetForm),
        ("GET http://u@a/ HTTP/1.1", .targetUserinfo), ("GET http://a:p@a/ HTTP/1.1", .targetUserinfo),
        ("GET http://a:x/ HTTP/1.1", .targetAuthority), ("GET http://b/ HTTP/1.1", .authorityMismatch),
        ("GET http://a:80/ HTTP/1.1", .authorityMismatch), ("CONNECT a HTTP/1.1", .targetAuthority),
        ("CONNECT /a HTTP/1.1", .targetAuthority),
    ])
    func aRequestLineThatIsNotExactlyOneIsRejected(line: String, rejection: Rejection) {
        #expect(request("\(line)\r\nHost: a\r\n\r\n").rejection == rejection)
    }

    @Test func fieldLinesThatWereGivenBackAreReadAgain() {
        let text = Array("POST /v1/a HTTP/1.1\r\nHost: h\r\nOrigin: https://o\r\nContent-Length: 3\r\nX-A: 1\r\n\r\n".utf8)
        var head = RequestHead()
        let outcome = unsafe text.withUnsafeBytes { unsafe head.parse($0, limits: .init()) }
        #expect(outcome == .complete(byteCount: text.count))
        head.releaseFields()
        let hasOrigin = head.contains(.origin)
        var origin = head.first(.origin)
        #expect(hasOrigin)
        #expect(origin == nil)
        #expect(head.fieldCount == 0)
        #expect(head.framing == .length(3))
        #expect(head.target == 5..<10)
        unsafe text.withUnsafeBytes { unsafe head.restoreFields(from: $0) }
        origin = head.first(.origin)
        #expect(head.fieldCount == 4)
        #expect(origin?.valueRange.count == 9)
        #expect(head.framing == .length(3))
        #expect(head.target == 5..<10)
        // Nothing was given back, and so nothing is read.
        unsafe head.restoreFields(from: UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(head.fieldCount == 4)
    }

    /// As large as any limits allow: more is lowered to that.
    @Test(arguments: [HeadLimits(), HeadLimits(byteCount: 1 << 20, fieldCount: 1024)])
    func theLargestHeadIsReadAgain(limits: HeadLimits) {
        var text = "GET / HTTP/1.1\r\nHost: h\r\n"
        for number in 2..<128 { text += "X-\(number): v\r\n" }
        text += "X-Last: "
        text += String(repeating: "v", count: 65_536 - text.utf8.count - 4) + "\r\n\r\n"
        let bytes = Array(text.utf8)
        var head = RequestHead()
        let outcome = unsafe bytes.withUnsafeBytes { unsafe head.parse($0, limits: limits) }
        #expect(outcome == .complete(byteCount: 65_536))
        head.releaseFields()
        unsafe bytes.withUnsafeBytes { unsafe head.restoreFields(from: $0) }
        let last = head[127]
        #expect(head.fieldCount == 128)
        #expect(last.valueRange.upperBound == 65_532)
    }

    @Test func oneEmptyLineBeforeTheRequestLineIsReadOver() {
        let head = request("\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(head.outcome == .complete(byteCount: 30))
        #expect(head.target == "/a")
    }

    @Test func exactlyOneHostIsNeededInEitherVersion() {
        #expect(request("GET / HTTP/1.1\r\n\r\n").rejection == .missingHost)
        #expect(request("GET / HTTP/1.0\r\n\r\n").rejection == .missingHost)
        #expect(request("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n").rejection == .repeatedHost)
    }

    @Test(arguments: [
        ("100-continue", "Content-Length: 1", "HTTP/1.1", true), ("100-Continue", "Transfer-Encoding: chunked", "HTTP/1.1", true),
        ("100-continue", "Content-Length: 0", "HTTP/1.1", false), ("100-continue", "X: y", "HTTP/1.1", false),
        ("100-continue", "Content-Length: 1", "HTTP/1.0", false),
    ])
    func anExpectationIsMetOnlyForABodyInHTTP11(value: String, framing: String, version: String, expects: Bool) {
        let head = requestWith("Expect: \(value)\r\n\(framing)", version: version)
        #expect(head.isComplete)
        #expect(head.expectsContinue == expects)
    }

    @Test(arguments: ["", "100-continue, 100-continue", "200-ok", "100-continue;a=b"])
    func anyOtherExpectationIsRejected(value: String) {
        #expect(requestWith("Expect: \(value)").rejection == .unsupportedExpectation)
    }

    @Test func onlyAnUpgradeThatConnectionNamesIsAsked() {
        #expect(requestWith("Upgrade: websocket\r\nConnection: keep-alive, Upgrade").upgrade)
        #expect(!requestWith("Upgrade: websocket").upgrade)
        #expect(!requestWith("Connection: upgrade").upgrade)
    }

    @Test func aHeadMayBeExactlyAsLargeAsTheLimit() {
        let start = "GET / HTTP/1.1\r\nHost: a\r\nX: "
        let limits = HeadLimits(byteCount: 1000)
        let padding = String(repeating: "x", count: 1000 - start.utf8.count - 4)
        #expect(request(start + padding + "\r\n\r\n", limits: limits).outcome == .complete(byteCount: 1000))
        #expect(request(start + padding + "x\r\n\r\n", limits: limits).rejection == .headTooLarge)
        #expect(request(start + padding + padding, limits: limits).rejection == .headTooLarge)
        #expect(request("GET /" + padding + padding, limits: limits).rejection == .targetTooLong)
    }

    @Test func offsetsReachTheEndOfTheLargestHead() {
        let start = "GET / HTTP/1.1\r\nHost: a\r\nX: "
        let head = request(start + String(repeating: "x", count: 65_536 - start.utf8.count - 9) + "\r\nY:z\r\n\r\n")
        #expect(head.outcome == .complete(byteCount: 65_536))
        #expect(head.fields.last?.value == "z")
    }

    @Test func asManyFieldLinesAsTheLimitAreTaken() {
        func head(_ count: Int, limits: HeadLimits = HeadLimits()) -> ParsedHead {
            request("GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "x: y\r\n", count: count - 1) + "\r\n", limits: limits)
        }
        #expect(head(128).fields.count == 128)
        #expect(head(129).rejection == .tooManyFields)
        #expect(head(3, limits: HeadLimits(fieldCount: 3)).isComplete)
        #expect(head(4, limits: HeadLimits(fieldCount: 3)).rejection == .tooManyFields)
    }

    @Test func aHeadValueServesOneRequestAfterAnother() {
        var head = RequestHead()
        let first = head.read(
            latin1(
                "POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\nCookie: x\r\nConnection: close\r\n\r\n")
        )
        #expect(first.expectsContinue && !first.keepAlive)
        let broken = head.read(latin1("GET /\u{00}"))
        #expect(broken.rejection == .controlByte)
        let second = head.read(latin1("GET /b HTTP/1.1\r\nHost: b\r\n\r\n"))
        #expect(second.framing == .none && second.keepAlive && !second.expectsContinue && second.targetAuthority == nil)
        let stillHasCookie = head.contains(.cookie)
        #expect(!stillHasCookie)
        _ = head.read(latin1("GET /half"))
        head.reset()
        let third = head.read(latin1("GET /c HTTP/1.1\r\nHost: c\r\n\r\n"))
        #expect(third.target == "/c")
    }

    @Test func fieldsAreFoundByName() {
        var head = RequestHead()
        let bytes = latin1("GET / HTTP/1.1\r\nHost: a\r\nOrigin: x\r\nOrigin: y\r\nCookie: z\r\n\r\n")
        _ = head.read(bytes)
        let present = [FieldName.origin, .cookie, .authorization].map { name in head.contains(name) }
        #expect(present == [true, true, false])
        let repeated = [FieldName.origin, .cookie, .authorization].map { name in head.containsTwice(name) }
        #expect(repeated == [true, false, false])
        let origin = head.first(.origin).map { text(bytes, $0.valueRange) }
        #expect(origin == "x")
        let authorization = head.first(.authorization)
        #expect(authorization == nil)
    }
}
