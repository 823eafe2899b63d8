internal import CScan

/// Passes over what nobody wants, 64 bytes at a time, by arithmetic on bit masks: escapes, strings and depth without a branch a byte.
///
/// The method is simdjson's (Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019, §3.1). In a text that is not JSON, with a
/// backslash outside of strings, it may see other strings than the scanner does byte by byte; no provider takes such a text.
struct BlockReader {
    static var size: Int { 64 }

    /// At the end of the last block: inside a string; behind a backslash that escapes the next byte.
    var isInString: Bool
    private(set) var isEscaped = false
    /// A backslash has been passed in this string (`passOverString` only).
    private(set) var sawBackslash = false

    init(isInString: Bool) { self.isInString = isInString }

    /// To the closing quote of the string that is open, or to where no whole block is left.
    mutating func passOverString(_ text: TextPiece, from start: Int) -> Int {
        var at = start
        while at + Self.size <= text.count {
            if !isEscaped, !text.hasQuoteOrBackslash(at: at) {
                at += Self.size
                continue
            }
            let masks = text.masks(at: at)
            var carry = isEscaped
            let quotes = masks.quotes & ~Self.escaped(masks.backslashes, &carry)
            guard quotes == 0 else {
                let end = quotes.trailingZeroBitCount
                if masks.backslashes & ((1 << UInt64(end)) &- 1) != 0 { sawBackslash = true }
                isEscaped = false
                return at + end
            }
            if masks.backslashes != 0 { sawBackslash = true }
            isEscaped = carry
            at += Self.size
        }
        return at
    }

    /// To the block in which `depth` may come back to 1, or to where no whole block is left.
    mutating func passOverNested(_ text: TextPiece, from start: Int, depth: inout Int) -> Int {
        var at = start
        while at + Self.size <= text.count {
            if isInString, !isEscaped, !text.hasQuoteOrBackslash(at: at) {
                at += Self.size
                continue
            }
            let masks = text.masks(at: at)
            var carry = isEscaped
            let quotes = masks.quotes & ~Self.escaped(masks.backslashes, &carry)
            let inside = Self.parity(quotes) ^ (isInString ? .max : 0)
            guard Self.walk(masks.opens & ~inside, masks.closes & ~inside, &depth) else { return at }
            isInString = inside >> 63 != 0
            isEscaped = carry
            at += Self.size
        }
        return at
    }

    /// Counts a block's brackets; false, with `depth` as it was, when that comes back to 1 among them.
    @inline(__always)
    private static func walk(_ opens: UInt64, _ closes: UInt64, _ depth: inout Int) -> Bool {
        let count = closes.nonzeroBitCount
        if depth - count > 1 {
            depth += opens.nonzeroBitCount - count
            return true
        }
        var here = depth
        var brackets = opens | closes
        while brackets != 0 {
            let lowest = brackets & (~brackets &+ 1)
            here += opens & lowest != 0 ? 1 : -1
            if here == 1 { return false }
            brackets ^= lowest
        }
        depth = here
        return true
    }

    /// Which bytes are escaped: those behind an odd run of backslashes. `carry`: the first byte is, and then the one after the block.
    @inline(__always)
    private static func escaped(_ backslashes: UInt64, _ carry: inout Bool) -> UInt64 {
        let first: UInt64 = carry ? 1 : 0
        guard backslashes != 0 else {
            carry = false
            return first
        }
        let odd: UInt64 = 0xAAAA_AAAA_AAAA_AAAA
        let starts = backslashes & ~first
        let codes = (((starts << 1) | odd) &- starts) ^ odd
        carry = (codes & backslashes) >> 63 != 0
        return codes ^ (backslashes | first)
    }

    /// For each bit, whether an odd number of bits is set up to it: a quote and all behind it, up to the next.
    @inline(__always)
    private static func parity(_ bits: UInt64) -> UInt64 {
        var sum = bits
        sum ^= sum << 1
        sum ^= sum << 2
        sum ^= sum << 4
        sum ^= sum << 8
        sum ^= sum << 16
        sum ^= sum << 32
        return sum
    }
}
