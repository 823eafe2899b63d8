/// RFC 9112 §7.1, decoded where it lies: each call yields one run of data or trailer bytes. Extensions are checked and dropped.
///
///     size ─CR─▶ sizeEnd ─LF─▶ data ─▶ dataCR ─▶ dataLF ─▶ size
///       └─;─▶ extension ─CR─▶ ┘  └─ size 0 ─▶ trailers ──empty line──▶ done
///
/// It keeps what it needs of a cut line, so that the caller may discard every byte it has handed in.
public struct ChunkDecoder: Sendable, BitwiseCopyable {
    /// What a call came to. Offsets refer to the bytes of that call.
    public enum Step: Equatable, Sendable {
        /// `count` bytes of the body lie at `start`; go on at `next`.
        case data(start: Int, count: Int, next: Int)
        /// `count` bytes of a trailer section that has fields lie at `start`, its last empty line among them; go on at `next`. What they say is
        /// worth something only once the body is `done`.
        case trailers(start: Int, count: Int, next: Int)
        /// All bytes are used up.
        case starved
        /// The body is complete; what lies at `next` belongs to the next message.
        case done(next: Int)
        /// The connection has no defined position any more.
        case malformed(Rejection)
    }

    private enum State: Equatable, BitwiseCopyable {
        case size, extensions, sizeEnd, data, dataCR, dataLF, trailers, done, failed(Rejection)
    }

    /// Bytes of all extensions of one body; they carry nothing, and a sender that pads with them wants to cost.
    private static var extensionLimit: UInt16 { 4096 }

    private var state = State.size
    /// Bytes of the chunk that are still to come, or its size as far as it was read.
    private var left = 0
    private var digits: UInt8 = 0
    private var extensionBytes: UInt16 = 0
    private var chunkExtension = ChunkExtension()
    private var trailers = TrailerSection()

    /// At the start of a chunked body.
    public init() {}

    /// Whether the body has been read to its end.
    public var isDone: Bool { state == .done }

    /// Reads on at offset `from` of `bytes`.
    public mutating func next(_ bytes: UnsafeRawBufferPointer, from: Int = 0) -> Step {
        if state == .done { return .done(next: from) }
        guard let view = unsafe ByteView(bytes) else { return .starved }
        do throws(Rejection) {
            return try next(view, from)
        } catch {
            state = .failed(error)
            return .malformed(error)
        }
    }

    private mutating func next(_ view: ByteView, _ from: Int) throws(Rejection) -> Step {
        var at = from
        while at < view.count {
            if state == .data {
                let run = min(left, view.count - at)
                left -= run
                if left == 0 { state = .dataCR }
                return .data(start: at, count: run, next: at + run)
            }
            if state == .trailers { return try nextTrailers(view, at) }
            try read(view[at])
            if state == .done { return .done(next: at + 1) }
            at += 1
        }
        return .starved
    }

    private mutating func nextTrailers(_ view: ByteView, _ from: Int) throws(Rejection) -> Step {
        var at = from
        while at < view.count, state == .trailers {
            if try trailers.read(view[at]) { state = .done }
            at += 1
        }
        if trailers.hasFields { return .trailers(start: from, count: at - from, next: at) }
        return state == .done ? .done(next: at) : .starved
    }

    /// One byte that is neither data nor a trailer's.
    @inline(__always)
    private mutating func read(_ byte: UInt8) throws(Rejection) {
        switch state {
        case .size: try readSize(byte)
        case .extensions:
            extensionBytes += 1
            guard extensionBytes <= Self.extensionLimit else { throw .chunkExtensionsTooLong }
            if try chunkExtension.read(byte) { state = .sizeEnd }
        case .sizeEnd:
            guard byte == Byte.lineFeed else { throw .bareCarriageReturn }
            state = left == 0 ? .trailers : .data
        case .dataCR:
            guard byte == Byte.carriageReturn else { throw .unterminatedChunk }
            state = .dataLF
        case .dataLF:
            guard byte == Byte.lineFeed else { throw .unterminatedChunk }
            state = .size
            left = 0
            digits = 0
        case .failed(let rejection): throw rejection
        case .data, .trailers, .done: break
        }
    }

    @inline(__always)
    private mutating func readSize(_ byte: UInt8) throws(Rejection) {
        if let digit = Self.digit(byte) {
            guard digits < 16 else { throw .malformedChunkSize }
            guard left <= Int.max >> 4 else { throw .chunkTooLarge }
            left = left << 4 | digit
            digits += 1
            return
        }
        guard digits > 0 else { throw byte == Byte.lineFeed ? .bareLineFeed : .malformedChunkSize }
        switch byte {
        case Byte.carriageReturn: state = .sizeEnd
        case UInt8(ascii: ";"):
            chunkExtension = ChunkExtension()
            state = .extensions
        case Byte.lineFeed: throw .bareLineFeed
        default: throw .malformedChunkSize
        }
    }

    @inline(__always)
    private static func digit(_ byte: UInt8) -> Int? {
        switch byte {
        case 0x30...0x39: Int(byte) - 0x30
        case 0x41...0x46: Int(byte) - 0x37
        case 0x61...0x66: Int(byte) - 0x57
        default: nil
        }
    }
}
