internal import HTTP
internal import Sockets

/// Names for requests: 16 hexadecimal digits, counted up from a random start by each worker.
enum RequestID {
    /// Where a worker begins. Random, so that two workers' or two runs' names do not meet; nothing secret depends on it.
    static func seed() -> UInt64 { .random(in: .min ... .max) }

    static func text(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension ByteQueue {
    /// A request's name.
    @inline(__always)
    mutating func append(requestID number: UInt64) {
        let room = unsafe reserve(16)
        unsafe Numbers.writeHexadecimal(Int(bitPattern: UInt(number)), digits: 16, to: room)
        advance(16)
    }
}
