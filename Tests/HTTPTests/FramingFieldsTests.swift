import HTTP
import Testing

@Suite struct FramingFieldsTests {
    @Test(arguments: [
        ("X: y", BodyFraming.none), ("Content-Length: 0", .length(0)), ("Content-Length: 003", .length(3)),
        ("Content-Length:\t42 ", .length(42)),
        ("Content-Length: 999999999999999999", .length(999_999_999_999_999_999)), ("Transfer-Encoding: chunked", .chunked),
        ("TRANSFER-ENCODING:CHUNKED\t", .chunked),
    ])
    func aBodyIsFramedInOneWay(line: String, framing: BodyFraming) {
        let head = requestWith(line)
        #expect(head.isComplete)
        #expect(head.framing == framing)
    }

    @Test(arguments: [
        ("Content-Length: 1\r\nContent-Length: 1", Rejection.repeatedLength), ("Content-Length: 1\r\nContent-Length: 2", .repeatedLength),
        ("Content-Length: 1, 1", .malformedLength), ("Content-Length:", .malformedLength), ("Content-Length: +1", .malformedLength),
        ("Content-Length: -1", .malformedLength), ("Content-Length: 0x1", .malformedLength), ("Content-Length: 1 2", .malformedLength),
        ("Content-Length: 1_0", .malformedLength), ("Content-Length: 1.0", .malformedLength), ("Content-Length: \u{a0}1", .malformedLength),
        ("Content-Length: 1000000000000000000", .malformedLength), ("Content-Length: 18446744073709551616", .malformedLength),
        ("Content-Length: 1\r\nTransfer-Encoding: chunked", .lengthAndCoding),
        ("Transfer-Encoding: chunked\r\nContent-Length: 0", .lengthAndCoding),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", .repeatedCoding),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", .repeatedCoding), ("Transfer-Encoding:", .unsupportedCoding),
        ("Transfer-Encoding: gzip, chunked", .unsupportedCoding), ("Transfer-Encoding: chunked, chunked", .unsupportedCoding),
        ("Transfer-Encoding: identity", .unsupportedCoding), ("Transfer-Encoding: xchunked", .unsupportedCoding),
        ("Transfer-Encoding: chunked;q=1", .unsupportedCoding), ("Transfer-Encoding: \"chunked\"", .unsupportedCoding),
        ("Transfer-Encoding: ,chunked", .unsupportedCoding), ("Transfer-Encoding: \u{a0}chunked", .unsupportedCoding),
        ("Transfer-Encoding: chunked\u{a0}", .unsupportedCoding), ("Transfer-Encoding: chun\u{212a}ed".replacingLatin, .unsupportedCoding),
        ("Transfer-Encoding: chunke\u{e4}", .unsupportedCoding),
    ])
    func anyDoubtAboutFramingIsRejected(line: String, rejection: Rejection) {
        #expect(requestWith(line).rejection == rejection)
        #expect(response("HTTP/1.1 200 OK\r\n\(line)\r\n\r\n").rejection == rejection)
        // HEAD's and 204's answers have no body, but what could be read in two ways is still refused.
        #expect(response("HTTP/1.1 204 No Content\r\n\(line)\r\n\r\n", toHead: true).rejection == rejection)
    }

    @Test func http10HasNoTransferEncoding() {
        #expect(requestWith("Transfer-Encoding: chunked", version: "HTTP/1.0").rejection == .codingInHTTP10)
        #expect(response("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").rejection == .codingInHTTP10)
    }

    @Test(arguments: ["GET", "HEAD", "DELETE"])
    func anyMethodMayHaveAFramedBody(method: String) {
        #expect(request("\(method) / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n").framing == .length(3))
    }

    @Test func onlySomeFramingsHaveBytes() {
        let framings = [BodyFraming.none, .length(0), .length(1), .chunked, .untilClose]
        #expect(framings.map(\.mayHaveBytes) == [false, false, true, true, true])
    }
}

extension String {
    /// The UTF-8 bytes as one character each, for what lies beyond U+00FF.
    fileprivate var replacingLatin: String { text(Array(utf8), 0..<utf8.count) }
}
