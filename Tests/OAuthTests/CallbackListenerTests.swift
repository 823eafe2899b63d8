import Credentials
import Glibc
import Synchronization
import Testing

@testable import OAuth

/// The listener over real sockets, on ports of the kernel's choosing.
@Suite struct CallbackListenerTests {
    @Test("The right answer ends the wait, and its tab is told the end of the login", arguments: [false, true])
    func answered(ipv6: Bool) throws {
        let scene = try CallbackScene()
        let tab = LoopbackTab(port: scene.port, ipv6: ipv6)
        tab.send(scene.get("code=c-1&state=state-1"))
        let arrival = try #require(scene.arrival())
        #expect(try arrival.result.get().code.revealed == "c-1")
        #expect(tab.received(within: 0.2) == "", "the page waits for the exchange")
        arrival.tab.show(.worked)
        #expect(tab.received().hasPrefix("HTTP/1.1 200 OK\r\n"))
    }

    @Test("After one answer nothing listens any more")
    func closed() throws {
        let scene = try CallbackScene()
        LoopbackTab(port: scene.port).send(scene.get("code=c-1&state=state-1"))
        _ = try #require(scene.arrival())
        #expect(!LoopbackTab(port: scene.port).isConnected)
        #expect(!LoopbackTab(port: scene.port, ipv6: true).isConnected)
    }

    @Test("A second callback in the same moment is not taken")
    func twice() throws {
        let scene = try CallbackScene()
        let tabs = (1...4).map { number in
            let tab = LoopbackTab(port: scene.port)
            tab.send(scene.get("code=c-\(number)&state=state-1"))
            return tab
        }
        let arrival = try #require(scene.arrival())
        arrival.tab.show(.worked)
        #expect(tabs.filter { $0.received().hasPrefix("HTTP/1.1 200") }.count == 1)
        #expect {
            try scene.request.accept(AuthorizationAnswer(code: "c-9", state: "state-1"), from: .paste)
        } throws: { ($0 as? LoginFailure)?.reason == .answeredAlready }
    }

    @Test("Wrong requests are answered and change nothing; the browser still gets through")
    func wrong() throws {
        let scene = try CallbackScene()
        let host = "localhost:\(scene.port)"
        for (text, status) in [
            (scene.get("code=c&state=other"), 400), (scene.get("code=c"), 400), (scene.get("state=state-1"), 400), (scene.get(""), 400),
            (scene.get("error=access_denied&state=other"), 400), (scene.get("code=c&state=state-1", path: "/other"), 404),
            (scene.get("code=c&state=state-1", host: "evil.example:\(scene.port)"), 421),
            (scene.get("code=c&state=state-1", host: "localhost"), 421),
            ("POST /auth/callback?code=c&state=state-1 HTTP/1.1\r\nHost: \(host)\r\nContent-Length: 3\r\n\r\nabc", 405),
            ("\u{16}\u{3}\u{1}\u{2}\r\n\r\n", 400), ("\r\n\r\n", 400),
        ] {
            let tab = LoopbackTab(port: scene.port)
            tab.send(text)
            let page = tab.received()
            #expect(page.hasPrefix("HTTP/1.1 \(status) "), "\(text)")
            #expect(!page.contains("evil") && !page.contains("state-1"), "nothing of the request is in the page")
        }
        LoopbackTab(port: scene.port).send(scene.get("code=c-1&state=state-1"))
        #expect(try scene.arrival()?.result.get().code.revealed == "c-1")
    }

    @Test("Markup in a request is in no page")
    func markup() throws {
        let scene = try CallbackScene()
        for query in ["code=%3Cscript%3E&state=%3Cscript%3E", "error=%3Cscript%3E&state=state-1"] {
            let tab = LoopbackTab(port: scene.port)
            tab.send(scene.get(query))
            if query.hasPrefix("error") { scene.arrival()?.tab.show(.failed) }
            let page = tab.received()
            #expect(page.hasPrefix("HTTP/1.1 400 "))
            #expect(!page.contains("<script"))
        }
    }

    @Test("A refusal with the right state ends the wait")
    func denied() throws {
        let scene = try CallbackScene()
        LoopbackTab(port: scene.port).send(scene.get("error=access_denied&state=state-1"))
        let arrival = try #require(scene.arrival())
        #expect(throws: LoginFailure(.denied, code: "access_denied")) { try arrival.result.get() }
    }

    @Test("Clients that dribble, fall silent or crowd do not keep the browser out")
    func slow() throws {
        let scene = try CallbackScene()
        let silent = (0..<60).map { _ in LoopbackTab(port: scene.port) }
        let dribbling = LoopbackTab(port: scene.port)
        for byte in "GET /auth/callback?co" { dribbling.send(String(byte)) }
        let whole = scene.get("code=c-1&state=state-1")
        let tab = LoopbackTab(port: scene.port)
        tab.send(String(whole.prefix(40)))
        usleep(150_000)
        tab.send(String(whole.dropFirst(40)))
        #expect(try scene.arrival()?.result.get().code.revealed == "c-1")
        withExtendedLifetime((silent, dribbling)) {}
    }

    @Test("A request without an end is cut off")
    func endless() throws {
        let scene = try CallbackScene()
        let tab = LoopbackTab(port: scene.port)
        tab.send("GET /auth/callback?code=" + String(repeating: "a", count: 40_000))
        #expect(tab.received().hasPrefix("HTTP/1.1 431 ") || tab.isReset)
        LoopbackTab(port: scene.port).send(scene.get("code=c-1&state=state-1"))
        #expect(scene.arrival() != nil)
    }

    @Test("A wait that is called off ends")
    func calledOff() throws {
        let listener = try CallbackListener(CallbackScene.freeRedirect())
        let request = try AuthorizationRequestTests.request()
        var asked = 0
        let arrival = listener.wait(for: request) {
            asked += 1
            return asked < 3
        }
        #expect(arrival == nil)
    }

    @Test("A port that someone has is told at once, on either address", arguments: [CallbackSocket.Family.ipv4, .ipv6])
    func taken(family: CallbackSocket.Family) throws {
        let redirect = CallbackScene.freeRedirect()
        let other = try CallbackSocket.listen(family, port: redirect.port)
        #expect(throws: CallbackListener.Failure.portTaken(redirect.port)) {
            _ = try CallbackListener(redirect).wait(for: try AuthorizationRequestTests.request()) { false }
        }
        withExtendedLifetime(other) {}
    }
}

