/// Reads the outline of a TOML document (toml.io, version 1.0.0): one pass, values checked but not kept.
struct TOMLReader {
    private let bytes: [UInt8]
    private var at = 0
    private var outline = TOMLOutline()

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The outline of `bytes`; a byte order mark before them is skipped.
    static func outline(_ bytes: [UInt8]) throws(TOMLError) -> TOMLOutline {
        var reader = TOMLReader(bytes)
        guard String(validating: bytes, as: UTF8.self) != nil else { throw TOMLError(line: 1, message: "the file is not UTF-8 text") }
        if let place = bytes.indices.first(where: { isForbidden(bytes, at: $0) }) {
            reader.at = place
            throw reader.failure("control characters must be written as escapes")
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.at = 3 }
        try reader.document()
        if let path = reader.outline.duplicate {
            throw TOMLError(line: 1, message: "\(path.joined(separator: ".")) is defined twice")
        }
        return reader.outline
    }

    /// A control character that may stand nowhere, not even in a comment; a CR only before its LF.
    private static func isForbidden(_ bytes: [UInt8], at index: Int) -> Bool {
        switch bytes[index] {
        case UInt8(ascii: "\t"), UInt8(ascii: "\n"): false
        case UInt8(ascii: "\r"): index + 1 == bytes.count || bytes[index + 1] != UInt8(ascii: "\n")
        default: bytes[index] < 0x20 || bytes[index] == 0x7F
        }
    }

    private var current: UInt8? { at < bytes.count ? bytes[at] : nil }

    private func failure(_ message: String) -> TOMLError {
        TOMLError(line: bytes[..<min(at, bytes.count)].count { $0 == UInt8(ascii: "\n") } + 1, message: message)
    }

    private mutating func take(_ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard bytes.count - at >= length, text.withUTF8Buffer({ unsafe $0.elementsEqual(bytes[at..<at + length]) }) else { return false }
        at += length
        return true
    }

