/// What a request asks of its answer by `Sandbox-*` fields, for benches and memory tests.
struct Steering: Sendable, Equatable {
    /// How a fixed body is delimited.
    enum Framing: String, Sendable {
        /// Content-Length.
        case length
        /// Transfer-Encoding: chunked.
        case chunked
        /// The end of the connection (RFC 9112 §6.3, rule 8).
        case close
    }

    /// `Sandbox-Events`: how many deltas a stream has.
    var events: Int?
    /// `Sandbox-Event-Bytes`: text is padded to this many bytes per delta.
    var eventBytes: Int?
    /// `Sandbox-Interval`: pause before every delta (`20ms`, `500us`, `1s`; a bare number is milliseconds).
    var interval: Duration?
    /// `Sandbox-Bytes`: the answer is this many bytes of `Pattern` instead of JSON.
    var bytes: Int64?
    /// `Sandbox-Framing`: `length`, `chunked` or `close`.
    var framing = Framing.length
    /// `Sandbox-Timestamps: 1`: each delta's text is `t=<CLOCK_MONOTONIC in ns> `, taken when it is written.
    var timestamps = false

    init(_ request: Request) {
        events = request.value(of: "sandbox-events").flatMap { Int($0) }.map { max(1, $0) }
        eventBytes = request.value(of: "sandbox-event-bytes").flatMap { Int($0) }
        interval = request.value(of: "sandbox-interval").flatMap(Self.duration)
        bytes = request.value(of: "sandbox-bytes").flatMap { Int64($0) }.map { max(0, $0) }
        framing = request.value(of: "sandbox-framing").flatMap(Framing.init) ?? .length
        timestamps = request.value(of: "sandbox-timestamps") == "1"
    }

    /// Reads `250us`, `20ms`, `1.5s` or a bare number of milliseconds.
    static func duration(_ text: String) -> Duration? {
        let units: [(suffix: String, seconds: Double)] = [("us", 1e-6), ("ms", 1e-3), ("s", 1)]
        let unit = units.first { text.hasSuffix($0.suffix) }
        guard let number = Double(text.dropLast(unit?.suffix.count ?? 0)), number.isFinite, (0...86_400_000).contains(number) else {
            return nil
        }
        return .seconds(number * (unit?.seconds ?? 1e-3))
    }
}

/// The text of an answer, in the pieces in which a stream sends it.
struct Pieces: Sendable {
    private let words: [String]
    private let bytes: Int
    private let timestamps: Bool
    let count: Int

    /// - Parameter account: named in the text as the one that paid.
    init(account: String, steering: Steering) {
        words = ["Hello", " from", " account", " \(account)", "."]
        count = steering.events ?? words.count
        bytes = steering.eventBytes ?? 0
        timestamps = steering.timestamps
    }

    /// The text of one delta. Fewer deltas than words: the last one takes the rest. More: the text goes on.
    ///
    /// - Parameter now: nanoseconds on the monotonic clock, for time-stamped streams.
    func text(at index: Int, now: Int64) -> String {
        if timestamps { return "t=\(now) " }
        var text = index < words.count ? words[index] : " \(index + 1)"
        if index == count - 1, count < words.count { text = words[index...].joined() }
        let missing = bytes - text.utf8.count
        return missing > 0 ? text + String(repeating: "~", count: missing) : text
    }

    /// The whole text of a plain answer.
    func whole(now: Int64) -> String {
        (0..<count).map { text(at: $0, now: now) }.joined()
    }
}

/// The bytes of a large download: byte `i` is `i % 251`. A prime period shows any lost, doubled or moved block.
enum Pattern {
    /// The most that is handed out at once.
    static let blockSize = 1 << 16

    private static let table = (0..<(blockSize + 251)).map { UInt8($0 % 251) }

    /// At most `blockSize` bytes as they stand at `offset` of the download.
    static func block(at offset: Int64, count: Int64) -> ArraySlice<UInt8> {
        let start = Int(offset % 251)
        return table[start..<start + Int(min(count, Int64(blockSize)))]
    }
}
