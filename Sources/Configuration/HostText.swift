/// Hosts as people write them, in settings and in flags: names, IPv4 addresses, bracketed IPv6 addresses.
enum HostText {
    /// Splits `host`, `host:port`, `[v6]` or `[v6]:port`; the host comes back lower case and without brackets.
    /// `nil` when there is no valid host. The port is not looked at.
    static func split(_ text: Substring) -> (host: String, port: Substring?)? {
        let bytes = text.utf8
        if bytes.first == UInt8(ascii: "[") {
            guard let close = bytes.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            let host = Substring(bytes[..<close].dropFirst()).lowercased()
            guard isIPv6(host) else { return nil }
            let after = bytes[close...].dropFirst()
            if after.isEmpty { return (host, nil) }
            return after.first == UInt8(ascii: ":") ? (host, Substring(after.dropFirst())) : nil
        }
        let host = Substring(bytes.prefix { $0 != UInt8(ascii: ":") })
        guard isName(host) else { return nil }
        let after = bytes[host.endIndex...]
        return (host.lowercased(), after.isEmpty ? nil : Substring(after.dropFirst()))
    }

    /// A port of 0 to 65535, written in 1 to 5 digits.
    static func port(_ text: Substring) -> UInt16? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return UInt16(text)
    }

    /// A host name or an IPv4 address: letters, digits, `-`, `_` and single dots (RFC 1123 §2.1, with the underscore people use).
    static func isName(_ text: Substring) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        return text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.count)
                && label.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20) || byte == 0x2d || byte == 0x5f
                }
        }
    }

    /// The shape of an IPv6 address: hexadecimal groups, at most one `::`, optionally a final IPv4 address. Zone ids are refused.
    static func isIPv6(_ text: String) -> Bool {
        let halves = text.split(separator: "::", omittingEmptySubsequences: false)
        guard text.contains(":"), halves.count <= 2 else { return false }
        var groups = 0
        for (place, half) in halves.enumerated() where !half.isEmpty {
            let parts = half.split(separator: ":", omittingEmptySubsequences: false)
            for (number, part) in parts.enumerated() {
                let isLast = place == halves.count - 1 && number == parts.count - 1
                if isLast, ipv4(part) != nil {
                    groups += 2
                } else {
                    guard (1...4).contains(part.utf8.count), part.allSatisfy(\.isHexDigit), part.utf8.count == part.count else {
                        return false
                    }
                    groups += 1
                }
            }
        }
        return halves.count == 2 ? groups <= 7 : groups == 8
    }

    /// The four octets of a dotted address; no octal, no leading zeros, no short forms.
    static func ipv4(_ text: some StringProtocol) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        let octets = parts.compactMap { part -> UInt8? in
            guard part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), part == "0" || part.first != "0" else { return nil }
            return UInt8(part)
        }
        return octets.count == 4 ? octets : nil
    }

    /// Whether a host means this machine whatever a resolver says: 127.0.0.0/8, ::1, localhost (RFC 6761 §6.3).
    static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" { return true }
        if let octets = ipv4(host) { return octets[0] == 127 }
        return isIPv6(host) && isIPv6Loopback(host)
    }

    /// `::1` in any of its spellings, such as `0:0:0:0:0:0:0:1`.
    private static func isIPv6Loopback(_ host: String) -> Bool {
        let groups = host.split(separator: ":").map { $0.drop { $0 == "0" } }
        return !host.hasSuffix("::") && groups.last == "1" && groups.dropLast().allSatisfy(\.isEmpty)
    }
}
