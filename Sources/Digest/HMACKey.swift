internal import COpenSSL

/// A key of HMAC-SHA-256 with its two pads hashed already: a short message then costs two blocks, and nothing is allocated.
@safe
public final class HMACKey: Sendable {
    /// Written in `init` only.
    private nonisolated(unsafe) let pads: UnsafeMutablePointer<kb_hmac_key>

    /// - Parameter key: at most a block, 64 bytes.
    public init(_ key: [UInt8]) {
        precondition(key.count <= 64, "a key of HMAC is at most a block")
        unsafe pads = .allocate(capacity: 1)
        unsafe kb_hmac_prepare(pads, key, key.count)
    }
    deinit {
        unsafe Memory.cleanse(UnsafeMutableRawBufferPointer(start: pads, count: MemoryLayout<kb_hmac_key>.size))
        unsafe pads.deallocate()
    }

    /// The 32-byte code of a message.
    public func authenticate(_ message: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: SHA256.byteCount)
        unsafe kb_hmac(pads, message, message.count, &code)
        return code
    }

    /// Whether the 32 bytes at `offset` of `codes` are the message's code; the time does not tell where they differ.
    @inline(__always)
    public func verify(_ message: RawSpan, _ codes: [UInt8], at offset: Int) -> Bool {
        precondition(offset >= 0 && offset + SHA256.byteCount <= codes.count)
        return unsafe message.withUnsafeBytes { message in
            unsafe codes.withUnsafeBytes { codes in
                unsafe kb_hmac_equals(
                    pads, message.baseAddress, message.count, codes.baseAddress.unsafelyUnwrapped + offset) == 1
            }
        }
    }
}
