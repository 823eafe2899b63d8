import Testing

@testable import OAuth

@Suite struct CallbackPageTests {
    @Test("Every page is whole, loads nothing and lets nothing run", arguments: CallbackPage.allCases)
    func pages(page: CallbackPage) throws {
        let text = String(decoding: page.response(status: 200), as: UTF8.self)
        let end = try #require(text.firstRange(of: "\r\n\r\n"))
        let head = text[..<end.lowerBound]
        let body = text[end.upperBound...]
        #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(head.contains("\r\nContent-Length: \(body.utf8.count)\r\n"))
        #expect(head.contains("\r\nContent-Security-Policy: default-src 'none'; style-src 'sha256-"))
        #expect(head.contains("\r\nReferrer-Policy: no-referrer\r\n"))
        #expect(head.contains("\r\nCache-Control: no-store\r\n"))
        for sign in ["<script", "src=", "href=", "url(", "http:", "https:", "@import", "<form"] {
            #expect(!body.contains(sign), "\(sign) in \(page)")
        }
    }
}
