internal import CZstd
internal import Sockets

/// Decodes zstd bodies (RFC 8878), as Codex sends them: one a worker, made when the first one comes.
@safe
struct ZstdReader: ~Copyable {
    private var context: OpaquePointer?

    init() {}
    deinit { if let context = unsafe context { unsafe ZSTD_freeDCtx(context) } }

    /// Appends the text of `coded` to `plain`; false when it is malformed, breaks off, or is longer than `limit`.
    mutating func decode(_ coded: UnsafeRawBufferPointer, into plain: inout ByteQueue, limit: Int) -> Bool {
        guard prepare() else { return false }
        var input = unsafe ZSTD_inBuffer(src: coded.baseAddress, size: coded.count, pos: 0)
        while true {
            let room = Self.step
            var output = unsafe ZSTD_outBuffer(dst: plain.reserve(room), size: room, pos: 0)
            let due = unsafe ZSTD_decompressStream(context, &output, &input)
            guard ZSTD_isError(due) == 0 else { return false }
            plain.advance(unsafe output.pos)
            guard plain.count <= limit else { return false }
            let isRead = unsafe input.pos == input.size
            if isRead, due == 0 { return true }
            // All is read, there was room for more, and the frame has not ended.
            if isRead, unsafe output.pos < output.size { return false }
        }
    }

    private mutating func prepare() -> Bool {
        if unsafe context == nil {
            unsafe context = ZSTD_createDCtx()
            unsafe ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.windowLog)
        }
        return unsafe ZSTD_isError(ZSTD_DCtx_reset(context, ZSTD_reset_session_only)) == 0
    }

    private static var step: Int { 64 << 10 }
    /// Windows of up to 32 MiB: what a body may be decoded to. A frame may ask for more memory than that, and gets none.
    private static var windowLog: Int32 { 25 }
}
