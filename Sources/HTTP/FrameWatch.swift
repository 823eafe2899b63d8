/// Reads the frame headers of what a client sends (RFC 9113 §4.1) to see floods: nghttp2 tells nobody of the frames that it passes over.
///
///     preface ──▶ header (9 bytes) ──▶ payload, not looked at ──▶ header …
struct FrameWatch {
    /// A header's three telling members.
    struct Header {
        let length: Int
        let type: UInt8
        let flags: UInt8
    }
    /// Bytes to pass over: at first the preface.
    private var skip = 24
    private var header = InlineArray<9, UInt8>(repeating: 0)
    private var count = 0

    /// The next header in `bytes` from `at` on, which moves behind it; nil when there is none.
    @inline(__always)
    mutating func next(in bytes: ByteView, from at: inout Int) -> Header? {
        let passed = min(skip, bytes.count - at)
        skip -= passed
        at += passed
        guard skip == 0 else { return nil }
        while count < 9, at < bytes.count {
            header[count] = bytes[at]
            count += 1
            at += 1
        }
        guard count == 9 else { return nil }
        count = 0
        skip = Int(header[0]) << 16 | Int(header[1]) << 8 | Int(header[2])
        return Header(length: skip, type: header[3], flags: header[4])
    }
}

extension FrameWatch.Header {
    /// What the frame costs its sender nothing and us something; a WINDOW_UPDATE is judged by how many there may be.
    enum Weight { case useful, windowUpdate, glitch }

    var weight: Weight {
        switch type {
        // DATA: only the last one of a stream may be without bytes; padding may be all that there is.
        case 0: length == 0 && flags & 1 == 0 || length <= 256 && flags & 8 != 0 ? .glitch : .useful
        // HEADERS
        case 1: length == 0 ? .glitch : .useful
        case 8: .windowUpdate
        // PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, CONTINUATION, and what has no meaning.
        default: .glitch
        }
    }
}
