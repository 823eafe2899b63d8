internal import JSON

/// Comments in JSON, and what else of JSON5 is no JSON with comments.
enum JSONComments {
    /// White space (RFC 8259 §2).
    static func isSpace(_ byte: UInt8) -> Bool { " \t\r\n".utf8.contains(byte) }

    /// The offset behind the comment that begins at `start`; a comment that does not end goes to the end of the document.
    static func end(of start: Int, in bytes: [UInt8]) -> Int {
        guard start + 1 < bytes.count, bytes[start + 1] == UInt8(ascii: "*") else {
            return bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        }
        var at = start + 2
        while at + 1 < bytes.count, bytes[at] != UInt8(ascii: "*") || bytes[at + 1] != UInt8(ascii: "/") { at += 1 }
        return min(at + 2, bytes.count)
    }

    /// - Throws: where a name or a string is not in double quotes.
    static func check(_ bytes: [UInt8]) throws(SyntaxError) {
        var at = 0
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""): at = stringEnd(at, in: bytes)
            case UInt8(ascii: "/"): at = end(of: at, in: bytes)
            case UInt8(ascii: "'"): throw failure(at, in: bytes)
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), UInt8(ascii: "$"):
                let word = bytes[at...].prefix { isWord($0) }
                guard ["true", "false", "null"].contains(where: { word.elementsEqual($0.utf8) }) else { throw failure(at, in: bytes) }
                at += word.count
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                // With its exponent.
                at += bytes[at...].prefix { isWord($0) || "+-.".utf8.contains($0) }.count
            default: at += 1
            }
        }
    }

    private static func stringEnd(_ start: Int, in bytes: [UInt8]) -> Int {
        var at = start + 1
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
        return at + 1
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: "$"):
            true
        default: byte >= 0x80
        }
    }

    private static func failure(_ offset: Int, in bytes: [UInt8]) -> SyntaxError {
        let line = bytes[..<offset].count { $0 == UInt8(ascii: "\n") } + 1
        return SyntaxError(line: line, column: 1, message: "expected names and strings in double quotes")
    }
}
