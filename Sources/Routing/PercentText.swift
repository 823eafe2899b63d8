/// Percent-encoded UTF-8 (RFC 3986 §2.1), as agents and profiles are named in paths and fields.
public enum PercentText {
    /// Longest name, in octets of its decoded form (DESIGN §5).
    public static let longestName = 256

    /// The name that `bytes` spell. `nil` when an escape is incomplete, a control byte appears, the result is no UTF-8, is empty, or is
    /// longer than 256 octets. `+` is a plus.
    public static func decode(_ bytes: Span<UInt8>) -> String? {
        guard bytes.count <= 3 * longestName else { return nil }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var position = 0
        while position < bytes.count {
            let byte: UInt8
            if bytes[position] == .percent {
                guard let escaped = escape(in: bytes, at: position) else { return nil }
                byte = escaped
                position += 3
            } else {
                byte = bytes[position]
                position += 1
            }
            guard byte >= 0x20, byte != 0x7f else { return nil }
            decoded.append(byte)
        }
        guard (1...longestName).contains(decoded.count) else { return nil }
        return String(validating: decoded, as: UTF8.self)
    }

    /// The percent-encoded form of a name: everything but unreserved characters, `:` and `@` is escaped, so that it can stand in a path
    /// segment and in a field's value.
    public static func encode(_ name: String) -> String {
        var encoded = ""
        for byte in name.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e, .colon, .at:
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                encoded += byte < 0x10 ? "%0" : "%"
                encoded += String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }

    /// The byte that the escape at `position`, where a `%` stands, is for; `nil` when it is no escape.
    static func escape(in bytes: Span<UInt8>, at position: Int) -> UInt8? {
        guard position + 2 < bytes.count, let high = bytes[position + 1].hexadecimalValue, let low = bytes[position + 2].hexadecimalValue
        else { return nil }
        return high << 4 | low
    }
}
