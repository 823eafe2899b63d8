internal import CLinux
internal import Glibc

/// Writes one answer as it is made, and plays the faults that concern the wire.
struct ResponseWriter {
    /// How an answer went out.
    enum Outcome: Equatable {
        /// Complete; the connection can take another request if `reusable`.
        case complete(reusable: Bool)
        /// Broken off by us, as a fault demanded: no end of message, no close_notify.
        case brokenOff
        /// The client left first.
        case aborted
    }

    private enum Stop: Error { case brokenOff, aborted }

    let isHead: Bool
    let isHTTP10: Bool
    let keepAlive: Bool
    let fault: Fault.Kind?
    /// Body bytes that may still go out before the fault's cut; nil without one.
    private var budget: Int?

    init(isHead: Bool, isHTTP10: Bool, keepAlive: Bool, fault: Fault.Kind?) {
        self.isHead = isHead
        self.isHTTP10 = isHTTP10
        self.keepAlive = keepAlive
        self.fault = fault
        if case .cut(let count) = fault { budget = count }
    }

    /// Writes the whole answer.
    mutating func write(_ response: Response, to stream: borrowing ClientStream) -> Outcome {
        if fault == .drop || fault == .commitThenClose { return .brokenOff }
        let length = Self.length(of: response)
        let framing = framing(of: response, length)
        do throws(Stop) {
            try send(head(response, framing, length), stream)
            if !isHead { try body(response.body, chunked: framing == .chunked, stream) }
        } catch {
            return error == .aborted ? .aborted : .brokenOff
        }
        if case .excessLength = fault { return .brokenOff }
        return .complete(reusable: keepAlive && framing != .close)
    }

    private static func length(of response: Response) -> Int64? {
        switch response.body {
        case .bytes(let bytes): Int64(bytes.count)
        case .pattern(let count): count
        case .events: nil
        }
    }

    /// HTTP/1.0 has no chunks (RFC 9112 §6.1).
    private func framing(of response: Response, _ length: Int64?) -> Steering.Framing {
        let wanted: Steering.Framing = length == nil ? .chunked : response.framing
        return wanted == .chunked && isHTTP10 ? .close : wanted
    }

    private func head(_ response: Response, _ framing: Steering.Framing, _ length: Int64?) -> [UInt8] {
        var text = "HTTP/1.1 \(response.status) \(Response.reason(response.status))\r\nServer: keybearer-sandbox\r\n"
        for (name, value) in response.fields { text += "\(name): \(value)\r\n" }
        switch framing {
        case .length:
            var promised = length ?? 0
            if case .excessLength(let more) = fault { promised += Int64(more) }
            text += "Content-Length: \(promised)\r\n"
        case .chunked: text += "Transfer-Encoding: chunked\r\n"
        case .close: break
        }
        if !keepAlive || framing == .close {
            text += "Connection: close\r\n"
        } else if isHTTP10 {
            text += "Connection: keep-alive\r\n"
        }
        return Array((text + "\r\n").utf8)
    }

    private mutating func body(_ body: Response.Body, chunked: Bool, _ stream: borrowing ClientStream) throws(Stop) {
        switch body {
        case .bytes(let bytes): try piece(bytes[...], chunked, stream)
        case .pattern(let count):
            var offset: Int64 = 0
            while offset < count {
                let block = Pattern.block(at: offset, count: count - offset)
                try piece(block, chunked, stream)
                offset += Int64(block.count)
            }
        case .events(let script, let interval): try events(script, interval, chunked, stream)
        }
        if chunked { try send("0\r\n\r\n".utf8, stream) }
    }

    /// Each event leaves in a write of its own, as providers flush them.
    private mutating func events(
        _ script: EventScript, _ interval: Duration, _ chunked: Bool, _ stream: borrowing ClientStream
    ) throws(Stop) {
        for event in script.opening { try piece(event.wire[...], chunked, stream) }
        var whole = ""
        for index in 0..<script.pieces.count {
            guard stream.pause(interval) else { throw .aborted }
            let text = script.pieces.text(at: index, now: Self.monotonicNanoseconds())
            whole += text
            try piece(script.delta(index, text).wire[...], chunked, stream)
        }
        for event in script.closing(whole) { try piece(event.wire[...], chunked, stream) }
    }

    /// One piece of a body, as a chunk or bare, as far as the fault's budget allows.
    private mutating func piece(_ bytes: ArraySlice<UInt8>, _ chunked: Bool, _ stream: borrowing ClientStream) throws(Stop) {
        guard !bytes.isEmpty else { return }
        let allowed = budget.map { bytes.prefix($0) } ?? bytes
        budget? -= allowed.count
        if chunked {
            // The chunk's size tells the whole piece: a cut one is seen as truncated.
            var framed = Array("\(String(bytes.count, radix: 16))\r\n".utf8)
            framed += allowed
            if allowed.count == bytes.count { framed += [0x0d, 0x0a] }
            try send(framed, stream)
        } else {
            try send(allowed, stream)
        }
        if allowed.count < bytes.count || budget == 0 { throw .brokenOff }
    }

    private func send(_ bytes: some Collection<UInt8>, _ stream: borrowing ClientStream) throws(Stop) {
        guard stream.write(bytes) else { throw .aborted }
    }

    private static func monotonicNanoseconds() -> Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }
}
