internal import CBrotli
internal import CZlib
internal import CZstd
internal import HTTP
internal import Sockets

/// How a body is coded (RFC 9110 §8.4.1).
enum ContentCoding {
    case identity, gzip, deflate, brotli, zstd

    /// The coding that a `Content-Encoding` names; nil for one that is not undone here, and for several in a row.
    init?(_ bytes: RawSpan, _ value: Range<Int>) {
        guard let known = Self.names.first(where: { FieldText.equals(bytes, value, $0.name) }) else { return nil }
        self = known.coding
    }

    private static let names: [(name: [UInt8], coding: ContentCoding)] = [
        (Array("identity".utf8), .identity), (Array("gzip".utf8), .gzip), (Array("x-gzip".utf8), .gzip), (Array("deflate".utf8), .deflate),
        (Array("br".utf8), .brotli), (Array("zstd".utf8), .zstd),
    ]
}

/// Undoes the codings of bodies that are looked into: Codex's requests, providers' refusals. What is delivered stays as it was coded.
/// One a worker; a library's state is made when the first body comes in its coding.
@safe
struct ContentDecoder: ~Copyable {
    enum Outcome {
        case whole
        /// More is due: what is there so far has been decoded.
        case partial
        case malformed
        /// It is longer than what was allowed, which has been decoded.
        case tooLong
    }

    private var zstd: OpaquePointer?
    private var inflater: UnsafeMutablePointer<z_stream>?

    init() {}
    deinit {
        if let zstd = unsafe zstd { unsafe ZSTD_freeDCtx(zstd) }
        if let inflater = unsafe inflater {
            unsafe inflateEnd(inflater)
            unsafe inflater.deallocate()
        }
    }

    /// Appends the text of `coded` to `plain`, of about `limit` bytes at most.
    mutating func decode(
        _ coded: UnsafeRawBufferPointer, as coding: ContentCoding, into plain: inout ByteQueue, limit: Int
    ) -> Outcome {
        switch coding {
        case .identity:
            unsafe plain.append(UnsafeRawBufferPointer(rebasing: coded.prefix(limit)))
            return coded.count > limit ? .tooLong : .whole
        case .zstd: return unsafe decodeZstd(coded, &plain, limit)
        case .brotli: return unsafe decodeBrotli(coded, &plain, limit)
        case .gzip: return unsafe inflate(coded, Self.anyHeader, &plain, limit, isGzip: true)
        case .deflate:
            let outcome = unsafe inflate(coded, Self.anyHeader, &plain, limit)
            // Some servers send the bare format, which the name does not mean (RFC 9110 §8.4.1.2).
            return outcome == .malformed && plain.isEmpty ? unsafe inflate(coded, Self.noHeader, &plain, limit) : outcome
        }
    }

    private static var step: Int { 16 << 10 }

    // MARK: zstd (RFC 8878)

    /// Windows of up to 32 MiB: what a body may be decoded to. A frame may ask for more memory than that, and gets none.
    private static var windowLog: Int32 { 25 }

    private mutating func decodeZstd(_ coded: UnsafeRawBufferPointer, _ plain: inout ByteQueue, _ limit: Int) -> Outcome {
        if unsafe zstd == nil {
            unsafe zstd = ZSTD_createDCtx()
            unsafe ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, Self.windowLog)
        }
        guard unsafe ZSTD_isError(ZSTD_DCtx_reset(zstd, ZSTD_reset_session_only)) == 0 else { return .malformed }
        var input = unsafe ZSTD_inBuffer(src: coded.baseAddress, size: coded.count, pos: 0)
        while true {
            let room = Self.step
            var output = unsafe ZSTD_outBuffer(dst: plain.reserve(room), size: room, pos: 0)
            let due = unsafe ZSTD_decompressStream(zstd, &output, &input)
            guard ZSTD_isError(due) == 0 else { return .malformed }
            plain.advance(unsafe output.pos)
            guard plain.count <= limit else { return .tooLong }
            let isRead = unsafe input.pos == input.size
            if isRead, due == 0 { return .whole }
            // All is read, there was room for more, and the frame has not ended.
            if isRead, unsafe output.pos < output.size { return .partial }
        }
    }

    // MARK: gzip and deflate (RFC 1950-1952)

    /// zlib's or gzip's header, whichever is there; none at all.
    private static var anyHeader: Int32 { 15 + 32 }
    private static var noHeader: Int32 { -15 }

    private mutating func inflate(
        _ coded: UnsafeRawBufferPointer, _ windowBits: Int32, _ plain: inout ByteQueue, _ limit: Int, isGzip: Bool = false
    ) -> Outcome {
        guard let stream = unsafe inflater(windowBits) else { return .malformed }
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: coded.bindMemory(to: UInt8.self).baseAddress)
        unsafe stream.pointee.avail_in = UInt32(coded.count)
        while true {
            unsafe stream.pointee.next_out = plain.reserve(Self.step).assumingMemoryBound(to: UInt8.self)
            unsafe stream.pointee.avail_out = UInt32(Self.step)
            let code = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
            plain.advance(Self.step - Int(unsafe stream.pointee.avail_out))
            switch code {
            case Z_STREAM_END:
                if plain.count > limit { return .tooLong }
                if unsafe stream.pointee.avail_in == 0 { return .whole }
                // Members one behind the other are one text (RFC 1952 §2.2); whatever else follows is not to be passed over, since somebody
                // further on may read it.
                guard isGzip, unsafe inflateReset(stream) == Z_OK else { return .malformed }
            case Z_OK where plain.count <= limit: continue
            case Z_OK: return .tooLong
            case Z_BUF_ERROR: return .partial
            default: return .malformed
            }
        }
    }

    private mutating func inflater(_ windowBits: Int32) -> UnsafeMutablePointer<z_stream>? {
        if let made = unsafe inflater { return unsafe inflateReset2(made, windowBits) == Z_OK ? made : nil }
        let made = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe made.initialize(to: z_stream())
        guard unsafe kb_inflate_init(made, windowBits) == Z_OK else {
            unsafe made.deallocate()
            return nil
        }
        unsafe inflater = unsafe made
        return unsafe made
    }

    // MARK: Brotli (RFC 7932)

    /// The library cannot be asked to begin anew: an instance for each body.
    private func decodeBrotli(_ coded: UnsafeRawBufferPointer, _ plain: inout ByteQueue, _ limit: Int) -> Outcome {
        guard let state = unsafe BrotliDecoderCreateInstance(nil, nil, nil) else { return .malformed }
        defer { unsafe BrotliDecoderDestroyInstance(state) }
        var input = unsafe coded.bindMemory(to: UInt8.self).baseAddress
        var inputCount = coded.count
        while true {
            var room = Self.step
            var output: UnsafeMutablePointer<UInt8>? = unsafe plain.reserve(room).assumingMemoryBound(to: UInt8.self)
            let code = unsafe BrotliDecoderDecompressStream(state, &inputCount, &input, &room, &output, nil)
            plain.advance(Self.step - room)
            switch code {
            case BROTLI_DECODER_RESULT_SUCCESS where inputCount > 0: return .malformed
            case BROTLI_DECODER_RESULT_SUCCESS: return plain.count > limit ? .tooLong : .whole
            case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT where plain.count <= limit: continue
            case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: return .tooLong
            case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT: return .partial
            default: return .malformed
            }
        }
    }
}
