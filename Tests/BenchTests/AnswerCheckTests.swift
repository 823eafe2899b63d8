import Testing

@testable import Bench

/// Answers checked as they come.
@Suite struct AnswerCheckTests {
    private static func stream(_ count: Int, from time: Int64 = 1_000) -> [UInt8] {
        var bytes: [UInt8] = []
        for number in 1...count {
            var text = [UInt8](repeating: 0, count: EventText.capacity)
            let size = text.withUnsafeMutableBytes { EventText.write(isLast: number == count, at: time, to: $0.baseAddress!) }
            bytes += text[..<size]
        }
        return bytes
    }

    /// Reads `bytes` in the pieces that end at `cuts`.
    private func read(_ bytes: [UInt8], cuts: [Int], status: Int = 200, delays: inout Histogram) -> AnswerCheck {
        var check = AnswerCheck()
        check.status = status
        var start = 0
        for end in cuts + [bytes.count] where end > start {
            bytes[start..<end].withUnsafeBytes {
                check.take($0, at: 5_000, countsEvents: true, delays: &delays, isMeasuring: true)
            }
            start = end
        }
        return check
    }

    @Test func `Events are counted wherever the bytes are cut`() {
        let bytes = Self.stream(3)
        for cut in 1..<bytes.count {
            var delays = Histogram()
            let check = read(bytes, cuts: [cut], delays: &delays)
            #expect(check.events == 3 && check.flaw(.events(3)) == nil, "cut at \(cut)")
            // The one whose time is cut is not among them.
            #expect(delays.count >= 1 && delays.longest == 4_000, "cut at \(cut)")
        }
        var delays = Histogram()
        let check = read(bytes, cuts: Array(1..<bytes.count), delays: &delays)
        #expect(check.flaw(.events(3)) == nil)
        #expect(check.bytes == bytes.count)
    }

    @Test func `The age of each event is told`() {
        var delays = Histogram()
        _ = read(Self.stream(4), cuts: [], delays: &delays)
        #expect(delays.count == 3)
        #expect(delays.longest == 4_000)
    }

    @Test func `A stream that lacks its end, or events, is wrong`() {
        var delays = Histogram()
        let whole = Self.stream(3)
        let open = Array(whole.dropLast(2))
        #expect(read(open, cuts: [], delays: &delays).flaw(.events(3)) == .events(2, expected: 3))
        #expect(read(whole, cuts: [], delays: &delays).flaw(.events(4)) == .events(3, expected: 4))
        let headless = whole + Array("event: more\n\n".utf8)
        #expect(read(headless, cuts: [], delays: &delays).flaw(.events(4)) == .noLastEvent)
    }

    @Test(arguments: [
        (200, 3, ExpectedAnswer.success, nil), (200, 3, .bytes(3), nil), (200, 3, .bytes(4), AnswerFlaw.bytes(3, expected: 4)),
        (401, 3, .bytes(3), .status(401)), (0, 3, .success, .status(0)),
    ])
    func `Status and length are compared`(status: Int, count: Int, expectation: ExpectedAnswer, flaw: AnswerFlaw?) {
        var delays = Histogram()
        let bytes = [UInt8](repeating: 0x61, count: count)
        #expect(read(bytes, cuts: [], status: status, delays: &delays).flaw(expectation) == flaw)
    }
}
