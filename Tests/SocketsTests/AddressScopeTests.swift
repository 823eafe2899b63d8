import Sockets
import Testing

@Suite struct AddressScopeTests {
    @Test(arguments: [
        "8.8.8.8", "104.18.0.1", "172.15.0.1", "172.32.0.1", "192.167.1.1", "100.63.0.1", "100.128.0.1", "169.253.0.1", "198.20.0.1",
        "2606:4700::1", "::ffff:8.8.8.8", "2002:0808:0808::1", "64:ff9b::808:808", "223.255.255.1",
    ])
    func theWorlds(literal: String) throws { #expect(try #require(SocketAddress(literal: literal, port: 1)).isGlobal) }

    @Test(arguments: [
        "0.0.0.0", "10.1.2.3", "127.0.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1",
        "100.100.100.200",
        "198.18.0.1", "224.0.0.1", "255.255.255.255", "192.0.0.192", "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1",
        "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::10.0.0.1", "2002:0a00:0001::1", "64:ff9b::a00:1", "64:ff9b:1::1", "2001:db8::1",
        "2001:0:1::1", "4000::1",
    ])
    func nobodysOutThere(literal: String) throws { #expect(!(try #require(SocketAddress(literal: literal, port: 1)).isGlobal)) }
}
