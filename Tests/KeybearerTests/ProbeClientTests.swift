import Testing

@testable import keybearer

@Suite struct ProbeClientTests {
    @Test(
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "200 ok"), ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", nil),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n", "200 abc"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", nil),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", nil),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nab", nil),
            ("HTTP/1.1 401 No\r\nConnection: close\r\n\r\nto the end", "401 to the end"), ("HTTP/1.1 200 OK\r\nContent-Le", nil), ("", nil),
        ] as [(String, String?)])
    func `An answer is whole or none`(bytes: String, expected: String?) {
        let answer = ProbeAnswer(Array(bytes.utf8))
        #expect(answer.map { "\($0.status) \(String(decoding: $0.body, as: UTF8.self))" } == expected)
    }

    @Test func `Where nobody listens there is no answer`() {
        #expect(ProbeClient(to: .port(1), timeout: .seconds(1)) { true }.send("GET / HTTP/1.1\r\n\r\n") == .unreachable)
    }

    @Test func `An answer that nobody wants is not waited for`() {
        #expect(ProbeClient(to: .port(1), timeout: .seconds(1)) { false }.send("GET / HTTP/1.1\r\n\r\n") == .abandoned)
    }
}
