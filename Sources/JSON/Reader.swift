/// Reads JSON as RFC 8259 has it, and nothing else: no comments, no trailing commas, no NaN.
public enum Reader {
    /// How many arrays and objects may be open at once. The deepest document takes less than 256 KiB of stack in a release build
    /// (measured, with its conversion by ``LocatedValue/plain``), and 1.3 MiB in a debug build.
    public static let depthLimit = 512

    /// What to do with two members of one name in one object, which RFC 8259 §4 leaves open.
    public enum DuplicateNames: Sendable {
        /// The last value counts, at the first one's place: what JavaScript's `JSON.parse` does.
        case lastWins
        /// An error.
        case refused
    }

    /// The value that `bytes` (UTF-8) hold. Half a surrogate pair in an escape is an error, as is any byte that is not UTF-8.
    public static func parse(_ bytes: [UInt8], duplicateNames: DuplicateNames = .lastWins) throws(SyntaxError) -> Value {
        var parser = Parser(cursor: Cursor(bytes), duplicateNames: duplicateNames)
        return try parser.document()
    }
}

/// One pass over a document: recursive descent on byte offsets.
private struct Parser {
    var cursor: Cursor
    let duplicateNames: Reader.DuplicateNames

    mutating func document() throws(SyntaxError) -> Value {
        skipSpace()
        let result = try value()
        skipSpace()
        guard cursor.current == nil else { throw cursor.expected("the end of the file after the value") }
        return result
    }

    private mutating func value() throws(SyntaxError) -> Value {
        guard let byte = cursor.current else { throw cursor.expected("a value") }
        switch byte {
        case .openBrace: return try object()
        case .openBracket: return try array()
        case .quote: return .string(try string())
        case UInt8(ascii: "t") where cursor.take(word: "true"): return .bool(true)
        case UInt8(ascii: "f") where cursor.take(word: "false"): return .bool(false)
        case UInt8(ascii: "n") where cursor.take(word: "null"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        default: throw cursor.expected("a value ({, [, a string in double quotes, a number, true, false or null)")
        }
    }

    private mutating func object() throws(SyntaxError) -> Value {
        cursor.offset += 1
        try cursor.open()
        var object = Object()
        skipSpace()
        if cursor.take(.closeBrace) {
            cursor.close()
            return .object(object)
        }
        while true {
            guard cursor.current == .quote else { throw cursor.expected("a member's name in double quotes") }
            let start = cursor.offset
            let name = try string()
            if duplicateNames == .refused, object[name] != nil {
                throw cursor.failure(at: start, "this object already has a member of this name")
            }
            skipSpace()
            guard cursor.take(.colon) else { throw cursor.expected("':' after the member's name") }
            skipSpace()
            object[name] = try value()
            skipSpace()
            if cursor.take(.closeBrace) { break }
            guard cursor.take(.comma) else { throw cursor.expected("',' or '}' after the member") }
            skipSpace()
        }
        cursor.close()
        return .object(object)
    }

    private mutating func array() throws(SyntaxError) -> Value {
        cursor.offset += 1
        try cursor.open()
        var elements: [Value] = []
        skipSpace()
        if cursor.take(.closeBracket) {
            cursor.close()
            return .array(elements)
        }
        while true {
            elements.append(try value())
            skipSpace()
            if cursor.take(.closeBracket) { break }
            guard cursor.take(.comma) else { throw cursor.expected("',' or ']' after the element") }
            skipSpace()
        }
        cursor.close()
        return .array(elements)
    }

    private mutating func number() throws(SyntaxError) -> NumberText {
        guard let end = NumberGrammar.end(in: cursor.bytes, from: cursor.offset) else {
            throw cursor.failure(at: cursor.offset, "this is not a number that JSON allows (such as 12, -0.5 or 1e9)")
        }
        defer { cursor.offset = end }
        // "01", "1.2.3", "0x10": a digit, letter or point right after a number never starts anything valid.
        if end < cursor.bytes.count, cursor.bytes[end].isDigit || cursor.bytes[end].isLetter || cursor.bytes[end] == UInt8(ascii: ".") {
            throw cursor.failure(at: end, "this is not a number that JSON allows (such as 12, -0.5 or 1e9)")
        }
        return NumberText(checked: try cursor.text(cursor.offset..<end))
    }

    /// A string from its opening quote on. Nearly all have no escape: those are taken as they stand.
    private mutating func string() throws(SyntaxError) -> String {
        let start = cursor.offset + 1
        let end = plainEnd(from: start)
        if end < cursor.bytes.count, cursor.bytes[end] == .quote {
            cursor.offset = end + 1
            return try cursor.text(start..<end)
        }
        return try escapedString(from: start, to: end)
    }

    /// A string of which `start..<end` is plain: pieces of plain text with escapes between them.
    private mutating func escapedString(from start: Int, to end: Int) throws(SyntaxError) -> String {
        var text = try cursor.text(start..<end)
        cursor.offset = end
        while true {
            if cursor.take(.quote) { return text }
            guard cursor.take(.backslash) else {
                guard let byte = cursor.current else { throw cursor.expected("'\"' to end the string") }
                throw cursor.failure(
                    at: cursor.offset,
                    byte == .lineFeed || byte == .carriageReturn
                        ? "the string is not closed on its line"
                        : "the control character \(byte.hexadecimalText) in a string must be written as an escape")
            }
            text.unicodeScalars.append(try escape())
            let plain = cursor.offset..<plainEnd(from: cursor.offset)
            text += try cursor.text(plain)
            cursor.offset = plain.upperBound
        }
    }

    /// What stands after a backslash (RFC 8259 §7).
    private mutating func escape() throws(SyntaxError) -> Unicode.Scalar {
        guard let byte = cursor.current else { throw cursor.expected("the rest of an escape") }
        cursor.offset += 1
        switch byte {
        case .quote, .backslash, UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try cursor.unicodeEscape()
        default:
            cursor.offset -= 1
            throw cursor.expected("one of \" \\ / b f n r t u after a backslash")
        }
    }

    /// The offset of the first byte from `start` on that a string cannot simply contain: quote, backslash, control.
    private func plainEnd(from start: Int) -> Int {
        unsafe cursor.bytes.withUnsafeBytes { bytes in
            unsafe TextPiece(bytes)?.endOfUnescaped(from: start) ?? start
        }
    }

    private mutating func skipSpace() { cursor.offset = spaceEnd(from: cursor.offset) }

    /// The offset of the first byte from `start` on that is no white space (RFC 8259 §2).
    private func spaceEnd(from start: Int) -> Int {
        let bytes = cursor.bytes.span
        var at = start
        while at < bytes.count {
            let byte = bytes[at]
            guard byte == .space || byte == .lineFeed || byte == .carriageReturn || byte == .tab else { break }
            at += 1
        }
        return at
    }
}
