internal import COpenSSL

/// Comparisons whose duration tells nothing about the contents.
public enum ConstantTime {
    /// Whether both hold the same bytes. The time depends on the lengths only.
    public static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && (unsafe CRYPTO_memcmp(left, right, left.count)) == 0
    }
}

/// Clearing what must not stay in memory.
public enum Memory {
    /// Overwrites the bytes with zeros, in a way that no optimiser removes.
    public static func cleanse(_ bytes: UnsafeMutableRawBufferPointer) {
        unsafe OPENSSL_cleanse(bytes.baseAddress, bytes.count)
    }

    /// Overwrites an array's bytes with zeros. Other copies of the array keep theirs: give it the only one.
    public static func cleanse(_ bytes: inout [UInt8]) {
        unsafe bytes.withUnsafeMutableBytes { unsafe cleanse($0) }
    }
}
