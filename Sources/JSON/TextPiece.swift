internal import CScan

/// A piece of a JSON text as it arrived, or a whole one: the only place of this module where a pointer is read.
///
/// Made at the start of a `feed` and gone with it. Accesses are checked in debug builds; in release the scanner's own loops keep
/// offsets below `count`.
@safe
struct TextPiece {
    private let base: UnsafeRawPointer
    let count: Int

    /// The bytes of `bytes`, which must outlive the piece; nil when there are none.
    @unsafe
    @inline(__always)
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return nil }
        unsafe base = start
        count = bytes.count
    }

    @inline(__always)
    subscript(at: Int) -> UInt8 {
        assert(at >= 0 && at < count)
        return unsafe base.load(fromByteOffset: at, as: UInt8.self)
    }

    /// The first quote or backslash in `start..<limit`, or `limit`: where the plain part of a string ends.
    @inline(__always)
    func endOfPlain(from start: Int, to limit: Int) -> Int {
        var at = start
        while at + 8 <= limit {
            let hits = Self.matches(word(at), .quote) | Self.matches(word(at), .backslash)
            if hits != 0 { return at + hits.trailingZeroBitCount >> 3 }
            at += 8
        }
        while at < limit, self[at] != .quote, self[at] != .backslash { at += 1 }
        return at
    }

    /// The first quote, backslash or control character from `start` on, or `count`: what a string may not hold as it is (RFC 8259 §7).
    @inline(__always)
    func endOfUnescaped(from start: Int) -> Int {
        var at = start
        while at + 8 <= count {
            let word = word(at)
            let control = (word &- Self.every(0x20)) & ~word & Self.every(0x80)
            let hits = control | Self.matches(word, .quote) | Self.matches(word, .backslash)
            if hits != 0 { return at + hits.trailingZeroBitCount >> 3 }
            at += 8
        }
        while at < count, self[at] != .quote, self[at] != .backslash, self[at] >= 0x20 { at += 1 }
        return at
    }

    /// The first quote, bracket or brace from `start` on, or `count`: what counts inside a value that nobody wants.
    @inline(__always)
    func endOfFiller(from start: Int) -> Int {
        var at = start
        while at + 8 <= count {
            // 0x20 apart: `[` and `{`, `]` and `}`.
            let folded = word(at) | Self.every(0x20)
            let hits = Self.matches(word(at), .quote) | Self.matches(folded, .openBrace) | Self.matches(folded, .closeBrace)
            if hits != 0 { return at + hits.trailingZeroBitCount >> 3 }
            at += 8
        }
        while at < count, !Self.countsInFiller(self[at]) { at += 1 }
        return at
    }

    /// The first byte from `start` on that is no white space (RFC 8259 §2), or `count`.
    @inline(__always)
    func endOfSpace(from start: Int) -> Int {
        var at = start
        while at < count {
            let byte = self[at]
            guard byte == .space || byte == .lineFeed || byte == .carriageReturn || byte == .tab else { break }
            at += 1
        }
        return at
    }

    @inline(__always)
    private static func countsInFiller(_ byte: UInt8) -> Bool {
        byte == .quote || byte | 0x20 == .openBrace || byte | 0x20 == .closeBrace
    }

    // MARK: 64 bytes at a time

    /// Whether any of the 64 bytes at `at` is a quote or a backslash.
    @inline(__always)
    func hasQuoteOrBackslash(at: Int) -> Bool {
        assert(at >= 0 && at + 64 <= count)
        return unsafe kb_has_quote_or_backslash(base + at) != 0
    }

    /// Which of the 64 bytes at `at` are quotes, backslashes and brackets.
    @inline(__always)
    func masks(at: Int) -> kb_masks {
        assert(at >= 0 && at + 64 <= count)
        return unsafe kb_masks_of(base + at)
    }

    // MARK: Eight bytes at a time

    /// Eight bytes, the first one in the low end.
    @inline(__always)
    private func word(_ at: Int) -> UInt64 {
        assert(at >= 0 && at + 8 <= count)
        return UInt64(littleEndian: unsafe base.loadUnaligned(fromByteOffset: at, as: UInt64.self))
    }

    @inline(__always)
    private static func every(_ byte: UInt8) -> UInt64 { 0x0101_0101_0101_0101 &* UInt64(byte) }

    /// The top bit of each byte of `word` that is `byte`; bits above the lowest one set may be wrong, the lowest is exact.
    @inline(__always)
    private static func matches(_ word: UInt64, _ byte: UInt8) -> UInt64 {
        let difference = word ^ every(byte)
        return (difference &- every(1)) & ~difference & every(0x80)
    }
}
