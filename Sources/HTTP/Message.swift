/// What a request asks for. `other` methods pass through; the gate refuses `connect` and `trace`.
public enum Method: UInt8, Sendable {
    /// One of the methods that a model API knows, or its name is not interned.
    case get, head, post, put, delete, patch, options, connect, trace, other

    /// Whether a repetition does no harm (RFC 9110 §9.2.1), of the methods that DESIGN §8 lets us send twice.
    public var mayBeRepeated: Bool { self == .get || self == .head }
}

/// The versions that are spoken; every other one is refused.
public enum Version: UInt8, Sendable {
    /// HTTP/1.0, which has no `Transfer-Encoding` and closes unless asked not to; or HTTP/1.1.
    case http10, http11
}

/// Where a message's body ends (RFC 9112 §6.3).
public enum BodyFraming: Equatable, Sendable {
    /// No body follows.
    case none
    /// Exactly that many bytes follow; may be 0.
    case length(Int)
    /// Chunks follow: `ChunkDecoder`.
    case chunked
    /// The body ends with the connection; responses only.
    case untilClose

    /// Whether bytes of a body may follow the head.
    public var mayHaveBytes: Bool {
        switch self {
        case .none, .length(0): false
        case .length, .chunked, .untilClose: true
        }
    }
}

/// What a `parse` of a head came to.
public enum HeadOutcome: Equatable, Sendable {
    /// The head took the first `byteCount` bytes; a body or the next message begins there.
    case complete(byteCount: Int)
    /// Call again, from the same start, when there are more bytes.
    case incomplete
    /// The message breaks a rule. The connection has no defined position any more: answer and close it.
    case rejected(Rejection)
}

/// How large a head may be.
public struct HeadLimits: Equatable, Sendable {
    /// Bytes of the whole head, its empty line included.
    public let byteCount: Int
    /// Field lines.
    public let fieldCount: Int

    /// At most 64 KiB, because offsets are 16 bits wide, and at most 128 field lines; larger values are lowered to that.
    public init(byteCount: Int = 65_536, fieldCount: Int = 128) {
        self.byteCount = min(max(byteCount, 64), 65_536)
        self.fieldCount = min(max(fieldCount, 1), FieldTable.capacity)
    }

    /// No method that is registered with IANA is half as long.
    static var methodLength: Int { 32 }
    /// Field names beyond it are an attack on whoever keeps them in a table.
    static var fieldNameLength: Int { 256 }
    /// Bounds the work of looking for the fields that `Connection` names.
    static var connectionOptions: Int { 32 }
}
