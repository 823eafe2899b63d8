extension Method {
    /// The method that `range` spells; methods are case-sensitive (RFC 9110 §9.1).
    @inline(__always)
    init(_ view: ByteView, _ range: Range<Int>) {
        self = .other
        guard let (method, text) = Self.candidate(range.count, view[range.lowerBound]) else { return }
        if view.begins(with: text, at: range.lowerBound) { self = method }
    }

    /// The only method of that length with that first letter.
    @inline(__always)
    private static func candidate(_ count: Int, _ first: UInt8) -> (Method, StaticString)? {
        switch count {
        case 3: first == UInt8(ascii: "G") ? (.get, "GET") : (.put, "PUT")
        case 4: first == UInt8(ascii: "P") ? (.post, "POST") : (.head, "HEAD")
        case 5: first == UInt8(ascii: "P") ? (.patch, "PATCH") : (.trace, "TRACE")
        case 6: (.delete, "DELETE")
        case 7: first == UInt8(ascii: "C") ? (.connect, "CONNECT") : (.options, "OPTIONS")
        default: nil
        }
    }
}

extension Version {
    /// Reads the eight bytes at `start`; nil unless they are `HTTP/1.1` or `HTTP/1.0`.
    @inline(__always)
    init?(_ view: ByteView, _ start: Int) {
        let word = view.word(start)
        // "HTTP/1." and the digit, the first byte lowest.
        guard word & 0x00ff_ffff_ffff_ffff == 0x002e_312f_5054_5448 else { return nil }
        switch word >> 56 {
        case 0x31: self = .http11
        case 0x30: self = .http10
        default: return nil
        }
    }

    /// Why the bytes behind the method's space are not ` TARGET SP HTTP/1.x`.
    @inline(never)
    static func fault(_ view: ByteView, _ range: Range<Int>) -> Rejection {
        var start = range.upperBound
        while start > range.lowerBound, view[start - 1] != Byte.space { start -= 1 }
        guard start > range.lowerBound + 1 else { return .malformedRequestLine }
        let count = range.upperBound - start
        guard count > 0 else { return .malformedRequestLine }
        guard count == 8, view.begins(with: "HTTP/", at: start), Byte.isDigit(view[start + 5]), view[start + 6] == UInt8(ascii: "."),
            Byte.isDigit(view[start + 7])
        else { return .malformedVersion }
        return .unsupportedVersion
    }
}
