import Testing

@testable import Bench

/// Durations counted in steps.
@Suite struct HistogramTests {
    @Test(arguments: [
        ([5], 0.5, 5), ([1, 2, 3, 4], 0.5, 3), ([1, 2, 3, 4], 0, 1), ([1, 2, 3, 4], 0.99, 4), ([4, 3, 2, 1], 1, 4),
        (Array(1...100), 0.5, 51), (Array(1...100), 0.9, 91), (Array(1...100), 0.99, 100), ([0, -7], 1, 0),
    ])
    func `A share is that of the durations in order`(durations: [Int64], share: Double, expected: Int64) {
        var histogram = Histogram()
        for duration in durations { histogram.add(duration) }
        #expect(histogram.duration(at: share) == expected)
        #expect(histogram.count == durations.count)
    }

    @Test func `Of nothing there is no share`() {
        #expect(Histogram().duration(at: 0.5) == nil)
        #expect(Histogram().mean == 0)
    }

    @Test func `Long durations are told to within 0_8 per cent, and the longest exactly`() {
        var value: Int64 = 1
        while value < 1_000_000_000_000 {
            var histogram = Histogram()
            histogram.add(value)
            histogram.add(value * 3)
            let told = histogram.duration(at: 0) ?? 0
            #expect(abs(told - value) * 1_000 <= value * 8, "\(value) is told as \(told)")
            #expect(histogram.longest == value * 3)
            #expect(histogram.mean == Double(value) * 2)
            value = value * 7 / 4 + 1
        }
    }

    @Test func `What is beyond all steps is still counted`() {
        var histogram = Histogram()
        histogram.add(.max)
        #expect(histogram.longest == .max)
        #expect(histogram.duration(at: 0.5) ?? 0 >= 1 << 40)
    }
}
