/// Where a reader stands in a document, and the steps that JSON and JSON5 share.
struct Cursor {
    let bytes: [UInt8]
    var offset = 0
    /// How many arrays and objects are open.
    private var depth = 0

    /// A document; a byte order mark before it is ignored, as RFC 8259 §8.1 allows.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
    }

    /// The byte at the cursor; nil at the end.
    var current: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    /// Steps over `byte` if it is the current one.
    mutating func take(_ byte: UInt8) -> Bool {
        guard offset < bytes.count, bytes[offset] == byte else { return false }
        offset += 1
        return true
    }

    /// Steps over `word` if it stands here.
    mutating func take(word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard bytes.count - offset >= length else { return false }
        let matches = word.withUTF8Buffer { unsafe $0.elementsEqual(bytes[offset..<offset + length]) }
        if matches { offset += length }
        return matches
    }

    /// Notes that an array or object was opened. Bounded, because a reader calls itself: depth costs stack.
    mutating func open() throws(SyntaxError) {
        depth += 1
        if depth > Reader.depthLimit {
            throw failure(at: offset - 1, "arrays and objects are nested more than \(Reader.depthLimit) deep")
        }
    }

    /// Notes that it was closed.
    mutating func close() { depth -= 1 }

    /// The text between two offsets; refused, with the place of the first bad byte, unless it is UTF-8.
    func text(_ range: Range<Int>) throws(SyntaxError) -> String {
        if let text = String(validating: bytes[range], as: UTF8.self) { return text }
        throw failure(at: range.lowerBound + UTF8Text.validPrefix(of: bytes[range]), "the bytes here are not UTF-8 text")
    }

    /// What `\uXXXX` means, from after its `u`: one code point, from two escapes where they are a surrogate pair.
    ///
    /// Half a pair is refused. RFC 8259 §8.2 calls its meaning unpredictable, a Swift string cannot hold it, and U+FFFD in its place
    /// would be written back to a file of someone else's credentials.
    mutating func unicodeEscape() throws(SyntaxError) -> Unicode.Scalar {
        let start = offset - 2
        let first = try hexadecimal(digits: 4)
        if let scalar = Unicode.Scalar(first) { return scalar }
        if first < 0xDC00, current == .backslash, offset + 1 < bytes.count, bytes[offset + 1] == UInt8(ascii: "u") {
            offset += 2
            let second = try hexadecimal(digits: 4)
            if 0xDC00...0xDFFF ~= second, let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) {
                return scalar
            }
        }
        throw failure(at: start, "this \\u escape is one half of a surrogate pair without the other; write the character itself")
    }

    /// The value of exactly this many hexadecimal digits.
    mutating func hexadecimal(digits: Int) throws(SyntaxError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let digit = current?.hexadecimalValue else { throw expected("\(digits) hexadecimal digits in this escape") }
            value = value << 4 | UInt32(digit)
            offset += 1
        }
        return value
    }

    /// An error at the cursor: what was expected, and what stands there.
    func expected(_ what: String) -> SyntaxError {
        failure(at: offset, "expected \(what), found \(found)")
    }

    /// An error at an offset.
    func failure(at offset: Int, _ message: String) -> SyntaxError {
        var counter = LineCounter()
        let place = counter.locate(offset, in: bytes)
        return SyntaxError(line: place.line, column: place.column, message: message)
    }

    /// The one character at the cursor, for people; no more of the document is ever shown.
    private var found: String {
        guard let byte = current else { return "the end of the file" }
        switch byte {
        case .lineFeed, .carriageReturn: return "the end of the line"
        case 0x21...0x7E: return "'\(Character(Unicode.Scalar(byte)))'"
        case .space: return "a space"
        default:
            guard byte >= 0x80, let scalar = UTF8Text.scalar(in: bytes, at: offset)?.scalar else {
                return "the byte \(byte.hexadecimalText)"
            }
            return "U+" + String(scalar.value, radix: 16, uppercase: true)
        }
    }
}
