/// How often each duration was seen, in room that does not grow: exact below 256 ns, and beyond that to within 0.8 %.
///
///     0 … 255 │ 256 … 511 by 2 │ 512 … 1,023 by 4 │ … each doubling has 128 steps
struct Histogram {
    /// Beyond it, 18 minutes, nothing is told apart.
    private static let limit: Int64 = 1 << 40
    private var counts: [Int]
    /// Durations added.
    private(set) var count = 0
    /// The longest one, in nanoseconds.
    private(set) var longest: Int64 = 0
    private var sum = 0.0

    /// Nothing has been added.
    init() { counts = [Int](repeating: 0, count: Self.index(of: Self.limit) + 1) }

    /// Counts a duration in nanoseconds.
    @inline(__always)
    mutating func add(_ nanoseconds: Int64) {
        let value = max(0, nanoseconds)
        counts[Self.index(of: min(value, Self.limit))] += 1
        count += 1
        sum += Double(value)
        longest = max(longest, value)
    }

    /// The mean; 0 of nothing.
    var mean: Double { count == 0 ? 0 : sum / Double(count) }

    /// The duration that the share `quantile` (0…1) of all do not exceed; nil of nothing.
    func duration(at quantile: Double) -> Int64? {
        guard count > 0 else { return nil }
        let rank = min(count - 1, Int(quantile * Double(count)))
        var seen = 0
        for (index, number) in counts.enumerated() where number > 0 {
            seen += number
            if seen > rank { return min(longest, Self.middle(of: index)) }
        }
        return longest
    }

    /// The step that holds `value`: the power of two above 128, and the seven bits behind its first one.
    @inline(__always)
    private static func index(of value: Int64) -> Int {
        let shift = max(0, 56 - value.leadingZeroBitCount)
        return shift << 7 + Int(value >> Int64(shift))
    }
    /// The middle of a step.
    private static func middle(of index: Int) -> Int64 {
        guard index >= 256 else { return Int64(index) }
        let shift = index >> 7 - 1
        return Int64(index - shift << 7) << Int64(shift) + Int64(1) << Int64(shift - 1)
    }
}
