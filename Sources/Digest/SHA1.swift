internal import COpenSSL

/// SHA-1 (FIPS 180-4), by libcrypto: for the handshake of WebSockets (RFC 6455 §4.2.2), which asks for nothing that SHA-1 no longer gives.
public enum SHA1 {
    /// The 20 bytes of the digest.
    public static func hash(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 20)
        let written = unsafe COpenSSL.SHA1(bytes, bytes.count, &digest)
        unsafe precondition(written != nil, "libcrypto has no SHA-1")
        return digest
    }
}
