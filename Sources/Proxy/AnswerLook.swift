internal import HTTP
internal import JSON
internal import Routing
internal import Sockets

/// A bounded look at the beginning of an answer that names something which the provider keeps for this account: `id`, or in an event
/// stream `response.id` of the first event. It reads a copy: nothing is held back for it.
struct AnswerLook: ~Copyable {
    enum Stage { case none, object, events }
    private(set) var stage = Stage.none
    /// Coded, it is looked at as far as what has been copied can be decoded.
    private(set) var coding = ContentCoding.identity
    private var copy: ByteQueue
    private var scanner: Pooled<MemberScanner>
    /// Where the object begins in the copy; -1 before an event's data has come.
    private var start = -1

    /// What is copied at most.
    static var limit: Int { 4 << 10 }
    private static var wanted: MemberScanner.Wanted { MemberScanner.Wanted(top: ["id", "response", "", "", ""], inside: "id") }

    init(pool: BufferPool) {
        copy = ByteQueue(pool: pool)
        scanner = Pooled(pool: pool)
    }

    var isActive: Bool { stage != .none }

    mutating func begin(_ stage: Stage, _ coding: ContentCoding = .identity) {
        self.stage = stage
        self.coding = coding
        scanner.hold(MemberScanner(Self.wanted))
        start = stage == .object ? 0 : -1
    }

    mutating func end() {
        stage = .none
        copy.release()
        scanner.release()
    }

    /// Copies more of a coded answer. True when no more will be copied.
    mutating func hold(_ run: RawSpan) -> Bool {
        copy.append(run.extracting(0..<min(run.byteCount, Self.limit - copy.count)))
        return copy.count >= Self.limit
    }

    /// Reads on. True once `id` is there; the look is over without it when it has seen enough.
    mutating func feed(_ run: RawSpan) -> Bool {
        let part = run.extracting(0..<min(run.byteCount, Self.limit - copy.count))
        copy.append(part)
        if start >= 0 { scanner.value.feed(part) } else { findData() }
        if id != nil { return true }
        if scanner.value.isOver || copy.count >= Self.limit { end() }
        return false
    }

    /// Where the id stands in `text`, without its quotes.
    var id: Range<Int>? {
        guard scanner.isHeld else { return nil }
        for index in 0..<2 where scanner.value[index].isString && !scanner.value[index].isEscaped {
            let range = scanner.value[index].range
            return range.lowerBound + start..<range.upperBound + start
        }
        return nil
    }

    /// What has been copied; valid until the next `feed`.
    var text: UnsafeRawBufferPointer { unsafe copy.bytes }

    /// The first line that begins with `data:` (WHATWG HTML, §9.2.6).
    private mutating func findData() {
        let bytes = unsafe RawSpan(_unsafeBytes: copy.bytes)
        var line = 0
        while line + Self.data.count <= bytes.byteCount {
            if FieldText.equals(bytes, line..<line + Self.data.count, Self.data) {
                start = line + Self.data.count
                scanner.value.feed(bytes.extracting(start..<bytes.byteCount))
                return
            }
            while line < bytes.byteCount, FieldText.byte(bytes, line) != 0x0a { line += 1 }
            line += 1
        }
    }
    private static let data = Array("data:".utf8)
}

// MARK: - What an answer teaches

extension Worker {
    /// The answer's head goes to the client: its session has been served by this profile, and the body may name something to remember.
    mutating func learnFromHead(_ id: Int32, _ head: RawSpan) {
        guard exchanges[id].response.status < 400, let candidate = exchanges[id].candidate else { return }
        if exchanges[id].session != .none, !exchanges[id].isPinned {
            let finds = exchanges[id].findsHome
            shared.affinities.served(exchanges[id].session, by: candidate.poolKey, findsHome: finds, now: wall)
        }
        guard exchanges[id].response.status < 300, exchanges[id].head.method == .post, makesSomething(id) else { return }
        guard let coding = answerCoding(id, head), let type = exchanges[id].response.first(.contentType) else { return }
        if MediaType.isJSON(head, type.valueRange) {
            exchanges[id].answerLook.begin(.object, coding)
        } else if MediaType.isEventStream(head, type.valueRange) {
            exchanges[id].answerLook.begin(.events, coding)
        }
    }

    private func makesSomething(_ id: Int32) -> Bool {
        let bytes = unsafe RawSpan(_unsafeBytes: exchanges[id].headBytes.bytes)
        let target = unsafe bytes.extracting(exchanges[id].head.target)._unsafeView(as: UInt8.self)
        return StoredPath.find(in: target, from: exchanges[id].restStart) == .collection
    }

    mutating func learnFromBody(_ id: Int32, _ run: RawSpan) {
        if exchanges[id].answerLook.coding != .identity { return learnFromCoded(id, run) }
        guard exchanges[id].answerLook.feed(run) else { return }
        if let range = exchanges[id].answerLook.id {
            keep(id, unsafe RawSpan(_unsafeBytes: exchanges[id].answerLook.text).extracting(range))
        }
        exchanges[id].answerLook.end()
    }

    private mutating func learnFromCoded(_ id: Int32, _ run: RawSpan) {
        let isFull = exchanges[id].answerLook.hold(run)
        var plain = ByteQueue(pool: pool)
        let outcome = unsafe decoder.decode(
            exchanges[id].answerLook.text, as: exchanges[id].answerLook.coding, into: &plain, limit: AnswerLook.limit)
        var look = AnswerLook(pool: pool)
        look.begin(exchanges[id].answerLook.stage)
        let isFound = look.feed(unsafe RawSpan(_unsafeBytes: plain.bytes))
        if isFound, let range = look.id { keep(id, unsafe RawSpan(_unsafeBytes: look.text).extracting(range)) }
        if isFound || isFull || outcome != .partial { exchanges[id].answerLook.end() }
    }

    /// What is called so is with this profile.
    private func keep(_ id: Int32, _ name: RawSpan) {
        guard let candidate = exchanges[id].candidate else { return }
        shared.affinities.keep(affinity(id, .stored, name), by: candidate.poolKey, now: wall)
    }
}
