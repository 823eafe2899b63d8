/// What stands between the quotes of a JSON string, read unit by unit without making a string of it.
///
/// A unit is a byte as it stands, or what one escape is for: a UTF-16 code unit after `\u`. Enough to find an ASCII character, and to
/// know which bytes of the text spell it.
public struct StringContent: Sendable {
    /// One unit, and the bytes of the text that spell it.
    public struct Unit: Sendable, Equatable {
        /// The byte, or the code unit of a `\u` escape.
        public let value: UInt16
        /// Where it stands.
        public let range: Range<Int>
        /// Whether it is spelt by an escape: then a value from 0x80 on is a code unit, and not a byte of UTF-8.
        public let isEscape: Bool
    }
    private var at: Int
    private let end: Int

    /// The content that stands at `range`.
    public init(_ range: Range<Int>) {
        at = range.lowerBound
        end = range.upperBound
    }

    /// The next unit; nil at the end, or where an escape is broken.
    public mutating func next(in text: Span<UInt8>) -> Unit? {
        guard at < end else { return nil }
        let start = at
        guard text[at] == .backslash else {
            at += 1
            return Unit(value: UInt16(text[start]), range: start..<at, isEscape: false)
        }
        guard at + 1 < end, let value = escaped(text) else {
            at = end
            return nil
        }
        return Unit(value: value, range: start..<at, isEscape: true)
    }

    private mutating func escaped(_ text: Span<UInt8>) -> UInt16? {
        let letter = text[at + 1]
        at += 2
        switch letter {
        case .quote, .backslash, UInt8(ascii: "/"): return UInt16(letter)
        case UInt8(ascii: "b"): return 8
        case UInt8(ascii: "f"): return 0xC
        case UInt8(ascii: "n"): return 0xA
        case UInt8(ascii: "r"): return 0xD
        case UInt8(ascii: "t"): return 9
        case UInt8(ascii: "u"): return codeUnit(text)
        default: return nil
        }
    }

    private mutating func codeUnit(_ text: Span<UInt8>) -> UInt16? {
        guard at + 4 <= end else { return nil }
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = text[at].hexadecimalValue else { return nil }
            value = value << 4 | UInt16(digit)
            at += 1
        }
        return value
    }

    /// The content as text; nil when it is not what a JSON string may hold. For rare paths: it allocates.
    public static func text(of range: Range<Int>, in text: Span<UInt8>) -> String? {
        var quoted: [UInt8] = [.quote]
        for at in range { quoted.append(text[at]) }
        quoted.append(.quote)
        return (try? Reader.parse(quoted))?.string
    }
}
