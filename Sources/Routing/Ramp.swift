/// How many requests that were meant for others a profile takes at first, so that a switch starts no stampede which exhausts one
/// profile after the other: 4 in the first second, then twice as many in each, without limit after six.
///
/// One word, so that threads can share it: seconds since 1970 of its beginning, seconds from there to the last request, and how many
/// there were in that second.
public struct Ramp: Sendable, Equatable {
    /// The word; 0: no ramp.
    public private(set) var word: UInt64

    /// The ramp in a word.
    public init(word: UInt64 = 0) { self.word = word }

    private var start: Int64 { Int64(word >> 32) }
    private var last: Int64 { Int64(word >> 16 & 0xffff) }
    private var count: Int64 { Int64(word & 0xffff) }

    private static let firstSecond: Int64 = 4
    private static let length: Int64 = 6
    /// After so many seconds without such a request, the next one begins a ramp of its own.
    private static let forgotten: Int64 = 10

    /// Whether one more may be taken now. Milliseconds since 1970.
    public func mayTake(now: Int64) -> Bool {
        let (offset, isNew) = offset(now)
        guard !isNew, offset < Self.length, offset == last else { return true }
        return count < Self.firstSecond << offset
    }

    /// The ramp after one more.
    public func taking(now: Int64) -> Ramp {
        let (offset, isNew) = offset(now)
        if isNew { return Ramp(start: now / 1000, last: 0, count: 1) }
        return Ramp(start: start, last: offset, count: offset == last ? min(count + 1, 0xffff) : 1)
    }

    private init(start: Int64, last: Int64, count: Int64) {
        word = UInt64(start) << 32 | UInt64(min(last, 0xffff)) << 16 | UInt64(count)
    }

    private func offset(_ now: Int64) -> (seconds: Int64, isNew: Bool) {
        let offset = now / 1000 - start
        // The place for the offset has 16 bits: a ramp that is older has no more to say but that it is not forgotten.
        return (min(max(offset, 0), 0xffff), word == 0 || offset < 0 || (offset < 0xffff && offset - last > Self.forgotten))
    }
}
