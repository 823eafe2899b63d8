internal import Glibc

/// What a request asks the stub upstream for, read from its target. Pure.
///
///     /v1/…                        2 KiB of JSON
///     /sse?n=N[&ms=M][&idle=1]     N events, the last of them `message_stop`: at once, or M ms apart; with `idle=1` the first and no other
///     /download?bytes=N            N bytes
///
/// A proxy under test may put its own path in front.
struct StubRequest: Equatable {
    enum Kind { case json, events, download, refusal }

    let kind: Kind
    /// 200, or why it is refused.
    let status: Int
    /// Events, or bytes of the body.
    let count: Int
    /// Milliseconds from one event to the next; 0: all at once.
    let pace: Int
    /// The stream is left open after its first event.
    let isHeld: Bool

    /// Bytes of the JSON answer.
    static let jsonSize = 2048
    /// The body of every refusal.
    static var refusalText: StaticString { "denied" }

    /// Reads `target`.
    init(_ target: UnsafeRawBufferPointer) {
        let text = unsafe TargetText(target)
        if text.contains("/sse") {
            let pace = text.number(after: "ms=") ?? 0
            self.init(.events, count: text.number(after: "n=") ?? 10, pace: pace, isHeld: text.contains("idle=1"))
        } else if text.contains("/download") {
            self.init(.download, count: text.number(after: "bytes=") ?? 1 << 20)
        } else if text.contains("/v1/") {
            self.init(.json, count: Self.jsonSize)
        } else {
            self.init(refusing: 404)
        }
    }

    /// A refusal.
    init(refusing status: Int) {
        self.init(.refusal, status: status, count: Self.refusalText.utf8CodeUnitCount)
    }

    private init(_ kind: Kind, status: Int = 200, count: Int, pace: Int = 0, isHeld: Bool = false) {
        self.kind = kind
        self.status = status
        self.count = max(1, count)
        self.pace = pace
        self.isHeld = isHeld
    }

    /// Events that may be sent with the head.
    var eventsAtOnce: Int { pace > 0 || isHeld ? 1 : count }
}

/// The few questions that are asked of a target.
@safe
private struct TargetText {
    private let text: UnsafeRawBufferPointer
    private let count: Int

    init(_ text: UnsafeRawBufferPointer) {
        unsafe self.text = unsafe text
        count = text.count
    }

    func contains(_ part: StaticString) -> Bool { place(of: part) != nil }

    /// The number behind `name`, which begins a member of the query; not more than fits the counters.
    func number(after name: StaticString) -> Int? {
        guard let start = place(of: name, isMember: true) else { return nil }
        var at = start + name.utf8CodeUnitCount
        var value = 0
        while at < count, case let digit = unsafe text[at] &- UInt8(ascii: "0"), digit < 10, value < 1 << 50 {
            value = value * 10 + Int(digit)
            at += 1
        }
        return value
    }

    private func place(of part: StaticString, isMember: Bool = false) -> Int? {
        let size = part.utf8CodeUnitCount
        guard count >= size, let base = unsafe text.baseAddress else { return nil }
        for at in 0...count - size where unsafe memcmp(base + at, part.utf8Start, size) == 0 {
            if !isMember { return at }
            if at > 0, case let before = unsafe text[at - 1], before == UInt8(ascii: "?") || before == UInt8(ascii: "&") { return at }
        }
        return nil
    }
}
