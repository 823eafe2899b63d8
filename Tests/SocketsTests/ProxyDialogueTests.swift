import Sockets
import Testing

/// What is said to a proxy, byte by byte.
@Suite struct ProxyDialogueTests {
    private static let name = ProxyDialogue.Target.name("api.test", port: 443)
    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func connectNamesTheHostAndShowsItsPasswordToTheProxyAlone() {
        let (_, first) = ProxyDialogue.connect(to: Self.name, basic: "bWU6cHc=")
        #expect(
            String(decoding: first, as: UTF8.self)
                == "CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\nProxy-Authorization: Basic bWU6cHc=\r\n\r\n")
        let (_, literal) = ProxyDialogue.connect(to: .name("fd00::1", port: 8443), basic: nil)
        #expect(String(decoding: literal, as: UTF8.self) == "CONNECT [fd00::1]:8443 HTTP/1.1\r\nHost: [fd00::1]:8443\r\n\r\n")
    }

    @Test(arguments: [
        ("HTTP/1.1 200 Connection established\r\n\r\n", true), ("HTTP/1.0 200\r\nVia: p\r\n\r\n", true), ("HTTP/1.1 204 x\r\n\r\n", true),
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", false), ("HTTP/1.1 502 Bad\r\n\r\n", false), ("SSH-2.0-x\r\n\r\n", false),
        ("HTTP/1.1 2000 x\r\n\r\n", false), ("HTTP/2 200 x\r\n\r\n", false), ("HTTP/1.1 200 x\r\n\r\nearly", false),
    ])
    func connectIsOpenAfterA2xxAndNothingMore(answer: String, isOpen: Bool) {
        // Whole, and in pieces of one byte.
        var (whole, _) = ProxyDialogue.connect(to: Self.name, basic: nil)
        #expect((whole.feed(Self.bytes(answer)) == .open) == isOpen)
        var (dialogue, _) = ProxyDialogue.connect(to: Self.name, basic: nil)
        var last = ProxyDialogue.Step.more
        for byte in Self.bytes(answer) {
            guard last == .more || last == .open else { break }
            last = dialogue.feed([byte])
        }
        #expect((last == .open) == isOpen)
    }

    @Test func anAnswerWithoutAnEndIsNotListenedTo() {
        var (dialogue, _) = ProxyDialogue.connect(to: Self.name, basic: nil)
        var last = dialogue.feed(Self.bytes("HTTP/1.1 200 x\r\n"))
        for _ in 0..<20 where last == .more { last = dialogue.feed([UInt8](repeating: 97, count: 1000)) }
        #expect(last == .failed("its answer does not end"))
    }

    @Test func socksWithALogin() throws {
        var (dialogue, first) = try #require(ProxyDialogue.socks(to: Self.name, login: ("me", "pw")))
        #expect(first == [5, 2, 0, 2])
        #expect(dialogue.feed([5]) == .more)
        #expect(dialogue.feed([2]) == .send([1, 2] + Self.bytes("me") + [2] + Self.bytes("pw")))
        #expect(dialogue.feed([1, 0]) == .send([5, 1, 0, 3, 8] + Self.bytes("api.test") + [1, 187]))
        #expect(dialogue.feed([5, 0, 0, 1, 1, 2, 3, 4, 0]) == .more)
        #expect(dialogue.feed([80]) == .open)
    }

    @Test func socksWithAnAddress() throws {
        let address = try #require(SocketAddress(literal: "fd00::1", port: 258))
        var (dialogue, first) = try #require(ProxyDialogue.socks(to: .address(address), login: nil))
        #expect(first == [5, 1, 0])
        #expect(dialogue.feed([5, 0]) == .send([5, 1, 0, 4, 0xfd] + [UInt8](repeating: 0, count: 14) + [1, 1, 2]))
        #expect(dialogue.feed([5, 0, 0, 3, 2, 97, 98, 0, 80]) == .open)
    }

    @Test(arguments: [
        ([[4, 0]], "it does not speak SOCKS 5"), ([[72]], "it does not speak SOCKS 5"), ([[5, 255]], "it takes no name and password"),
        ([[5, 2], [1, 1]], "it refuses the name and password"), ([[5, 0], [5, 2, 0, 1, 0]], "its rules forbid the connection"),
        ([[5, 0], [5, 5, 0, 1, 0]], "the host refuses the connection"), ([[5, 0], [5, 0, 0, 9, 0]], "it does not speak SOCKS 5"),
        ([[5, 0], [5, 0, 0, 1, 1, 2, 3, 4, 0, 80, 22]], "it says something that was not asked for"),
        ([[5, 0, 5]], "it says something that was not asked for"),
    ])
    func socksRefusals(said: [[UInt8]], why: String) throws {
        var (dialogue, _) = try #require(ProxyDialogue.socks(to: Self.name, login: ("me", "pw")))
        var last = ProxyDialogue.Step.more
        for bytes in said { last = dialogue.feed(bytes) }
        #expect(last == .failed(why))
    }

    @Test func whatSocksHasNoRoomForIsNotBegun() {
        let long = String(repeating: "x", count: 256)
        #expect(ProxyDialogue.socks(to: .name(long, port: 1), login: nil) == nil)
        #expect(ProxyDialogue.socks(to: Self.name, login: (long, "")) == nil)
        #expect(ProxyDialogue.socks(to: Self.name, login: ("", "pw")) == nil)
        #expect(ProxyDialogue.socks(to: Self.name, login: ("me", long)) == nil)
    }

    @Test(arguments: [
        (["4a", "4b", "6a", "6b", "6c"], ["4a", "6a", "4b", "6b", "6c"]), (["6a", "6b", "4a"], ["6a", "4a", "6b"]), (["4a"], ["4a"]),
        ([], []),
    ])
    func addressesOfTwoFamiliesAreTriedByTurns(given: [String], order: [String]) throws {
        func address(_ name: String) throws -> SocketAddress {
            let literal = name.hasPrefix("4") ? "192.0.2.\(name.utf8.last!)" : "2001:db8::\(String(name.utf8.last!, radix: 16))"
            return try #require(SocketAddress(literal: literal, port: 1))
        }
        #expect(SocketAddress.interleaved(try given.map(address)) == (try order.map(address)))
    }
}