/// A listener on its own thread, and what it brings.
final class CallbackScene: Sendable {
    let request: AuthorizationRequest
    let port: UInt16
    private let result = Mutex<CallbackListener.Arrival?>(nil)
    private let isOver = Atomic(false)
    private let isWanted = Atomic(true)

    init() throws {
        let redirect = Self.freeRedirect()
        port = redirect.port
        request = try AuthorizationRequestTests.request(AuthorizationRequestTests.client(redirect: redirect.uri))
        let box = Mutex<CallbackListener?>(try CallbackListener(redirect))
        let thread = TestThread { [self] in
            let listener = box.withLock { box in
                let listener = box.take()
                return listener
            }
            if let listener {
                let arrival = listener.wait(for: request) { isWanted.load(ordering: .relaxed) }
                result.withLock { $0 = arrival }
            }
            isOver.store(true, ordering: .releasing)
        }
        thread.detach()
    }

    /// What the wait came to; nil when nothing came within five seconds.
    func arrival() -> CallbackListener.Arrival? {
        for _ in 0..<500 where !isOver.load(ordering: .acquiring) { usleep(10_000) }
        isWanted.store(false, ordering: .relaxed)
        return result.withLock { $0 }
    }

    func get(_ query: String, path: String = "/auth/callback", host: String? = nil) -> String {
        "GET \(path)?\(query) HTTP/1.1\r\nHost: \(host ?? "localhost:\(port)")\r\nAccept: text/html\r\n\r\n"
    }

    /// A port that is free on both addresses.
    static func freeRedirect() -> LoopbackRedirect {
        while true {
            let port = UInt16.random(in: 20000...60000)
            let redirect = LoopbackRedirect("http://localhost:\(port)/auth/callback")!
            if (try? CallbackListener(redirect)) != nil { return redirect }
        }
    }
}

/// What stands for a browser: a plain socket.
final class LoopbackTab {
    private let number: Int32
    let isConnected: Bool
    private(set) var isReset = false

    init(port: UInt16, ipv6: Bool = false) {
        let number = socket(ipv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.number = number
        func dial<Address>(_ address: Address) -> Bool {
            var address = address
            return withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(number, $0, socklen_t(MemoryLayout<Address>.size)) == 0
                }
            }
        }
        if ipv6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_addr = in6addr_loopback
            isConnected = dial(address)
        } else {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            isConnected = dial(address)
        }
    }

    deinit { close(number) }

    func send(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }

    /// What comes until the other end closes, or for so many seconds.
    func received(within seconds: Double = 5) -> String {
        var limit = timeval(tv_sec: Int(seconds), tv_usec: Int((seconds - seconds.rounded(.down)) * 1_000_000))
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(number, &buffer, buffer.count, 0)
            if count < 0, errno == ECONNRESET { isReset = true }
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }
}
