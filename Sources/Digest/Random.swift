internal import COpenSSL

/// Bytes nobody can guess: keys, states, verifiers.
public enum Random {
    /// `count` bytes from libcrypto's generator. Ends the process if there are none: a predictable secret would be worse.
    public static func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let succeeded = unsafe RAND_bytes(&bytes, CInt(count))
        precondition(succeeded == 1, "the system has no random bytes")
        return bytes
    }
}
