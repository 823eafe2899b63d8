internal import Configuration
internal import HTTP
internal import Routing
internal import Sockets

/// What was found out of an answer before it is delivered: a refusal's codes, or a refusal hidden in a stream's first event.
struct RefusalLook {
    enum State { case notBegun, waiting, over }
    var state = State.notBegun
    var meaning = RefusalMeaning.unknown
    /// When the provider's body says that it will be over.
    var resetsAt: Int64?
    /// A 200 whose first event is a refusal.
    var isRefusedStream = false

    /// Of a refusal's body.
    static var bodyBytes: Int { 64 << 10 }
    static var bodyMilliseconds: Int64 { 1_000 }
    /// Of a stream (DESIGN §8).
    static var streamBytes: Int { 16 << 10 }
    static var streamMilliseconds: Int64 { 300 }

    static let eventStream = Array("text/event-stream".utf8)
}

// MARK: - The look at an answer that may be a refusal (DESIGN §8)

extension Worker {
    /// Looks at what follows a final head. True: more has to come before it can be decided what becomes of the answer; nothing of it is used
    /// until then, and what is delivered in the end are these very bytes.
    mutating func awaitsMore(_ id: Int32, _ fd: Int32, head: RawSpan, body: RawSpan) -> Bool {
        guard exchanges[id].refusalLook.state != .over else { return false }
        let status = exchanges[id].response.status
        let isStream = status == 200
        if isStream {
            guard origins[exchanges[id].origin].watchesStreams, mayMoveStream(id, head) else { return false }
        } else {
            guard Failover.isRefusal(status), exchanges[id].candidate != nil else { return false }
        }
        guard let coding = answerCoding(id, head), coding == .identity || !isStream else { return false }
        let (text, isWhole) = gathered(id, body, limit: isStream ? RefusalLook.streamBytes : RefusalLook.bodyBytes)
        let event = isStream ? FirstEvent(text) : nil
        let isKnown = isStream ? event != nil || isWhole : isWhole
        if !isKnown, waits(id, fd, isStream ? RefusalLook.streamMilliseconds : RefusalLook.bodyMilliseconds) { return true }
        if isStream { conclude(id, event) } else { conclude(id, RefusalText(plain(text, coding), now: wall)) }
        return false
    }

    /// Whether there is time left to wait.
    private mutating func waits(_ id: Int32, _ fd: Int32, _ milliseconds: Int64) -> Bool {
        if exchanges[id].refusalLook.state == .notBegun {
            exchanges[id].refusalLook.state = .waiting
            upstreams[fd].deadline = now + milliseconds
            looking += 1
            return true
        }
        return now < upstreams[fd].deadline
    }

    /// The time is over, or nothing more will come: what there is has to do.
    mutating func endLook(_ id: Int32, _ fd: Int32) {
        upstreams[fd].deadline = .min
        feedUpstream(fd, RawSpan())
    }

    /// Stops waiting, whatever the reason.
    mutating func leaveLook(_ id: Int32) {
        if exchanges[id].refusalLook.state == .waiting { looking -= 1 }
        exchanges[id].refusalLook = RefusalLook()
    }

    private mutating func conclude(_ id: Int32, _ refusal: RefusalText) {
        exchanges[id].refusalLook.meaning = exchanges[id].setup.settings.providers[exchanges[id].provider].failover.meaning(
            ofCodes: refusal.codes)
        exchanges[id].refusalLook.resetsAt = refusal.resetsAt
        over(id)
    }

    private mutating func conclude(_ id: Int32, _ event: FirstEvent?) {
        over(id)
        let rules = exchanges[id].setup.settings.providers[exchanges[id].provider].failover
        guard let event, rules.streamErrors.contains(event.name) else { return }
        let refusal = RefusalText(event.data, now: wall)
        let meaning = rules.meaning(ofCodes: refusal.codes)
        guard meaning != .unknown else { return }
        exchanges[id].refusalLook.meaning = meaning
        exchanges[id].refusalLook.resetsAt = refusal.resetsAt
        exchanges[id].refusalLook.isRefusedStream = true
    }

    private mutating func over(_ id: Int32) {
        if exchanges[id].refusalLook.state == .waiting { looking -= 1 }
        exchanges[id].refusalLook.state = .over
    }

    /// Only where another candidate could serve in its place.
    private func mayMoveStream(_ id: Int32, _ head: RawSpan) -> Bool {
        guard !exchanges[id].isPinned, (exchanges[id].lineup?.entrants.count ?? 0) > 1 else { return false }
        guard exchanges[id].replay.isWhole || exchanges[id].request.byteCount == 0 else { return false }
        guard exchanges[id].attempts.count < Failover.maximumAttempts else { return false }
        guard let type = exchanges[id].response.first(.contentType) else { return false }
        return FieldText.begins(head, type.valueRange, with: RefusalLook.eventStream)
    }

    /// How the answer's body is coded; nil when that cannot be undone here.
    func answerCoding(_ id: Int32, _ head: RawSpan) -> ContentCoding? {
        guard let coding = exchanges[id].response.first(.contentEncoding) else { return .identity }
        return exchanges[id].response.containsTwice(.contentEncoding) ? nil : ContentCoding(head, coding.valueRange)
    }

    /// A refusal's text, as far as it can be read.
    private mutating func plain(_ coded: [UInt8], _ coding: ContentCoding) -> [UInt8] {
        guard coding != .identity else { return coded }
        var text = ByteQueue(pool: pool)
        _ = unsafe coded.withUnsafeBytes { unsafe decoder.decode($0, as: coding, into: &text, limit: RefusalLook.bodyBytes) }
        return unsafe Array(text.bytes)
    }

    /// The body so far without its framing, and whether that is all that is wanted.
    private func gathered(_ id: Int32, _ body: RawSpan, limit: Int) -> (text: [UInt8], isWhole: Bool) {
        var reader = MessageBody(pool: pool)
        reader.begin(exchanges[id].response.framing)
        var text: [UInt8] = []
        var at = 0
        while !reader.isComplete, text.count < limit {
            switch reader.next(body, from: at) {
            case .data(let start, let count, let next):
                let taken = min(count, limit - text.count)
                unsafe body.extracting(start..<start + taken).withUnsafeBytes { unsafe text.append(contentsOf: $0) }
                at = next
            case .trailers(_, _, let next), .ended(let next): at = next
            case .starved: return (text, false)
            case .broken: return (text, true)
            }
        }
        return (text, true)
    }
}

/// The first event of a stream (WHATWG HTML §9.2.6): its name and its data.
struct FirstEvent {
    let name: String
    let data: [UInt8]

    /// Nil while the event is not complete. A comment alone is no event.
    init?(_ text: [UInt8]) {
        var name = ""
        var data: [UInt8] = []
        var start = 0
        while let end = text[start...].firstIndex(where: { $0 == 10 || $0 == 13 }) {
            let line = text[start..<end]
            start = end + 1
            if text[end] == 13, start < text.count, text[start] == 10 { start += 1 }
            if line.isEmpty {
                guard data.isEmpty && name.isEmpty else {
                    self.name = name.isEmpty ? "message" : name
                    self.data = data
                    return
                }
                continue
            }
            let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
            var value = colon < line.endIndex ? line[(colon + 1)...] : []
            if value.first == 0x20 { value = value.dropFirst() }
            switch String(decoding: line[..<colon], as: UTF8.self) {
            case "event": name = String(decoding: value, as: UTF8.self)
            case "data": data += (data.isEmpty ? [] : [10]) + value
            default: break
            }
        }
        return nil
    }
}
