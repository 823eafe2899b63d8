import Sockets
import Testing

@Suite struct SocketAddressTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1:80", true, false), ("127.8.9.1", "127.8.9.1:80", true, false), ("::1", "[::1]:80", true, true),
        ("[::1]", "[::1]:80", true, true), ("::ffff:127.0.0.1", "[::ffff:127.0.0.1]:80", true, true),
        ("10.0.0.1", "10.0.0.1:80", false, false),
        ("0.0.0.0", "0.0.0.0:80", false, false), ("::", "[::]:80", false, true), ("::ffff:10.0.0.1", "[::ffff:10.0.0.1]:80", false, true),
        ("2001:DB8::1", "[2001:db8::1]:80", false, true), ("fe80::1", "[fe80::1]:80", false, true),
        ("128.0.0.1", "128.0.0.1:80", false, false),
        ("::2", "[::2]:80", false, true),
    ])
    func aLiteralIsReadAndPrinted(text: String, printed: String, isLoopback: Bool, isIPv6: Bool) throws {
        let address = try #require(SocketAddress(literal: text, port: 80))
        #expect(address.description == printed)
        #expect(address.isLoopback == isLoopback)
        #expect(address.isIPv6 == isIPv6)
        #expect(SocketAddress(octets: address.octets, port: 80) == address)
    }

    @Test(arguments: [
        "", "localhost", "127.1", "127.0.0.1.", "127.0.0.256", "0x7f.0.0.1", "2130706433", "127.0.0.1:80", "::1%lo", "[::1", "[::1]:80",
        "1::2::3", " 127.0.0.1",
        "127.0.0.1\u{0}.evil.example",
    ])
    func whatIsNoLiteralIsRefused(text: String) {
        #expect(SocketAddress(literal: text, port: 80) == nil)
    }

    @Test(arguments: [0, 3, 5, 15, 17])
    func octetsMustBeFourOrSixteen(count: Int) {
        #expect(SocketAddress(octets: [UInt8](repeating: 0, count: count), port: 1) == nil)
    }
}