    private mutating func document() throws(TOMLError) {
        var table: [String] = []
        while true {
            skipBlanks()
            guard let byte = current else { return }
            if byte == UInt8(ascii: "[") {
                table = try header()
            } else if byte != UInt8(ascii: "#"), byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") {
                try assignment(in: table)
            }
            try endOfLine()
        }
    }

    private mutating func header() throws(TOMLError) -> [String] {
        let start = at
        let isArray = take("[[")
        if !isArray { at += 1 }
        let path = try key()
        guard isArray ? take("]]") : take("]") else { throw failure("expected ']' after the table's name") }
        outline.headers.append(TOMLOutline.Header(path: path, isArray: isArray, offset: start))
        return path
    }

    private mutating func assignment(in table: [String]) throws(TOMLError) {
        let start = at
        let key = try key()
        guard take("=") else { throw failure("expected '=' after the key") }
        skipBlanks()
        let string = try value(depth: 0)
        outline.assignments.append(
            TOMLOutline.Assignment(path: table + key, isRoot: outline.headers.isEmpty, range: start..<at, string: string))
    }

    /// A key of one or more parts, with the blanks after it.
    private mutating func key() throws(TOMLError) -> [String] {
        var parts: [String] = []
        repeat {
            skipBlanks()
            switch current {
            case UInt8(ascii: "\""): parts.append(try basicString())
            case UInt8(ascii: "'"): parts.append(try literalString())
            default:
                let start = at
                while let byte = current, Self.isBare(byte) { at += 1 }
                guard at > start else { throw failure("expected a key") }
                parts.append(String(decoding: bytes[start..<at], as: UTF8.self))
            }
            skipBlanks()
        } while take(".")
        return parts
    }

    private static func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
        }
    }

    /// A value; its text if it is a string.
    private mutating func value(depth: Int) throws(TOMLError) -> String? {
        guard depth < 64 else { throw failure("arrays and tables are nested too deep") }
        switch current {
        case UInt8(ascii: "\""): return take("\"\"\"") ? try multilineString("\"\"\"", hasEscapes: true) : try basicString()
        case UInt8(ascii: "'"): return take("'''") ? try multilineString("'''", hasEscapes: false) : try literalString()
        case UInt8(ascii: "["): try array(depth: depth)
        case UInt8(ascii: "{"): try inlineTable(depth: depth)
        default: try scalar()
        }
        return nil
    }

    private mutating func scalar() throws(TOMLError) {
        let start = at
        while let byte = current, Self.isBare(byte) || "+.:".utf8.contains(byte) { at += 1 }
        // A date and its time may be parted by one space.
        if at - start == 10, at + 3 < bytes.count, bytes[at] == UInt8(ascii: " "), bytes[at + 3] == UInt8(ascii: ":") {
            at += 1
            while let byte = current, Self.isBare(byte) || "+.:".utf8.contains(byte) { at += 1 }
        }
        let word = String(decoding: bytes[start..<at], as: UTF8.self)
        guard TOMLText.isScalar(word[...]) else {
            at = start
            throw failure("expected a value")
        }
    }

    private mutating func array(depth: Int) throws(TOMLError) {
        at += 1
        while true {
            skipLines()
            if take("]") { return }
            _ = try value(depth: depth + 1)
            skipLines()
            guard take(",") else {
                guard take("]") else { throw failure("expected ',' or ']' in the array") }
                return
            }
        }
    }

    private mutating func inlineTable(depth: Int) throws(TOMLError) {
        at += 1
        skipBlanks()
        if take("}") { return }
        repeat {
            _ = try key()
            guard take("=") else { throw failure("expected '=' after the key") }
            skipBlanks()
            _ = try value(depth: depth + 1)
            skipBlanks()
        } while take(",")
        guard take("}") else { throw failure("expected ',' or '}' in the table") }
    }

    // MARK: Strings

    private mutating func basicString() throws(TOMLError) -> String {
        at += 1
        var text: [UInt8] = []
        while let byte = current, byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") {
            at += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
            if byte == UInt8(ascii: "\\") { text += try escape() } else { text.append(byte) }
        }
        throw failure("the string is not closed on its line")
    }

    private mutating func literalString() throws(TOMLError) -> String {
        at += 1
        let start = at
        while let byte = current, byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") {
            at += 1
            if byte == UInt8(ascii: "'") { return String(decoding: bytes[start..<at - 1], as: UTF8.self) }
        }
        throw failure("the string is not closed on its line")
    }

    /// From behind the opening quotes. Up to two quotes more may stand right before the closing ones.
    private mutating func multilineString(_ quotes: StaticString, hasEscapes: Bool) throws(TOMLError) -> String {
        let start = at
        while current != nil {
            if take(quotes) {
                let quote = bytes[at - 1]
                for _ in 0..<2 where current == quote { at += 1 }
                return String(decoding: bytes[start..<at - 3], as: UTF8.self)
            }
            let byte = bytes[at]
            at += 1
            guard hasEscapes, byte == UInt8(ascii: "\\") else { continue }
            if let next = current, next == UInt8(ascii: "\n") || next == UInt8(ascii: "\r") || next == UInt8(ascii: " ") { continue }
            _ = try escape()
        }
        throw failure("the string is not closed")
    }

    /// What stands behind a backslash.
    private mutating func escape() throws(TOMLError) -> [UInt8] {
        guard let byte = current else { throw failure("the string is not closed") }
        at += 1
        let simple: [Character: UInt8] = ["b": 8, "t": 9, "n": 10, "f": 12, "r": 13, "\"": 34, "\\": 92]
        let letter = Character(Unicode.Scalar(byte))
        if let value = simple[letter] { return [value] }
        let count = letter == "u" ? 4 : letter == "U" ? 8 : 0
        let digits = bytes[at..<min(at + count, bytes.count)]
        guard count > 0, digits.count == count, let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16),
            let scalar = Unicode.Scalar(value)
        else { throw failure("unknown escape in a string") }
        at += count
        return Array(String(Character(scalar)).utf8)
    }

    // MARK: White space

    private mutating func skipBlanks() {
        while let byte = current, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { at += 1 }
    }

    private mutating func skipComment() {
        guard current == UInt8(ascii: "#") else { return }
        while let byte = current, byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") { at += 1 }
    }

    private mutating func skipLines() {
        while true {
            skipBlanks()
            skipComment()
            guard take("\n") || take("\r\n") else { return }
        }
    }

    private mutating func endOfLine() throws(TOMLError) {
        skipBlanks()
        skipComment()
        guard current == nil || take("\n") || take("\r\n") else { throw failure("expected the end of the line") }
    }
}
