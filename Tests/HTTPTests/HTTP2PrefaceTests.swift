import HTTP
import Testing

@Suite struct HTTP2PrefaceTests {
    private static let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    @Test(arguments: [
        (preface, HTTP2Preface.Finding.whole), (preface + "more", .whole), ("", .begun), ("PRI * HTTP", .begun),
        (String(preface.dropLast()), .begun), ("POST / HTTP/1.1\r\n", .none), ("PRI * HTTP/1.1\r\n", .none), ("pri", .none),
    ])
    func theFirstBytesTellTheVersion(text: String, finding: HTTP2Preface.Finding) {
        #expect(Array(text.utf8).withUnsafeBytes { HTTP2Preface.find(in: $0) } == finding)
    }
}
