// The names and classes of the ASCII bytes that the grammars mention.

extension UInt8 {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let quote = UInt8(ascii: "\"")
    static let apostrophe = UInt8(ascii: "'")
    static let backslash = UInt8(ascii: "\\")
    static let comma = UInt8(ascii: ",")
    static let colon = UInt8(ascii: ":")
    static let openBrace = UInt8(ascii: "{")
    static let closeBrace = UInt8(ascii: "}")
    static let openBracket = UInt8(ascii: "[")
    static let closeBracket = UInt8(ascii: "]")

    var isDigit: Bool { self &- 0x30 < 10 }

    var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }

    /// The value of a hexadecimal digit; nil for any other byte.
    var hexadecimalValue: UInt8? {
        if isDigit { return self - 0x30 }
        let letter = self | 0x20
        return 0x61...0x66 ~= letter ? letter - 0x57 : nil
    }

    /// `0x1B`, for messages.
    var hexadecimalText: String { "0x" + (self < 16 ? "0" : "") + String(self, radix: 16, uppercase: true) }
}

/// UTF-8 (RFC 3629) where a `String` is not wanted yet.
enum UTF8Text {
    /// The code point whose encoding starts at `offset`, and the encoding's length; nil when that is not UTF-8.
    static func scalar(in bytes: [UInt8], at offset: Int) -> (scalar: Unicode.Scalar, length: Int)? {
        guard offset < bytes.count else { return nil }
        let first = bytes[offset]
        if first < 0x80 { return (Unicode.Scalar(first), 1) }
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        guard 0xC2...0xF4 ~= first, offset + length <= bytes.count else { return nil }
        var value = UInt32(first) & (0x7F >> UInt32(length))
        for byte in bytes[offset + 1..<offset + length] {
            guard byte & 0xC0 == 0x80 else { return nil }
            value = value << 6 | UInt32(byte & 0x3F)
        }
        // What a shorter encoding could say is not UTF-8 either; surrogates and beyond U+10FFFF are no scalars.
        guard value >= (length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000), let scalar = Unicode.Scalar(value) else { return nil }
        return (scalar, length)
    }

    /// How many bytes from the start on are whole, valid characters.
    static func validPrefix(of slice: ArraySlice<UInt8>) -> Int {
        let bytes = Array(slice)
        var offset = 0
        while let (_, length) = scalar(in: bytes, at: offset) { offset += length }
        return offset
    }
}
