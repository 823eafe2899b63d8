import HTTP
import Testing

@Suite struct ResponseHeadTests {
    @Test func aHeadIsReadIntoItsParts() {
        let head = response("HTTP/1.1 404 Not Found here\r\nContent-Length: 3\r\nDate: today\r\n\r\nabc")
        #expect(head.outcome == .complete(byteCount: 63))
        #expect(head.status == 404)
        #expect(head.reason == "Not Found here")
        #expect(head.version == .http11)
        #expect(head.framing == .length(3))
        #expect(head.keepAlive)
        #expect(head.fields.map(\.known) == [.contentLength, .date])
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK", "OK"), ("HTTP/1.1 200 ", ""), ("HTTP/1.1 200", ""), ("HTTP/1.0 599 a  b", "a  b"), ("HTTP/1.1 200  \t", " \t"),
        ("HTTP/1.1 200 \u{e9}", "\u{e9}"),
    ])
    func aReasonMayBeEmptyOrMissing(line: String, reason: String) {
        let head = response("\(line)\r\n\r\n")
        #expect(head.isComplete)
        #expect(head.reason == reason)
    }

    @Test(arguments: [
        ("HTTP/1.1 099 x", Rejection.statusOutOfRange), ("HTTP/1.1 600 x", .statusOutOfRange), ("HTTP/1.1 999", .statusOutOfRange),
        ("HTTP/1.1 20 x", .malformedStatusLine), ("HTTP/1.1 2000 x", .malformedStatusLine), ("HTTP/1.1 200x", .malformedStatusLine),
        ("HTTP/1.1  200", .malformedStatusLine), ("HTTP/1.1 +20 x", .malformedStatusLine), ("HTTP/1.1\t200 x", .malformedStatusLine),
        ("HTTP/1.1 200\tOK", .malformedStatusLine), ("HTTP/1.1", .malformedStatusLine), ("HTTP/1.12 200", .malformedStatusLine),
        ("HTTP/1.2 200 OK", .unsupportedVersion), ("HTTP/2 200 OK", .unsupportedVersion), ("HTTP/2.0 200 OK", .unsupportedVersion),
        ("http/1.1 200 OK", .notHTTP), ("ICY 200 OK", .notHTTP), ("<html>", .notHTTP), ("\r\nHTTP/1.1 200 OK", .notHTTP),
        (" HTTP/1.1 200", .notHTTP),
        ("\u{16}\u{03}\u{01}", .notHTTP), ("HTTP/1.1 200 O\u{00}K", .controlByte), ("HTTP/1.1 200 OK\nX: y", .bareLineFeed),
        ("HTTP/1.1 200 OK\rX", .bareCarriageReturn),
    ])
    func anyOtherStatusLineIsRejected(line: String, rejection: Rejection) {
        #expect(response("\(line)\r\n\r\n").rejection == rejection)
    }

    @Test(arguments: [
        ("H", nil), ("HTTP", nil), ("HTTP/1.", nil), ("S", Rejection.notHTTP), ("HTTX", .notHTTP), ("HTTP/2", .unsupportedVersion),
    ])
    func whatCannotBecomeHTTPIsRejectedAtOnce(start: String, rejection: Rejection?) {
        #expect(response(start).outcome == rejection.map { .rejected($0) } ?? .incomplete)
    }

    @Test(arguments: [
        ("HTTP/1.1 200", "X: y", false, BodyFraming.untilClose), ("HTTP/1.1 200", "Content-Length: 5", false, .length(5)),
        ("HTTP/1.1 200", "Transfer-Encoding: chunked", false, .chunked), ("HTTP/1.0 200", "Content-Length: 5", false, .length(5)),
        ("HTTP/1.1 200", "Content-Length: 5", true, .none), ("HTTP/1.1 200", "Transfer-Encoding: chunked", true, .none),
        ("HTTP/1.1 200", "X: y", true, .none),
        ("HTTP/1.1 204", "Content-Length: 5", false, .none), ("HTTP/1.1 304", "Transfer-Encoding: chunked", false, .none),
        ("HTTP/1.1 100", "Content-Length: 5", false, .none), ("HTTP/1.1 101", "Upgrade: x", false, .none),
        ("HTTP/1.1 103", "X: y", false, .none),
        ("HTTP/1.1 205", "Content-Length: 0", false, .length(0)),
    ])
    func theBodyEndsByStatusMethodAndFields(start: String, line: String, toHead: Bool, framing: BodyFraming) {
        let head = response("\(start)\r\n\(line)\r\n\r\n", toHead: toHead)
        #expect(head.framing == framing)
        if framing == .untilClose { #expect(!head.keepAlive) }
    }

    @Test(arguments: [(100, true, false), (101, false, true), (103, true, false), (199, true, false), (200, false, false)])
    func interimAnswersAndUpgradesAreTold(status: Int, isInterim: Bool, isUpgrade: Bool) {
        var head = ResponseHead()
        let parsed = head.read(latin1("HTTP/1.1 \(status) x\r\n\r\n"))
        #expect(parsed.isComplete)
        let told = (head.isInterim, head.isUpgrade)
        #expect(told == (isInterim, isUpgrade))
    }

    @Test func theDeclaredLengthSurvivesAnAnswerWithoutBody() {
        var head = ResponseHead()
        _ = head.read(latin1("HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n"), toHead: true)
        let length = head.declaredLength
        #expect(length == 77)
        _ = head.read(latin1("HTTP/1.1 200 OK\r\n\r\n"))
        let absent = head.declaredLength
        #expect(absent == nil)
    }

    @Test func aHeadHasTheSameLimitsAsARequest() {
        #expect(response("HTTP/1.1 200 " + String(repeating: "x", count: 70_000)).rejection == .headTooLarge)
        #expect(response("HTTP/1.1 200\r\n" + String(repeating: "a: b\r\n", count: 129)).rejection == .tooManyFields)
    }
}
