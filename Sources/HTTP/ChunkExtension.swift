/// The extensions of one chunk-size line behind the first `;` (RFC 9112 §7.1.1), checked byte by byte and kept nowhere.
///
///     nameStart ─▶ name ─=─▶ valueStart ─▶ value ──;──▶ nameStart
///                    └─;─▶ nameStart  └─"─▶ quoted ─"─▶ closed ──;──▶ nameStart       CR ends it from name, value and closed
///
/// The white space that the grammar tolerates around `;` and `=` is refused: nobody sends it, and recipients differ in what they make of it.
struct ChunkExtension {
    private enum State { case nameStart, name, valueStart, value, quoted, escaped, closed }
    private var state = State.nameStart

    /// Takes the next byte; true at the CR that ends the line.
    mutating func read(_ byte: UInt8) throws(Rejection) -> Bool {
        switch state {
        case .nameStart: try expectToken(byte, then: .name)
        case .name:
            if byte == UInt8(ascii: "=") {
                state = .valueStart
            } else if !ByteSet.token.contains(byte) {
                return try end(byte)
            }
        case .valueStart:
            if byte == UInt8(ascii: "\"") { state = .quoted } else { try expectToken(byte, then: .value) }
        case .value:
            if !ByteSet.token.contains(byte) { return try end(byte) }
        case .quoted:
            if byte == UInt8(ascii: "\"") {
                state = .closed
            } else {
                try expectText(byte)
                if byte == UInt8(ascii: "\\") { state = .escaped }
            }
        case .escaped:
            try expectText(byte)
            state = .quoted
        case .closed: return try end(byte)
        }
        return false
    }

    /// `;` begins the next extension, CR ends the line.
    private mutating func end(_ byte: UInt8) throws(Rejection) -> Bool {
        if byte == Byte.carriageReturn { return true }
        guard byte == UInt8(ascii: ";") else { throw fault(byte) }
        state = .nameStart
        return false
    }

    private mutating func expectToken(_ byte: UInt8, then next: State) throws(Rejection) {
        guard ByteSet.token.contains(byte) else { throw fault(byte) }
        state = next
    }

    private func expectText(_ byte: UInt8) throws(Rejection) {
        guard !Byte.isControl(byte) || byte == Byte.tab else { throw fault(byte) }
    }

    private func fault(_ byte: UInt8) -> Rejection { byte == Byte.lineFeed ? .bareLineFeed : .malformedChunkExtension }
}
