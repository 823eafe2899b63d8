/// Numbers as text in a raw buffer, for `Content-Length` and chunk-size lines.
public enum Numbers {
    /// The most bytes that `writeDecimal` writes.
    public static var decimalCapacity: Int { 19 }
    /// The most bytes that `writeChunkSize` writes: 16 digits and CR LF.
    public static var chunkSizeCapacity: Int { 18 }

    /// Writes `number`, which is not negative, in decimal; returns how many bytes. `target` has room for `decimalCapacity`.
    @unsafe
    @inline(__always)
    public static func writeDecimal(_ number: Int, to target: UnsafeMutableRawPointer) -> Int {
        precondition(number >= 0)
        var count = 1
        var bound = number / 10
        while bound != 0 {
            count += 1
            bound /= 10
        }
        var rest = number
        var at = count
        while at > 0 {
            at -= 1
            unsafe target.storeBytes(of: UInt8(truncatingIfNeeded: rest % 10) + 0x30, toByteOffset: at, as: UInt8.self)
            rest /= 10
        }
        return count
    }

    /// Writes `size`, which is not negative, in hexadecimal; returns how many bytes. `target` has room for 16.
    @unsafe
    @inline(__always)
    public static func writeHexadecimal(_ size: Int, to target: UnsafeMutableRawPointer) -> Int {
        precondition(size >= 0)
        let count = max(1, (64 - size.leadingZeroBitCount + 3) / 4)
        unsafe writeHexadecimal(size, digits: count, to: target)
        return count
    }

    /// Writes the lowest `digits` hexadecimal digits of `size`, with leading zeros: for a size field that was left open.
    @unsafe
    @inline(__always)
    public static func writeHexadecimal(_ size: Int, digits: Int, to target: UnsafeMutableRawPointer) {
        precondition(digits > 0 && digits <= 16)
        var rest = UInt64(bitPattern: Int64(size))
        var at = digits
        while at > 0 {
            at -= 1
            let digit = UInt8(truncatingIfNeeded: rest & 15)
            unsafe target.storeBytes(of: digit < 10 ? digit + 0x30 : digit + 0x57, toByteOffset: at, as: UInt8.self)
            rest >>= 4
        }
    }

    /// Writes the line that begins a chunk of `size` bytes; returns how many bytes. `target` has room for `chunkSizeCapacity`.
    @unsafe
    @inline(__always)
    public static func writeChunkSize(_ size: Int, to target: UnsafeMutableRawPointer) -> Int {
        let count = unsafe writeHexadecimal(size, to: target)
        unsafe target.storeBytes(of: Byte.carriageReturn, toByteOffset: count, as: UInt8.self)
        unsafe target.storeBytes(of: Byte.lineFeed, toByteOffset: count + 1, as: UInt8.self)
        return count + 2
    }
}
