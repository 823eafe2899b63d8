extension SocketAddress {
    /// Whether the address belongs to the world: not this machine, not a private or local network (RFC 1918, RFC 6598, RFC 4193, RFC 3927,
    /// where clouds keep the keys of their machines), nor one that nobody has. An IPv4 address within an IPv6 one counts as itself.
    public var isGlobal: Bool {
        guard octets.count == 16 else { return Self.isGlobal(ipv4: octets[...]) }
        let head = UInt16(octets[0]) << 8 | UInt16(octets[1])
        if octets.prefix(10).allSatisfy({ $0 == 0 }) {
            // ::ffff:a.b.c.d; ::a.b.c.d, ::1 and :: are nobody's out there.
            return octets[10] == 0xff && octets[11] == 0xff && Self.isGlobal(ipv4: octets[12...])
        }
        switch head {
        case 0x2002: return Self.isGlobal(ipv4: octets[2..<6])  // 6to4, RFC 3056
        // RFC 6052; what RFC 8215 sets aside beside it is local.
        case 0x0064 where octets[2] == 0xff && octets[3] == 0x9b: return octets[4] == 0 && Self.isGlobal(ipv4: octets[12...])
        case 0x2001 where octets[2] == 0 || octets[2] == 0x0d && octets[3] == 0xb8: return false  // Teredo; documentation
        default: return head & 0xe000 == 0x2000  // RFC 4291 §2.4: all that is given out
        }
    }

    private static func isGlobal(ipv4 octets: ArraySlice<UInt8>) -> Bool {
        let (a, b, c) = (octets[octets.startIndex], octets[octets.startIndex + 1], octets[octets.startIndex + 2])
        switch a {
        case 0, 10, 127, 224...: return false
        case 100: return !(64...127).contains(b)
        case 169: return b != 254
        case 172: return !(16...31).contains(b)
        case 192: return b != 168 && !(b == 0 && (c == 0 || c == 2))
        case 198: return b != 18 && b != 19 && !(b == 51 && c == 100)
        case 203: return !(b == 0 && c == 113)
        default: return true
        }
    }
}
