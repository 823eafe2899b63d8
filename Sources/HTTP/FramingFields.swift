/// Gathers the two fields that frame a body (RFC 9112 §6) and admits only what can be read in one way.
struct FramingFields {
    private(set) var length: Int?
    private(set) var isChunked = false

    /// Content-Length: 1 to 18 digits, so that no sum overflows; one line. A list is refused even when its members agree.
    @inline(__always)
    mutating func readLength(_ view: ByteView, _ value: Range<Int>) throws(Rejection) {
        guard length == nil else { throw .repeatedLength }
        guard !isChunked else { throw .lengthAndCoding }
        guard value.count >= 1, value.count <= 18 else { throw .malformedLength }
        var sum = 0
        for at in value {
            guard Byte.isDigit(view[at]) else { throw .malformedLength }
            sum = sum &* 10 &+ Int(view[at] &- 0x30)
        }
        length = sum
    }

    /// Transfer-Encoding: exactly `chunked`, one line, alone, and not in HTTP/1.0.
    @inline(__always)
    mutating func readCoding(_ view: ByteView, _ value: Range<Int>, _ version: Version) throws(Rejection) {
        guard version == .http11 else { throw .codingInHTTP10 }
        guard length == nil else { throw .lengthAndCoding }
        guard !isChunked else { throw .repeatedCoding }
        guard view.spells("chunked", in: value) else { throw .unsupportedCoding }
        isChunked = true
    }
}
