import JSON
import Testing

@testable import Credentials

@Suite struct OutboundProxyTests {
    @Test(arguments: [
        ("http://proxy:3128", "http://proxy:3128", false), ("HTTPS://Proxy.Example:443/", "https://proxy.example:443", false),
        ("socks5://127.0.0.1:1080", "socks5://127.0.0.1:1080", false), ("socks5h://[::1]:9050", "socks5h://[::1]:9050", false),
        ("http://me:p%40ss@proxy:8080", "http://proxy:8080", true),
    ])
    func aProxyIsReadAndShownWithoutItsPassword(text: String, shown: String, hasCredentials: Bool) throws {
        let proxy = try #require(OutboundProxy(text))
        #expect("\(proxy)" == shown && proxy.hasCredentials == hasCredentials && proxy.url.revealed == text)
    }

    @Test(arguments: [
        "", "proxy:3128", "http://proxy", "ftp://proxy:1", "http://:1", "http://proxy:0", "http://proxy:1/path", "http:proxy:1",
        "http://a b:1",
    ])
    func whatIsNoProxyIsNone(text: String) { #expect(OutboundProxy(text) == nil) }

    @Test(arguments: [
        ("http://127.0.0.1:1", true), ("socks5://localhost:1", true), ("http://[::1]:1", true), ("http://127.evil.example:1", false),
    ])
    func aProxyOnThisMachineIsKnown(text: String, isLoopback: Bool) { #expect(OutboundProxy(text)?.isLoopback == isLoopback) }

    @Test func aProfileHasItsProxyAndOneThatCannotBeUnderstoodIsNotGoneWithout() throws {
        let sink = TemporarySink(
            profiles: """
                {"version":1,"profiles":{
                "p:a":{"type":"oauth","provider":"p","access":"a","refresh":"r","expires":1,"proxy":"socks5h://127.0.0.1:9050"},
                "p:b":{"type":"api_key","provider":"p","key":"k","proxy":"127.0.0.1:9050"},
                "p:c":{"type":"api_key","provider":"p","key":"k","proxy":null}}}
                """)
        let snapshot = try sink.store.load()
        #expect(snapshot.profile("p:a")?.proxy == OutboundProxy("socks5h://127.0.0.1:9050"))
        #expect(snapshot.profile("p:b") == nil && snapshot.problems.map(\.profileID) == ["p:b"])
        #expect(snapshot.profile("p:c")?.proxy == nil)
    }

    @Test func itStaysThroughANewLoginUnlessAnotherIsGiven() throws {
        let sink = TemporarySink(
            profiles: #"{"version":1,"profiles":{"p:a":{"type":"api_key","provider":"p","key":"k","proxy":"http://one:1"}}}"#)
        try sink.store.put(.apiKey(Secret("k2")!, provider: "p"), id: "p:a")
        #expect(try sink.store.load().profile("p:a")?.proxy?.host == "one")
        try sink.store.put(.apiKey(Secret("k3")!, provider: "p"), id: "p:a", proxy: OutboundProxy("http://two:2"))
        #expect(try sink.store.load().profile("p:a")?.proxy?.host == "two")
    }
}
