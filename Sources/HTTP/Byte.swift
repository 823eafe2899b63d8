/// Arithmetic on eight bytes in one word.
enum Word {
    /// The top bit of each byte.
    static var highBits: UInt64 { @inline(__always) get { 0x8080_8080_8080_8080 } }

    /// Eight times `byte`.
    @inline(__always)
    static func every(_ byte: UInt8) -> UInt64 { 0x0101_0101_0101_0101 &* UInt64(byte) }

    /// The top bit is set in each zero byte of `word`, and perhaps in bytes above the lowest one; mask with `highBits`.
    @inline(__always)
    static func zeroBytes(_ word: UInt64) -> UInt64 { (word &- every(1)) & ~word }
}

/// The bytes that have a meaning of their own.
enum Byte {
    static var tab: UInt8 { 0x09 }
    static var lineFeed: UInt8 { 0x0a }
    static var carriageReturn: UInt8 { 0x0d }
    static var space: UInt8 { 0x20 }

    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }
    @inline(__always)
    static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7f }
    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
    @inline(__always)
    static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
    @inline(__always)
    static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
}

/// A set of ASCII bytes as two words; membership is a shift and a mask, so that no table has to be loaded or initialised.
struct ByteSet {
    private let low: UInt64
    private let high: UInt64

    /// `low` holds bytes 0...63, `high` 64...127; bytes from 128 are in no set.
    @inline(__always)
    private init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        let half = byte & 0x40 == 0 ? low : high
        return byte < 0x80 && half >> UInt64(byte & 0x3f) & 1 != 0
    }

    /// `tchar`, RFC 9110 §5.6.2.
    static var token: ByteSet { @inline(__always) get { ByteSet(low: 0x03ff_6cfa_0000_0000, high: 0x57ff_ffff_c7ff_fffe) } }

    /// What a `reg-name` is made of (RFC 3986 §3.2.2), without the comma: `a,b` is how two `Host` lines look once joined.
    static var registeredName: ByteSet { @inline(__always) get { ByteSet(low: 0x2bff_6ff2_0000_0000, high: 0x47ff_fffe_87ff_fffe) } }

    /// Hexadecimal digits.
    static var hexadecimal: ByteSet { @inline(__always) get { ByteSet(low: 0x03ff_0000_0000_0000, high: 0x0000_007e_0000_007e) } }

    /// What stands between the brackets of an IPv6 literal.
    static var internetAddress: ByteSet { @inline(__always) get { ByteSet(low: 0x07ff_4000_0000_0000, high: 0x0000_007e_0000_007e) } }
}
