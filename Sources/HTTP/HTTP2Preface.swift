/// What a client that speaks HTTP/2 with prior knowledge, or by ALPN, sends first (RFC 9113 §3.4).
public enum HTTP2Preface {
    /// How much of it is there.
    public enum Finding: Sendable {
        /// The bytes begin otherwise.
        case none
        /// They are its beginning.
        case begun
        /// All of it is there.
        case whole
    }
    private static var text: StaticString { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" }

    /// Compares the beginning of a connection's bytes with it.
    public static func find(in bytes: UnsafeRawBufferPointer) -> Finding {
        guard let view = unsafe ByteView(bytes) else { return .begun }
        let preface = ByteView(text)
        for at in 0..<min(view.count, preface.count) where view[at] != preface[at] { return .none }
        return view.count < preface.count ? .begun : .whole
    }
}
