import Testing

@testable import Configuration

@Suite struct BaseURLTests {
    @Test(
        "A base URL is read into its parts and printed in its normal form",
        arguments: [
            ("https://api.anthropic.com", "api.anthropic.com", 443, "", "https://api.anthropic.com"),
            ("https://API.Example.com/", "api.example.com", 443, "", "https://api.example.com"),
            ("https://chatgpt.com/backend-api/codex//", "chatgpt.com", 443, "/backend-api/codex", "https://chatgpt.com/backend-api/codex"),
            ("https://h:8443/a", "h", 8443, "/a", "https://h:8443/a"), ("https://h:443", "h", 443, "", "https://h"),
            ("http://127.0.0.1:11434", "127.0.0.1", 11434, "", "http://127.0.0.1:11434"),
            ("http://127.9.9.9", "127.9.9.9", 80, "", "http://127.9.9.9"),
            ("http://localhost:1/x", "localhost", 1, "/x", "http://localhost:1/x"), ("http://[::1]:80", "::1", 80, "", "http://[::1]"),
            ("http://[0:0:0:0:0:0:0:1]", "0:0:0:0:0:0:0:1", 80, "", "http://[0:0:0:0:0:0:0:1]"),
            ("https://[2001:db8::1]:99/v", "2001:db8::1", 99, "/v", "https://[2001:db8::1]:99/v"),
        ] as [(String, String, UInt16, String, String)])
    func reads(text: String, host: String, port: UInt16, path: String, printed: String) throws {
        let url = try BaseURL(text)
        #expect(url.host == host)
        #expect(url.port == port)
        #expect(url.path == path)
        #expect(url.description == printed)
    }

    @Test(
        "What could send a credential astray is refused, with the reason",
        arguments: [
            ("http://api.anthropic.com", BaseURL.Flaw.plainHTTP), ("http://127.0.0.1.evil.example", .plainHTTP),
            ("http://localhost.evil.example", .plainHTTP),
            ("http://0.0.0.0", .plainHTTP), ("http://[::2]", .plainHTTP), ("http://[1::]", .plainHTTP), ("http://127.1", .plainHTTP),
            ("http://0177.0.0.1", .plainHTTP), ("http://[::ffff:10.0.0.1]", .plainHTTP),
            ("ftp://h", .scheme), ("api.anthropic.com", .scheme), ("HTTPS://h", .scheme), ("", .scheme), ("//h", .scheme),
            ("https://", .host), ("https:///x", .host), ("https://a..b", .host), ("https://a b", .host), ("https://a%2eb", .host),
            ("https://[::1", .host),
            ("https://[x]", .host), ("https://[fe80::1%25eth0]", .host), ("https://h\\evil", .host), ("https://hö", .host),
            ("https://h:", .port), ("https://h:0", .port), ("https://h:65536", .port), ("https://h:+1", .port), ("https://h:1:2", .port),
            ("https://u:p@h", .userInfo), ("https://u@h/x", .userInfo), ("https://h?key=1", .queryOrFragment),
            ("https://h/x#y", .queryOrFragment), ("https://h/x?\u{301}y", .queryOrFragment), ("https://h/x#\u{301}", .queryOrFragment),
            ("https://u@\u{301}h", .userInfo), ("https://h:\u{301}80", .port), ("http://[\u{301}::1]", .host),
            ("http://[::1]\u{301}", .host),
            ("https://h/a/../b", .path), ("https://h/%2e%2E/b", .path), ("https://h/a/%2E", .path), ("https://h/.%2e", .path),
            ("https://h/a//b", .path), ("https://h/a b", .path),
            ("https://h/a\\b", .path),
            ("https://h/ä", .path), ("https://h/.", .path),
        ] as [(String, BaseURL.Flaw)])
    func refuses(text: String, flaw: BaseURL.Flaw) {
        #expect(throws: flaw) { try BaseURL(text) }
    }
}

@Suite struct ListenAddressTests {
    @Test(
        "Loopback addresses are accepted in all their forms",
        arguments: [
            ("127.0.0.1:5392", ["127.0.0.1:5392"]), ("[::1]:5392", ["[::1]:5392"]), ("localhost:0", ["127.0.0.1:0", "[::1]:0"]),
            ("LocalHost:80", ["127.0.0.1:80", "[::1]:80"]), ("127.1.2.3:65535", ["127.1.2.3:65535"]), ("[0:0::1]:1", ["[::1]:1"]),
        ])
    func accepts(text: String, expected: [String]) throws {
        #expect(try ListenAddress.parse(text).map(\.description) == expected)
    }

    @Test(
        "Any other address is refused, and the message says what it would need",
        arguments: [
            "0.0.0.0:5392", "[::]:5392", "192.168.1.2:5392", "example.com:80", "[::ffff:127.0.0.1]:80", "[fe80::1]:80", "128.0.0.1:1",
        ])
    func refusesOthers(text: String) {
        #expect(throws: ListenAddress.Flaw.notLoopback) { try ListenAddress.parse(text) }
        #expect(ListenAddress.Flaw.notLoopback.expectation.contains("--insecure-listen"))
    }

    @Test(
        "Over TLS an address may be of any network, and a name may not",
        arguments: [
            ("0.0.0.0:5392", false), ("[2001:db8::1]:1", false), ("192.168.1.2:0", false), ("127.0.0.1:1", true), ("[::1]:1", true),
        ])
    func overTLS(text: String, isLocal: Bool) throws {
        let addresses = try ListenAddress.parse(text, tls: ListenerFiles())
        #expect(addresses.map(\.description) == [text])
        #expect(addresses.first?.isLocal == isLocal)
        #expect(addresses.first?.tls != nil)
        #expect(throws: ListenAddress.Flaw.form) { try ListenAddress.parse("example.com:80", tls: ListenerFiles()) }
    }

    @Test func aUnixSocketIsNamedByItsPath() throws {
        let addresses = try ListenAddress.parse("unix:/run/kb.sock")
        #expect(addresses.map(\.description) == ["unix:/run/kb.sock"])
        #expect(addresses.first?.path == "/run/kb.sock")
        #expect(addresses.first?.isFixed == true)
    }

    @Test(
        "A Unix socket's path is absolute and no folder's", arguments: ["unix:", "unix:kb.sock", "unix:/", "unix:/run/", "unix:/a\u{0}b"])
    func refusesPaths(text: String) {
        #expect(throws: ListenAddress.Flaw.path) { try ListenAddress.parse(text) }
    }

    @Test(
        "What is no address and port is refused",
        arguments: ["", "5392", ":5392", "127.0.0.1", "127.0.0.1:", "::1:5392", "127.0.0.1:99999", "[::1]5392", "a:b", "127.0.0.1:1x"])
    func refusesForm(text: String) {
        #expect(throws: ListenAddress.Flaw.form) { try ListenAddress.parse(text) }
    }
}

@Suite struct HostTextTests {
    @Test(
        "IPv6 addresses are told from what only looks like one",
        arguments: [
            ("::1", true), ("::", true), ("2001:db8::ff00:42:8329", true), ("1:2:3:4:5:6:7:8", true), ("::ffff:1.2.3.4", true),
            ("1::", true),
            ("1:2:3:4:5:6:7", false), ("1:2:3:4:5:6:7:8:9", false), ("1::2::3", false), (":1", false), ("1:", false), ("12345::", false),
            ("g::", false),
            ("1.2.3.4::", false), ("1.2.3.4", false), ("", false), (":::", false), ("::1%eth0", false),
        ])
    func ipv6(text: String, expected: Bool) {
        #expect(HostText.isIPv6(text) == expected)
    }
}
