/// The trailer section of a chunked body (RFC 9112 §7.1.2), checked byte by byte like the field lines of a head.
///
///     lineStart ─▶ name ─:─▶ value ─CR─▶ lineEnd ─LF─▶ lineStart ─CR─▶ lastEnd ─LF─▶ the end
///
/// Fields that frame, route or authenticate are refused and not merely dropped (RFC 9110 §6.5.1): whoever sends them hopes that somebody on
/// the way merges them into the head.
struct TrailerSection {
    private enum State { case lineStart, name, value, lineEnd, lastEnd }

    private static var byteLimit: UInt16 { 8192 }
    /// Longer than every name that is looked for.
    private static var nameLimit: UInt8 { 64 }

    private var state = State.lineStart
    private var byteCount: UInt16 = 0
    private var name = InlineArray<64, UInt8>(repeating: 0)
    private var nameCount: UInt8 = 0

    /// Something but the empty line has been read.
    private(set) var hasFields = false

    /// Takes the next byte; true at the LF that ends the section.
    mutating func read(_ byte: UInt8) throws(Rejection) -> Bool {
        byteCount += 1
        guard byteCount <= Self.byteLimit else { throw .trailersTooLarge }
        switch state {
        case .lineStart:
            nameCount = 0
            if byte == Byte.carriageReturn { state = .lastEnd } else { try beginName(byte) }
        case .name:
            if byte == UInt8(ascii: ":") {
                try checkName()
                state = .value
            } else {
                try appendToName(byte)
            }
        case .value:
            if byte == Byte.carriageReturn {
                state = .lineEnd
            } else if Byte.isControl(byte), byte != Byte.tab {
                throw Rejection.forControl(byte)
            }
        case .lineEnd:
            guard byte == Byte.lineFeed else { throw .bareCarriageReturn }
            state = .lineStart
        case .lastEnd:
            guard byte == Byte.lineFeed else { throw .bareCarriageReturn }
            return true
        }
        return false
    }

    private mutating func beginName(_ byte: UInt8) throws(Rejection) {
        if Byte.isBlank(byte) { throw .foldedLine }
        if byte == UInt8(ascii: ":") { throw .emptyFieldName }
        try appendToName(byte)
        state = .name
    }

    private mutating func appendToName(_ byte: UInt8) throws(Rejection) {
        guard ByteSet.token.contains(byte) else {
            if Byte.isBlank(byte) { throw .spaceBeforeColon }
            if byte == Byte.carriageReturn { throw .missingColon }
            throw Byte.isControl(byte) ? Rejection.forControl(byte) : .malformedFieldName
        }
        guard nameCount < Self.nameLimit else { throw .trailersTooLarge }
        hasFields = true
        name[Int(nameCount)] = byte
        nameCount += 1
    }

    private func checkName() throws(Rejection) {
        let count = Int(nameCount)
        let isRefused = try unsafe withUnsafeBytes(of: name) { (bytes) throws(Rejection) -> Bool in
            guard let view = unsafe ByteView(bytes) else { return true }
            return try FieldName(view, 0..<count).isRefusedInTrailers
        }
        guard !isRefused else { throw .forbiddenTrailer }
    }
}
