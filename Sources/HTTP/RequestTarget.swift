/// The target of a request line: a path, or an http URL whose path is taken (RFC 9112 §3.2).
struct RequestTarget {
    /// Path and query, beginning with `/`; for CONNECT the whole target.
    let originForm: Range<Int>
    /// The authority of an absolute-form target, or the target of CONNECT.
    let authority: Authority?

    /// Reads `range`, which is not empty and has no control byte.
    ///
    /// Percent-encodings, dot segments and backslashes are for the router to judge, which knows what they would address.
    @inline(__always)
    init(_ view: ByteView, _ range: Range<Int>, _ method: Method) throws(Rejection) {
        try Self.check(view, range)
        if method != .connect, view[range.lowerBound] == UInt8(ascii: "/") {
            originForm = range
            authority = nil
        } else {
            (originForm, authority) = try Self.parts(view, range, method)
        }
    }

    /// No byte outside 0x21-0x7e, and no `#`.
    @inline(__always)
    private static func check(_ view: ByteView, _ range: Range<Int>) throws(Rejection) {
        var at = range.lowerBound
        while at + 8 <= range.upperBound {
            let word = view.word(at)
            let blank = (word &- Word.every(0x21)) & ~word
            let fragment = Word.zeroBytes(word ^ Word.every(UInt8(ascii: "#")))
            guard (word | blank | fragment) & Word.highBits == 0 else { break }
            at += 8
        }
        while at < range.upperBound {
            let byte = view[at]
            guard byte > 0x20, byte < 0x7f else { throw .targetByte }
            guard byte != UInt8(ascii: "#") else { throw .targetFragment }
            at += 1
        }
    }

    /// CONNECT's authority, or `http://authority/path`. Everything else, `*` among it, is refused.
    @inline(never)
    private static func parts(_ view: ByteView, _ range: Range<Int>, _ method: Method) throws(Rejection) -> (Range<Int>, Authority?) {
        guard method != .connect else {
            guard let authority = Authority(view, range), !authority.port.isEmpty else { throw .targetAuthority }
            return (range, authority)
        }
        var start = range.lowerBound
        while start < range.upperBound, view[start] != UInt8(ascii: ":") { start += 1 }
        let scheme = range.lowerBound..<start
        guard view.spells("http", in: scheme) || view.spells("https", in: scheme), start + 3 < range.upperBound,
            view[start + 1] == UInt8(ascii: "/"), view[start + 2] == UInt8(ascii: "/")
        else { throw .targetForm }
        start += 3
        var end = start
        while end < range.upperBound, view[end] != UInt8(ascii: "/"), view[end] != UInt8(ascii: "?") {
            guard view[end] != UInt8(ascii: "@") else { throw .targetUserinfo }
            end += 1
        }
        guard let authority = Authority(view, start..<end) else { throw .targetAuthority }
        if end == range.upperBound {
            // An empty path is `/` (RFC 9110 §4.2.3): the second slash of `//` stands for it, because a range cannot invent one.
            return (start - 1..<start, authority)
        }
        // `http://host?query` would need a slash put in between; nobody sends it.
        guard view[end] == UInt8(ascii: "/") else { throw .targetForm }
        return (end..<range.upperBound, authority)
    }
}

/// A host and a port, as `Host` and the absolute form give them (RFC 3986 §3.2), without user information.
struct Authority {
    /// The whole of it.
    let range: Range<Int>
    /// The host, an IPv6 literal with its brackets.
    let host: Range<Int>
    /// The port's digits; empty if there are none.
    let port: Range<Int>

    /// Nil when `range` is not a host and an optional port below 65536.
    init?(_ view: ByteView, _ range: Range<Int>) {
        guard !range.isEmpty, let end = Self.hostEnd(view, range) else { return nil }
        var digits = end..<end
        if end < range.upperBound {
            guard view[end] == UInt8(ascii: ":") else { return nil }
            digits = end + 1..<range.upperBound
            guard digits.count <= 5 else { return nil }
            var number = 0
            for at in digits {
                guard Byte.isDigit(view[at]) else { return nil }
                number = number * 10 + Int(view[at] - 0x30)
            }
            guard number < 65_536 else { return nil }
        }
        self.range = range
        host = range.lowerBound..<end
        port = digits
    }

    /// Where the host that begins `range` ends: before a colon, or behind a bracket. Nil when it is none.
    @inline(__always)
    private static func hostEnd(_ view: ByteView, _ range: Range<Int>) -> Int? {
        var at = range.lowerBound
        if view[at] == UInt8(ascii: "[") {
            at += 1
            while at < range.upperBound, ByteSet.internetAddress.contains(view[at]) { at += 1 }
            guard at < range.upperBound, view[at] == UInt8(ascii: "]"), at > range.lowerBound + 2 else { return nil }
            return at + 1
        }
        while at < range.upperBound, ByteSet.registeredName.contains(view[at]) {
            if view[at] == UInt8(ascii: "%") {
                guard at + 2 < range.upperBound, ByteSet.hexadecimal.contains(view[at + 1]), ByteSet.hexadecimal.contains(view[at + 2])
                else { return nil }
                at += 2
            }
            at += 1
        }
        return at > range.lowerBound ? at : nil
    }
}
