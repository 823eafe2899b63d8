import Glibc
import Sockets
import Testing

/// Names with several addresses, one of which takes no connection and refuses none (RFC 8305).
@Suite(.serialized) struct RaceTests {
    private static let store =
        #"{"version":1,"profiles":{"anthropic:a":{"type":"api_key","provider":"anthropic","key":"sk-one"}}}"#

    /// A socket whose queue is full: a dial to it gets no answer for seconds.
    private final class DeadEnd {
        private let socket: Int32
        private var fill: [Int32] = []

        /// Nil where the machine has no ::1.
        init?(port: UInt16) {
            socket = Glibc.socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
            var on: Int32 = 1
            setsockopt(socket, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, 4)
            guard Self.with(port, { bind(socket, $0, $1) }) == 0, listen(socket, 0) == 0 else {
                close(socket)
                return nil
            }
            for _ in 0..<3 {
                let client = Glibc.socket(AF_INET6, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
                _ = Self.with(port) { connect(client, $0, $1) }
                fill.append(client)
            }
            usleep(50_000)
        }
        deinit { for number in fill + [socket] { close(number) } }

        private static func with(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_addr = in6addr_loopback
            return withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in6>.size)) }
            }
        }
    }

    @Test func anAddressThatDoesNotAnswerCostsAQuarterOfASecondAndTheLoserIsLetGo() throws {
        guard case .addresses(let found) = Resolver.look("localhost"), found.first?.isIPv6 == true, found.count > 1 else { return }
        let stage = try Stage(
            settings: "{ providers: { anthropic: { baseURL: 'http://localhost:{{upstream-port}}' } } }", stores: ["main": Self.store])
        defer { stage.end() }
        let port = try #require(UInt16(stage.placeholders.expand("{{upstream-port}}")))
        guard let deadEnd = DeadEnd(port: port) else { return }
        let client = stage.dial()
        let start = ContinuousClock.now
        client.send(Array("GET /anthropic/v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
        let provider = try #require(stage.accept(within: 3_000))
        let waited = ContinuousClock.now - start
        #expect(waited >= .milliseconds(240) && waited < .milliseconds(1_500), "\(waited)")
        var reader = MessageReader(provider)
        try reader.readHead(isRequest: true)
        #expect(reader.values(of: "x-api-key") == ["sk-one"])
        provider.send(Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".utf8))
        var answer = MessageReader(client)
        try answer.readHead(isRequest: false)
        #expect(answer.startLine == "HTTP/1.1 200 OK")
        // No dial is left under way (SYN-SENT is state 02).
        let target = ":" + String(port, radix: 16, uppercase: true)
        let lines = TestFolder.text(of: "/proc/self/net/tcp6").split(separator: "\n").map { $0.split(separator: " ") }
        let dials = lines.filter { $0.count > 3 && $0[2].hasSuffix(target) && $0[3] == "02" }
        #expect(dials.count <= 2, "those that fill the queue, and none of ours: \(dials)")
        withExtendedLifetime(deadEnd) {}
    }

    @Test func aClientThatLeavesEndsAllDials() throws {
        guard case .addresses(let found) = Resolver.look("localhost"), found.first?.isIPv6 == true, found.count > 1 else { return }
        let stage = try Stage(
            settings: "{ providers: { anthropic: { baseURL: 'http://localhost:{{upstream-port}}' } } }", stores: ["main": Self.store])
        defer { stage.end() }
        let port = try #require(UInt16(stage.placeholders.expand("{{upstream-port}}")))
        guard let deadEnd = DeadEnd(port: port) else { return }
        let client = stage.dial()
        client.send(Array("GET /anthropic/v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
        usleep(100_000)
        client.close()
        #expect(stage.accept(within: 600) == nil, "the next dial was begun for nobody")
        withExtendedLifetime(deadEnd) {}
    }

    @Test func socksIsToldTheAddressOrTheName() throws {
        for scheme in ["socks5", "socks5h"] {
            let store = """
                {"version":1,"profiles":{"anthropic:a":
                  {"type":"api_key","provider":"anthropic","key":"sk-one","proxy":"\(scheme)://me:pw@{{upstream}}"}}}
                """
            let stage = try Stage(
                settings: "{ providers: { anthropic: { baseURL: 'http://localhost:{{upstream-port}}' } } }", stores: ["main": store])
            defer { stage.end() }
            let port = try #require(UInt16(stage.placeholders.expand("{{upstream-port}}")))
            let client = stage.dial()
            client.send(Array("GET /anthropic/v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
            let proxy = try #require(stage.accept())
            var reader = MessageReader(proxy)
            #expect(try reader.take(4) == [5, 2, 0, 2])
            proxy.send([5, 2])
            #expect(try reader.take(7) == [1, 2] + Array("me".utf8) + [2] + Array("pw".utf8))
            proxy.send([1, 0])
            let place = [UInt8(port >> 8), UInt8(port & 0xff)]
            let kind = try reader.take(4)
            #expect(kind.prefix(3) == [5, 1, 0])
            if scheme == "socks5h" {
                #expect(kind[3] == 3)
                #expect(try reader.take(12) == [9] + Array("localhost".utf8) + place)
            } else {
                #expect(kind[3] == 1 || kind[3] == 4)
                let address = try reader.take(kind[3] == 1 ? 6 : 18)
                #expect(Array(address.suffix(2)) == place)
            }
            proxy.send([5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
            try reader.readHead(isRequest: true)
            #expect(reader.startLine == "GET /v1/models HTTP/1.1")
            proxy.send(Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".utf8))
            var answer = MessageReader(client)
            try answer.readHead(isRequest: false)
            #expect(answer.startLine == "HTTP/1.1 200 OK")
        }
    }
}
