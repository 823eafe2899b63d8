/// The bytes that a parser looks at: the only place of the codec where a pointer is read.
///
/// A view is made at the start of a `parse` or `next` and dies with it. Every access is checked in debug builds; in release the parsers'
/// own loops are what keeps an offset below `count`.
@safe
struct ByteView {
    private let base: UnsafeRawPointer
    let count: Int

    /// The first `limit` bytes of `bytes`, which must outlive the view; nil when there are none.
    @unsafe
    @inline(__always)
    init?(_ bytes: UnsafeRawBufferPointer, limit: Int = .max) {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return nil }
        unsafe base = start
        count = min(bytes.count, limit)
    }

    /// The bytes of a literal, which live as long as the program.
    @inline(__always)
    init(_ text: StaticString) {
        unsafe base = UnsafeRawPointer(text.utf8Start)
        count = text.utf8CodeUnitCount
    }

    @inline(__always)
    subscript(at: Int) -> UInt8 {
        assert(at >= 0 && at < count)
        return unsafe base.load(fromByteOffset: at, as: UInt8.self)
    }

    /// Eight bytes, the first one in the low end.
    @inline(__always)
    func word(_ at: Int) -> UInt64 {
        assert(at >= 0 && at + 8 <= count)
        return UInt64(littleEndian: unsafe base.loadUnaligned(fromByteOffset: at, as: UInt64.self))
    }

    @inline(__always)
    private func halfWord(_ at: Int) -> UInt32 {
        assert(at >= 0 && at + 4 <= count)
        return unsafe base.loadUnaligned(fromByteOffset: at, as: UInt32.self)
    }

    // MARK: Eight bytes at a time

    /// The first control byte other than HTAB at or after `start`, or `count`.
    ///
    /// One pass that finds the end of a line and proves that no NUL, bare CR, bare LF or other control byte is in it.
    @inline(__always)
    func firstControl(from start: Int) -> Int {
        var at = start
        while at + 8 <= count {
            let word = word(at)
            // The lowest marked byte is exact: a borrow only disturbs the bytes above a true hit.
            let below = (word &- Word.every(0x20)) & ~word
            let delete = Word.zeroBytes(word ^ Word.every(0x7f))
            let hits = (below | delete) & Word.highBits
            guard hits != 0 else {
                at += 8
                continue
            }
            at += hits.trailingZeroBitCount >> 3
            guard self[at] == Byte.tab else { return at }
            at += 1
        }
        while at < count, !Byte.isControl(self[at]) || self[at] == Byte.tab { at += 1 }
        return at
    }

    /// Whether `byte` occurs in `range`.
    @inline(__always)
    func contains(_ byte: UInt8, in range: Range<Int>) -> Bool {
        var at = range.lowerBound
        while at + 8 <= range.upperBound {
            if Word.zeroBytes(word(at) ^ Word.every(byte)) & Word.highBits != 0 { return true }
            at += 8
        }
        while at < range.upperBound {
            if self[at] == byte { return true }
            at += 1
        }
        return false
    }

    // MARK: Comparing

    /// Whether `range` spells `text`, which is lower case and made of letters, digits and hyphens, in any case.
    ///
    /// Setting bit 0x20 maps nothing but a letter's other case, or a control byte, to such a character; control bytes never get here.
    @inline(__always)
    func spells(_ text: StaticString, in range: Range<Int>) -> Bool {
        let other = ByteView(text)
        let length = other.count
        guard range.count == length else { return false }
        let start = range.lowerBound
        if length >= 8 {
            var at = 0
            while at + 8 < length {
                if word(start + at) | Word.every(0x20) != other.word(at) { return false }
                at += 8
            }
            at = length - 8
            return word(start + at) | Word.every(0x20) == other.word(at)
        }
        if length >= 4 {
            let last = length - 4
            return halfWord(start) | 0x2020_2020 == other.halfWord(0) && halfWord(start + last) | 0x2020_2020 == other.halfWord(last)
        }
        for at in 0..<length where self[start + at] | 0x20 != other[at] { return false }
        return true
    }

    /// Whether the bytes from `start` on are those of `text`.
    @inline(__always)
    func begins(with text: StaticString, at start: Int) -> Bool {
        let other = ByteView(text)
        guard start + other.count <= count else { return false }
        for at in 0..<other.count where self[start + at] != other[at] { return false }
        return true
    }

    /// Whether the two ranges hold the same bytes but for the case of letters.
    func equalIgnoringCase(_ first: Range<Int>, _ second: Range<Int>) -> Bool {
        guard first.count == second.count else { return false }
        for offset in 0..<first.count
        where Byte.lowercased(self[first.lowerBound + offset]) != Byte.lowercased(self[second.lowerBound + offset]) {
            return false
        }
        return true
    }

    /// `range` without the spaces and tabs at its ends (OWS, RFC 9110 §5.6.3).
    @inline(__always)
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, Byte.isBlank(self[start]) { start += 1 }
        while end > start, Byte.isBlank(self[end - 1]) { end -= 1 }
        return start..<end
    }
}
