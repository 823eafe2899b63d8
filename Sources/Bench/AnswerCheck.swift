internal import Glibc

/// What an answer must be.
enum ExpectedAnswer: Equatable, Sendable {
    /// Status 200.
    case success
    /// And exactly that many bytes.
    case bytes(Int)
    /// And exactly that many events, the last of which says that it is.
    case events(Int)
}

/// Why an answer is not what was expected.
enum AnswerFlaw: Error, Equatable, CustomStringConvertible {
    case status(Int)
    case bytes(Int, expected: Int)
    case events(Int, expected: Int)
    case noLastEvent

    var description: String {
        switch self {
        case .status(let status): "status \(status)"
        case .bytes(let count, let expected): "\(count) bytes instead of \(expected)"
        case .events(let count, let expected): "\(count) events instead of \(expected)"
        case .noLastEvent: "the last event is not message_stop"
        }
    }
}

/// An answer as it comes in, checked without being kept.
struct AnswerCheck {
    /// 0 until the head is here.
    var status = 0
    /// Bytes of the body.
    private(set) var bytes = 0
    /// Events, each ended by an empty line.
    private(set) var events = 0
    /// When the body's first byte came; 0 before.
    private(set) var firstByteAt: Int64 = 0
    /// The bytes so far end with one line feed, so that another would end an event.
    private var isBehindLine = false
    private var tail = InlineArray<16, UInt8>(repeating: 0)
    private var tailCount = 0

    /// Takes bytes of the body that came at `now`. With `countsEvents`, `delays` gets the age of each event whose time lies whole in them.
    @inline(__always)
    mutating func take(_ body: UnsafeRawBufferPointer, at now: Int64, countsEvents: Bool, delays: inout Histogram, isMeasuring: Bool) {
        guard let base = body.baseAddress, body.count > 0 else { return }
        if firstByteAt == 0 { firstByteAt = now }
        bytes += body.count
        guard countsEvents else { return }
        unsafe readLines(base, body.count, now, &delays, isMeasuring)
        unsafe keepTail(base, body.count)
    }

    private mutating func readLines(
        _ base: UnsafeRawPointer, _ count: Int, _ now: Int64, _ delays: inout Histogram, _ isMeasuring: Bool
    ) {
        let lineFeed = UInt8(ascii: "\n")
        var at = 0
        if isBehindLine, unsafe base.load(as: UInt8.self) == lineFeed {
            events += 1
            at = 1
        }
        isBehindLine = false
        while at < count, let end = unsafe memchr(base + at, Int32(lineFeed), count - at) {
            let stop = unsafe UnsafeRawPointer(end) - base
            if isMeasuring, let time = unsafe EventText.time(inLine: base + at, count: stop - at) { delays.add(now - time) }
            at = stop + 1
            guard at < count else {
                isBehindLine = true
                return
            }
            if unsafe base.load(fromByteOffset: at, as: UInt8.self) == lineFeed {
                events += 1
                at += 1
            }
        }
    }

    private mutating func keepTail(_ base: UnsafeRawPointer, _ count: Int) {
        let new = min(16, count)
        let kept = min(tailCount, 16 - new)
        for place in 0..<kept { tail[place] = tail[tailCount - kept + place] }
        for place in 0..<new { tail[kept + place] = unsafe base.load(fromByteOffset: count - new + place, as: UInt8.self) }
        tailCount = kept + new
    }

    /// What is wrong with the answer, now that it is complete; nil when it is as expected.
    func flaw(_ expectation: ExpectedAnswer) -> AnswerFlaw? {
        guard status == 200 else { return .status(status) }
        switch expectation {
        case .success: return nil
        case .bytes(let expected): return bytes == expected ? nil : .bytes(bytes, expected: expected)
        case .events(let expected):
            guard events == expected else { return .events(events, expected: expected) }
            return isEnded ? nil : .noLastEvent
        }
    }

    private var isEnded: Bool {
        guard tailCount == 16 else { return false }
        for place in 0..<16 where unsafe tail[place] != EventText.ending.utf8Start[place] { return false }
        return true
    }
}
