import Credentials
import Testing

@testable import OAuth

@Suite struct CallbackRequestTests {
    static let redirect = LoopbackRedirect("http://localhost:1455/auth/callback")!

    static func read(_ text: String) -> CallbackRequest { CallbackRequest(Array(text.utf8), redirect: redirect) }

    static let good = "GET /auth/callback?code=c&state=s HTTP/1.1\r\nHost: localhost:1455\r\n"

    @Test("The redirect is understood, also behind other fields and by other loopback names")
    func answers() {
        let answer = CallbackRequest.answer(AuthorizationAnswer(code: "c", state: "s"))
        #expect(Self.read(Self.good + "\r\n") == answer)
        #expect(Self.read(Self.good + "User-Agent: x\r\nAccept: */*\r\nSec-Fetch-Site: cross-site\r\n\r\n") == answer)
        for host in ["127.0.0.1:1455", "[::1]:1455", "LOCALHOST:1455"] {
            #expect(Self.read("GET /auth/callback?code=c&state=s HTTP/1.0\r\nhost:\t\(host)\r\n\r\n") == answer)
        }
        #expect(Self.read("GET /auth/callback HTTP/1.1\r\nHost: localhost:1455\r\n\r\n") == .answer(AuthorizationAnswer()))
    }

    @Test("A head is waited for until it is complete")
    func incomplete() {
        let whole = Array((Self.good + "\r\n").utf8)
        for count in 0..<whole.count { #expect(CallbackRequest(Array(whole[..<count]), redirect: Self.redirect) == .incomplete) }
    }

    @Test(
        "Everything else is refused",
        arguments: [
            ("GET /other?code=c&state=s HTTP/1.1\r\nHost: localhost:1455", 404), ("GET / HTTP/1.1\r\nHost: localhost:1455", 404),
            ("GET /auth/callback/ HTTP/1.1\r\nHost: localhost:1455", 404), ("GET /auth/callbac%6b HTTP/1.1\r\nHost: localhost:1455", 404),
            ("GET /auth//callback HTTP/1.1\r\nHost: localhost:1455", 404), ("GET /favicon.ico HTTP/1.1\r\nHost: localhost:1455", 404),
            ("GET http://localhost:1455/auth/callback?code=c HTTP/1.1\r\nHost: localhost:1455", 404),
            ("POST /auth/callback?code=c&state=s HTTP/1.1\r\nHost: localhost:1455", 405),
            ("HEAD /auth/callback?code=c&state=s HTTP/1.1\r\nHost: localhost:1455", 405),
            ("OPTIONS /auth/callback HTTP/1.1\r\nHost: localhost:1455", 405),
            ("GET /auth/callback?code=c&state=s HTTP/1.1\r\nHost: evil.example", 421),
            ("GET /auth/callback?code=c&state=s HTTP/1.1\r\nHost: evil.example:1455", 421),
            ("GET /auth/callback?code=c&state=s HTTP/1.1\r\nHost: localhost:1455.evil.example", 421),
            ("GET /auth/callback?code=c&state=s HTTP/1.1\r\nHost: localhost", 421),
            ("GET /auth/callback?code=c&state=s HTTP/1.1\r\nHost: localhost:80", 421),
            ("GET /auth/callback?code=c&state=s HTTP/1.1\r\nHost: 127.0.0.1.evil.example:1455", 421),
            ("GET /auth/callback?code=c&state=s HTTP/1.1\r\nHost: localhost:1455\r\nHost: localhost:1455", 421),
            ("GET /auth/callback?code=c&state=s HTTP/1.1\r\nAccept: */*", 421),
            ("GET /auth/callback?code=c&state=s HTTP/1.1\r\nHost : localhost:1455", 400),
            ("GET /auth/callback?code=c&state=s HTTP/2.0\r\nHost: localhost:1455", 400),
            ("GET /auth/callback?code=c&state=s\r\nHost: localhost:1455", 400),
            ("GET  /auth/callback?code=c&state=s HTTP/1.1\r\nHost: localhost:1455", 400),
            ("GET /auth/callback?code=c&code=d HTTP/1.1\r\nHost: localhost:1455", 400),
            ("GET /auth/callback?code=%zz HTTP/1.1\r\nHost: localhost:1455", 400),
            ("GET /auth/callback?code=c\u{0} HTTP/1.1\r\nHost: localhost:1455", 400),
            ("GET /auth/callback?code=é HTTP/1.1\r\nHost: localhost:1455", 400), ("\u{16}\u{3}\u{1}", 400), ("", 400),
            ("GET /auth/callback?code=c HTTP/1.1\r\nHost: localhost:1455\r\n folded", 400),
            ("GET /auth/callback?code=c HTTP/1.1\nHost: localhost:1455", 400),
        ])
    func refused(head: String, status: Int) {
        #expect(Self.read(head + "\r\n\r\n") == .refused(status: status))
    }

    @Test("A head has an end, or the request has")
    func limit() {
        let long = Self.good + "X: " + String(repeating: "a", count: CallbackRequest.limit)
        #expect(Self.read(long) == .refused(status: 431))
        #expect(Self.read(long + "\r\n\r\n") == .refused(status: 431))
    }

    @Test("Garbage is never an answer")
    func garbage() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<3000 {
            let bytes = (0..<Int.random(in: 0...200, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let request = CallbackRequest(bytes + Array("\r\n\r\n".utf8), redirect: Self.redirect)
            if case .answer = request { Issue.record("\(bytes) is taken for an answer") }
        }
    }

    @Test(
        "A redirect URI names this machine, a port and a plain path",
        arguments: [
            ("http://localhost:1455/auth/callback", true), ("http://127.0.0.1:53692/callback", true), ("http://[::1]:1/", true),
            ("https://localhost:1455/auth/callback", false), ("http://localhost/auth/callback", false), ("http://localhost:1455", false),
            ("http://example.com:1455/auth", false), ("http://localhost:1455/a?b", false), ("http://localhost:1455/%61", false),
            ("http://localhost:0/", false), ("", false),
        ])
    func redirects(uri: String, isGood: Bool) {
        #expect((LoopbackRedirect(uri) != nil) == isGood)
    }
}
