/// A document that is not JSON (or JSON5): where, and what was expected. The message never quotes a value, which may be a secret.
public struct SyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The line, from 1. Lines end with LF, CR LF or CR.
    public let line: Int
    /// The column in code points, from 1.
    public let column: Int
    /// What was expected there, in plain words.
    public let message: String

    /// An error at a place.
    public init(line: Int, column: Int, message: String) {
        self.line = line
        self.column = column
        self.message = message
    }

    /// `line 3, column 7: expected …`
    public var description: String { "line \(line), column \(column): \(message)" }
}

/// Turns offsets into lines and columns, in one pass over the bytes as long as offsets ascend.
struct LineCounter {
    private var line = 1
    private var column = 1
    private var offset = 0

    /// The place of the byte at `target`.
    mutating func locate(_ target: Int, in bytes: [UInt8]) -> (line: Int, column: Int) {
        if target < offset { self = LineCounter() }
        while offset < min(target, bytes.count) {
            let byte = bytes[offset]
            offset += 1
            // The CR of a CR LF leaves the count to its LF.
            if byte == .lineFeed || byte == .carriageReturn && !(offset < bytes.count && bytes[offset] == .lineFeed) {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80, byte != .carriageReturn {
                column += 1
            }
        }
        return (line, column)
    }
}
