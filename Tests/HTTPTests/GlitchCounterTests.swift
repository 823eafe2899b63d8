import HTTP
import Testing

@Suite struct GlitchCounterTests {
    @Test func aThousandAtOnceAreLetPassAndNoMore() {
        var counter = GlitchCounter()
        let all = (0..<1_001).map { _ in counter.add(at: 5) }
        #expect(all == Array(repeating: true, count: 1_000) + [false])
    }

    @Test func aHundredASecondAreForgotten() {
        var counter = GlitchCounter()
        for _ in 0..<1_000 { _ = counter.add(at: 0) }
        let later = (0..<101).map { _ in counter.add(at: 1_000) }
        #expect(later == Array(repeating: true, count: 100) + [false])
    }

    @Test func aClockThatStandsStillForgetsNothing() {
        var counter = GlitchCounter()
        for _ in 0..<1_000 { _ = counter.add(at: 10) }
        let isLetPass = counter.add(at: 3)
        #expect(!isLetPass)
    }
}
