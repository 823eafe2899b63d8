internal import HTTP
internal import Routing
internal import Sockets

/// Lines for the access log, gathered by a worker and handed over now and then.
struct AccessLines: ~Copyable {
    private var lines: ByteQueue
    private var count = 0

    init(pool: BufferPool) { lines = ByteQueue(pool: pool) }

    /// Nothing waits to be handed over.
    var isEmpty: Bool { lines.isEmpty }

    /// Adds the line of an exchange that is over. No secret can be in it: the query is left out, and of the fields none is logged.
    mutating func add(_ exchange: borrowing Exchange, agent: String, provider: String, now: Int64, wall: Int64) {
        lines.append("{\"at\":")
        lines.append(decimal: Int(wall))
        lines.append(",\"request\":\"")
        lines.append(requestID: exchange.number)
        lines.append("\",\"method\":\"")
        let head = unsafe RawSpan(_unsafeBytes: exchange.headBytes.bytes)
        lines.append(head.extracting(exchange.head.methodRange))
        lines.append("\",\"path\":\"")
        lines.append(path: head.extracting(exchange.head.target))
        lines.append("\",\"agent\":\"")
        lines.append(text: agent)
        lines.append("\",\"provider\":\"")
        lines.append(text: provider)
        if exchange.model.count > 0 {
            lines.append("\",\"model\":\"")
            exchange.model.append(to: &lines)
        }
        if let candidate = exchange.candidate {
            lines.append("\",\"profile\":\"")
            lines.append(candidate.encodedID)
            lines.append("\",\"reason\":\"")
            lines.append(exchange.reason.text)
        }
        lines.append("\",\"status\":")
        lines.append(decimal: exchange.status)
        lines.append(",\"sent\":")
        lines.append(decimal: exchange.request.byteCount)
        lines.append(",\"received\":")
        lines.append(decimal: exchange.answer.byteCount)
        lines.append(",\"attempts\":")
        lines.append(decimal: exchange.attempts.count)
        if exchange.attempts.count > 0 { lines.append(exchange.wasSentInHTTP2 ? ",\"upstream\":\"h2\"" : ",\"upstream\":\"h1\"") }
        lines.append(",\"ms\":")
        lines.append(decimal: Int(max(0, now - exchange.startedAt)))
        if let paid = exchange.paidInsteadOf {
            lines.append(",\"paidInsteadOf\":\"")
            lines.append(text: paid)
            lines.append("\"")
        }
        lines.append(exchange.isWhole ? "}\n" : ",\"cut\":true}\n")
        count += 1
    }

    /// Hands the lines over when there are many, or when it is time.
    mutating func hand(to log: AccessLog, atLeast bytes: Int) {
        guard lines.count > 0, lines.count >= bytes else { return }
        unsafe log.append(lines.bytes, count: count)
        lines.release()
        count = 0
    }
}

extension ByteQueue {
    /// A target's path as the content of a JSON string; the codec has let in 0x21-0x7e only.
    fileprivate mutating func append(path target: RawSpan) {
        for at in 0..<target.byteCount {
            let byte = FieldText.byte(target, at)
            if byte == UInt8(ascii: "?") { return }
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { append(byte: UInt8(ascii: "\\")) }
            append(byte: byte)
        }
    }
}
