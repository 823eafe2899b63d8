import Configuration
import Credentials
import OAuth
import Testing

@testable import keybearer

@Suite struct LoginWaysTests {
    private static let client = OAuthClient(tokenURL: "https://a.example/t", authorizeURL: "https://a.example/a", clientID: "c")
    private static let redirect = LoopbackRedirect("http://localhost:1455/auth/callback")
    private static let both = LoginRules(redirect: redirect, device: .standard(startURL: "https://a.example/d"))

    private static func surroundings(_ environment: [String: String], terminal: Bool = true, host: String = "box") -> LoginSurroundings {
        LoginSurroundings(hasTerminal: terminal, environment: environment, host: host)
    }

    /// `device callback browser paste tunnel`, as far as they are open.
    private static func ways(
        _ wish: LoginWays.Wish? = nil, opens: Bool = true, client: OAuthClient = client, rules: LoginRules = both,
        at surroundings: LoginSurroundings
    ) throws -> String {
        let ways = try LoginWays(wish: wish, opensBrowser: opens, client: client, rules: rules, surroundings: surroundings)
        return [
            ways.device ? "device" : nil, ways.callback ? "callback" : nil, ways.browser ? "browser" : nil, ways.paste ? "paste" : nil,
            ways.tunnel,
        ].compactMap { $0 }.joined(separator: " ")
    }

    @Test(arguments: [
        ["SSH_CONNECTION": "1.2.3.4 5 6.7.8.9 22", "DISPLAY": ":0"], ["SSH_TTY": "/dev/pts/0", "DISPLAY": ":10"], ["SSH_CLIENT": "x"],
        ["REMOTE_CONTAINERS": "true", "DISPLAY": ":0"], ["CODESPACES": "true", "WAYLAND_DISPLAY": "w"], [:], ["DISPLAY": ""],
    ])
    func `Over SSH, in a container or without a display nobody sees a browser`(environment: [String: String]) {
        #expect(Self.surroundings(environment).isHeadless)
    }

    @Test(arguments: [
        ["DISPLAY": ":0"], ["WAYLAND_DISPLAY": "wayland-0"], ["WSL_DISTRO_NAME": "Debian"], ["DISPLAY": ":0", "SSH_TTY": ""],
    ])
    func `With a display of one's own one does`(environment: [String: String]) {
        #expect(!Self.surroundings(environment).isHeadless)
    }

    @Test(arguments: [
        (["SSH_CONNECTION": "192.0.2.1 50000 192.0.2.9 22", "USER": "me"], "box", "me@192.0.2.9"), (["USER": "me"], "box", "me@box"),
        (["LOGNAME": "me"], "box", "me@box"), ([:], "box", "box"), ([:], "", "HOST"),
        (["SSH_CONNECTION": "fe80::1 1 fe80::2%eth0 22", "USER": "me"], "box", "me@fe80::2%eth0"),
        (["SSH_CONNECTION": "a b $(touch /tmp/x) d", "USER": "me;rm"], "box", "box"), (["USER": "me"], "b ox", "me@HOST"),
    ])
    func `The ssh line names this machine as the other one reached it, and nothing a shell would run`(
        environment: [String: String], host: String, target: String
    ) {
        #expect(Self.surroundings(environment, host: host).sshTarget == target)
    }

    @Test func `At a desktop the browser opens, and a paste is taken at a terminal`() throws {
        let desktop = ["DISPLAY": ":0"]
        #expect(try Self.ways(at: Self.surroundings(desktop)) == "callback browser paste")
        #expect(try Self.ways(at: Self.surroundings(desktop, terminal: false)) == "callback browser")
        #expect(try Self.ways(opens: false, at: Self.surroundings(desktop)) == "callback paste")
        #expect(try Self.ways(.paste, at: Self.surroundings(desktop)) == "browser paste")
        #expect(try Self.ways(.device, at: Self.surroundings(desktop)) == "device")
    }

    @Test func `Elsewhere it is a device code, with the callback by ssh and the paste still open`() throws {
        let remote = ["SSH_CONNECTION": "1.2.3.4 5 6.7.8.9 22", "USER": "me"]
        let line = "ssh -L 1455:127.0.0.1:1455 me@6.7.8.9"
        #expect(try Self.ways(at: Self.surroundings(remote)) == "device callback paste \(line)")
        #expect(try Self.ways(rules: LoginRules(redirect: Self.redirect), at: Self.surroundings(remote)) == "callback paste \(line)")
        #expect(try Self.ways(.paste, at: Self.surroundings(remote)) == "paste")
        #expect(try Self.ways(at: Self.surroundings(remote, terminal: false)) == "device callback \(line)")
    }

    @Test func `A provider with a device login alone has that at a desktop too`() throws {
        let rules = LoginRules(device: .standard(startURL: "https://a.example/d"))
        #expect(try Self.ways(rules: rules, at: Self.surroundings(["DISPLAY": ":0"])) == "device")
    }

    @Test func `What the provider does not have is refused`() {
        let desktop = Self.surroundings(["DISPLAY": ":0"])
        let pageless = LoginRules(device: .standard(startURL: "https://a.example/d"))
        #expect(throws: Failure.self) { try Self.ways(.device, rules: LoginRules(redirect: Self.redirect), at: desktop) }
        #expect(throws: Failure.self) { try Self.ways(.paste, rules: pageless, at: desktop) }
        #expect(throws: Failure.self) { try Self.ways(rules: LoginRules(), at: desktop) }
    }

    @Test func `Without the port or a device code, what is left is left`() throws {
        let ways = try LoginWays(
            wish: nil, opensBrowser: true, client: Self.client, rules: Self.both, surroundings: Self.surroundings([:], terminal: false))
        #expect(ways.withoutCallback.isOpen && ways.withoutCallback.tunnel == nil)
        #expect(ways.withoutDevice.isOpen)
        #expect(!ways.withoutDevice.withoutCallback.isOpen)
    }
}
