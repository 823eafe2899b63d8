internal import COpenSSL

/// SHA-256 (FIPS 180-4), by libcrypto.
public enum SHA256 {
    /// The 32 bytes of a digest.
    public static let byteCount = 32

    /// The digest of an array.
    public static func hash(_ bytes: [UInt8]) -> [UInt8] {
        unsafe bytes.withUnsafeBytes { unsafe hash($0) }
    }

    /// The digest of a text's UTF-8.
    public static func hash(_ text: String) -> [UInt8] { hash(Array(text.utf8)) }

    /// The digest of memory that should not be copied into an array first: a secret's.
    public static func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: byteCount)
        let written = unsafe COpenSSL.SHA256(bytes.baseAddress ?? emptyInput, bytes.count, &digest)
        unsafe precondition(written != nil, "libcrypto has no SHA-256")
        return digest
    }
}

/// HMAC with SHA-256 (RFC 2104, RFC 4231), by libcrypto.
public enum HMACSHA256 {
    /// The 32-byte code of `message` under `key`.
    public static func authenticate(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: SHA256.byteCount)
        // A null key would mean "the key of the call before" to libcrypto; an empty one is written with a pointer and length 0.
        let written = unsafe key.withUnsafeBytes { key in
            unsafe HMAC(EVP_sha256(), key.baseAddress ?? emptyInput, CInt(key.count), message, message.count, &code, nil)
        }
        unsafe precondition(written != nil, "libcrypto has no HMAC-SHA-256")
        return code
    }
}

/// Somewhere to point to where there is nothing to read: libcrypto takes null for "not given".
private var emptyInput: UnsafeRawPointer { unsafe UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped }
