import HTTP
import Testing

@Suite struct RequestTargetTests {
    @Test(arguments: [
        ("http://a/v1?x=1", "/v1?x=1"), ("HTTP://A/v1", "/v1"), ("https://a/v1", "/v1"), ("http://a", "/"), ("http://a/", "/"),
        ("/x@y:z//", "/x@y:z//"),
        ("/a?b=|\\\"{}", "/a?b=|\\\"{}"), ("/%zz", "/%zz"),
    ])
    func theTargetIsReducedToItsPathAndQuery(target: String, path: String) {
        let head = request("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(head.isComplete)
        #expect(head.target == path)
        #expect(head.targetAuthority?.lowercased() == (target.hasPrefix("/") ? nil : "a"))
    }

    @Test func connectIsParsedForTheGateToRefuse() {
        let head = request("CONNECT example.com:443 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(head.method == .connect)
        #expect(head.target == "example.com:443")
        #expect(head.targetAuthority == "example.com:443")
    }

    @Test func everyByteFrom0x21To0x7eButTheNumberSignMayStandInATarget() {
        for length in [1, 7, 8, 9, 20] {
            for byte in UInt8.min...UInt8.max {
                let target = "/" + text([UInt8](repeating: byte, count: 1), 0..<1) + String(repeating: "x", count: length)
                let isAdmitted = byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "#")
                if request("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n").isComplete != isAdmitted { Issue.record("byte \(byte)") }
            }
        }
    }
}

@Suite struct AuthorityTests {
    @Test(arguments: [
        ("a", "a"), ("localhost:5392", "localhost"), ("127.0.0.1:1", "127.0.0.1"), ("[::1]:65535", "[::1]"),
        ("[::ffff:1.2.3.4]", "[::ffff:1.2.3.4]"),
        ("a:", "a"), ("a_b~c", "a_b~c"), ("%41b", "%41b"), ("A.", "A."),
    ])
    func aHostIsANameOrAddressAndAPort(value: String, name: String) {
        let head = request("GET / HTTP/1.1\r\nHost:  \(value) \r\n\r\n")
        #expect(head.isComplete)
        #expect(head.host == value)
        #expect(head.hostName == name)
    }

    @Test(arguments: [
        "", "a b", "u@a", "a/", "a,b", "a:b", "a:65536", "a:123456", ":80", "[]", "[:", "[:]", "[::1", "[::1]a", "[::1%25lo]", "%4", "%zz",
        "a:80:80", "a\\b",
        "a?b", "a#b", "http://a", "\"a\"", "\u{e9}",
    ])
    func anyOtherHostIsRejected(value: String) {
        #expect(request("GET / HTTP/1.1\r\nHost: \(value)\r\n\r\n").rejection == .malformedHost)
    }

    @Test func everyByteOfAHostNameIsAdmittedByRFC3986() {
        let admitted = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+;=".utf8)
        for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: "%") {
            let host = "a" + text([byte], 0..<1) + "b"
            if request("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n").isComplete != admitted.contains(byte) { Issue.record("byte \(byte)") }
        }
    }
}
