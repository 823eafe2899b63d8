internal import Glibc
internal import HTTP

/// One event of the stub's streams, written and read: as Anthropic's, with the time of its writing in it.
enum EventText {
    /// The most bytes that an event has.
    static var capacity: Int { 192 }

    /// What stands on an event's data line before the time, 20 digits of nanoseconds.
    private static var beforeTime: StaticString { "data: {\"type\":\"content_block_delta\",\"t\":\"" }
    private static var first: StaticString { "event: content_block_delta\n" }
    private static var afterTime: StaticString {
        "\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\n"
    }
    private static var last: StaticString { "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n" }
    /// What the last event of a stream ends with: 16 bytes.
    static var ending: StaticString { "message_stop\"}\n\n" }
    private static var digits: Int { 20 }

    /// Writes an event; answers how many bytes. `target` has room for `capacity`.
    @unsafe
    static func write(isLast: Bool, at time: Int64, to target: UnsafeMutableRawPointer) -> Int {
        guard !isLast else { return unsafe copy(last, to: target) }
        var count = unsafe copy(first, to: target)
        count += unsafe copy(beforeTime, to: target + count)
        var rest = UInt64(time)
        for place in stride(from: count + digits - 1, through: count, by: -1) {
            unsafe target.storeBytes(of: UInt8(truncatingIfNeeded: rest % 10) + UInt8(ascii: "0"), toByteOffset: place, as: UInt8.self)
            rest /= 10
        }
        return unsafe count + digits + copy(afterTime, to: target + count + digits)
    }

    private static func copy(_ text: StaticString, to target: UnsafeMutableRawPointer) -> Int {
        unsafe memcpy(target, text.utf8Start, text.utf8CodeUnitCount)
        return text.utf8CodeUnitCount
    }

    /// The time in a line of `count` bytes, if it is an event's data line with one.
    @unsafe
    @inline(__always)
    static func time(inLine line: UnsafeRawPointer, count: Int) -> Int64? {
        let start = beforeTime.utf8CodeUnitCount
        guard count >= start + digits, unsafe memcmp(line, beforeTime.utf8Start, start) == 0 else { return nil }
        var time: Int64 = 0
        for place in start..<start + digits {
            time = time &* 10 &+ Int64(unsafe line.load(fromByteOffset: place, as: UInt8.self) &- UInt8(ascii: "0"))
        }
        return time
    }
}
