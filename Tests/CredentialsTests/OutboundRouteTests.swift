import Credentials
import Testing

/// Which way connections take: what requests, refreshes and logins agree on.
@Suite struct OutboundRouteTests {
    private static func environment(_ variables: [String: String]) -> ProxyEnvironment { ProxyEnvironment { variables[$0] } }

    private static func way(_ variables: [String: String], to host: String = "api.example.com", own: String? = nil) -> String {
        let isLoopback = host == "localhost" || host.hasPrefix("127.")
        switch environment(variables).route(to: host, isLoopback: isLoopback, own: own.flatMap(OutboundProxy.init)) {
        case .direct: return "direct"
        case .through(let proxy): return "\(proxy)"
        case .unusable: return "unusable"
        }
    }

    @Test(arguments: [
        ([:], "direct"),
        (["https_proxy": "http://p:1"], "http://p:1"),
        (["HTTPS_PROXY": "http://p:1"], "http://p:1"),
        (["all_proxy": "socks5://p:1"], "socks5://p:1"),
        (["ALL_PROXY": "socks5h://p:1"], "socks5h://p:1"),
        (["https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:1", "ALL_PROXY": "http://c:1"], "http://a:1"),
        (["https_proxy": "", "HTTPS_PROXY": "http://b:1"], "http://b:1"),
        (["http_proxy": "http://p:1", "HTTP_PROXY": "http://p:1"], "direct"),
        (["HTTPS_PROXY": "p:3128"], "http://p:3128"),
        (["HTTPS_PROXY": "p"], "http://p:1080"),
        (["HTTPS_PROXY": "me:pw@p/"], "http://p:1080"),
        (["HTTPS_PROXY": "https://p"], "https://p:443"),
        (["HTTPS_PROXY": "socks4://p:1"], "unusable"),
        (["HTTPS_PROXY": "http://p:x"], "unusable"),
    ])
    func theEnvironmentIsReadAsCurlDoes(variables: [String: String], way: String) {
        #expect(Self.way(variables) == way)
    }

    @Test(arguments: [
        ("*", "api.example.com", true), ("example.com", "api.example.com", true), (".example.com", "api.example.com", true),
        (".example.com", "example.com", true), ("example.com", "badexample.com", false),
        ("a.test, API.example.com", "api.example.com", true),
        ("a.test b.test", "b.test", true), ("", "api.example.com", false), ("10.0.0.0/8", "10.1.2.3", true),
        ("10.0.0.0/8", "11.1.2.3", false),
        ("10.0.0.0/9", "10.128.0.1", false), ("10.1.2.3", "10.1.2.3", true), ("10.1.2", "10.1.2.3", false),
        ("10.0.0.0/33", "10.0.0.0", false),
        ("fd00::/8", "fd12::1", true), ("[fd12::1]", "fd12::1", true), ("example.com", "api.example.com.", true),
        (".", "api.example.com", false),
    ])
    func whatNoProxyExcepts(list: String, host: String, isExcepted: Bool) {
        for name in ["no_proxy", "NO_PROXY"] {
            #expect(Self.way(["HTTPS_PROXY": "http://p:1", name: list], to: host) == (isExcepted ? "direct" : "http://p:1"))
        }
    }

    @Test func aProfilesOwnGoesBeforeTheEnvironmentAndItsExceptions() {
        #expect(Self.way(["HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"], own: "socks5://q:2") == "socks5://q:2")
    }

    @Test func whatIsMeantForThisMachineDoesNotLeaveIt() {
        #expect(Self.way(["HTTPS_PROXY": "http://p:1"], to: "localhost") == "direct")
        #expect(Self.way([:], to: "127.0.0.1", own: "http://p:1") == "direct")
        #expect(Self.way([:], to: "127.0.0.1", own: "http://127.0.0.1:1") == "http://127.0.0.1:1")
    }

    @Test(arguments: [
        ("http://me:pw@p:1", "me", "pw"), ("http://me@p:1", "me", ""), ("socks5h://a%40b:c%3Ad%25@p:1", "a@b", "c:d%"),
        ("http://:x@p:1", "", "x"),
        ("http://a:b:c@p:1", "a", "b:c"),
    ])
    func itsLoginIsPercentDecoded(url: String, name: String, password: String) throws {
        let login = try #require(OutboundProxy(url)?.login)
        #expect(login == (name, password))
    }

    @Test(arguments: ["http://p:1", "http://a%4:b@p:1", "http://a%zz:b@p:1", "http://%ff:b@p:1"])
    func aLoginThatIsNoneIsNone(url: String) throws {
        #expect(try #require(OutboundProxy(url)).login == nil)
    }
}
