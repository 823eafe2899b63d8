internal import HTTP
internal import Routing
internal import Sockets

/// Lines for the access log, gathered by a worker and handed over now and then.
struct AccessLines: ~Copyable {
    private var lines: ByteQueue
    private var count = 0
    /// Since 1970, and its text up to the milliseconds: many lines are of one second.
    private var second: Int64 = -1
    private var secondText: ByteQueue

    init(pool: BufferPool) {
        lines = ByteQueue(pool: pool)
        secondText = ByteQueue(pool: pool)
    }

    /// Nothing waits to be handed over.
    var isEmpty: Bool { lines.isEmpty }

    /// Adds the line of an exchange that is over: always the same members, null where there is nothing to be told. No secret can be in it: the
    /// query is left out, and of fields and bodies none is logged.
    mutating func add(_ exchange: borrowing Exchange, provider: String?, now: Int64, wall: Int64) {
        let head = unsafe RawSpan(_unsafeBytes: exchange.headBytes.bytes)
        lines.append("{\"time\":\"")
        append(instant: wall)
        lines.append("\",\"requestId\":\"")
        lines.append(requestID: exchange.number)
        lines.append("\"")
        lines.append(member: ",\"client\":", exchange.key?.name)
        lines.append(member: ",\"agent\":", exchange.agent.isEmpty ? nil : exchange.agent)
        lines.append(member: ",\"provider\":", provider)
        if let candidate = exchange.candidate {
            lines.append(",\"profile\":\"")
            lines.append(candidate.encodedID)
            lines.append("\",\"reason\":\"")
            lines.append(exchange.reason.text)
            lines.append("\"")
        } else {
            lines.append(",\"profile\":null,\"reason\":null")
        }
        if exchange.model.count > 0 {
            lines.append(",\"model\":\"")
            exchange.model.append(to: &lines)
            lines.append("\"")
        } else {
            lines.append(",\"model\":null")
        }
        lines.append(",\"method\":\"")
        lines.append(head.extracting(exchange.head.methodRange))
        lines.append("\",\"path\":\"")
        lines.append(path: head.extracting(exchange.head.target))
        lines.append("\",\"status\":")
        lines.append(decimal: exchange.status)
        lines.append(",\"bytesIn\":")
        lines.append(decimal: exchange.request.byteCount)
        lines.append(",\"bytesOut\":")
        lines.append(decimal: exchange.answer.byteCount + exchange.ownBytes)
        lines.append(",\"firstByteMs\":")
        if exchange.answeredAt > 0 {
            lines.append(decimal: Int(max(0, exchange.answeredAt - exchange.startedAt)))
        } else {
            lines.append("null")
        }
        lines.append(",\"totalMs\":")
        lines.append(decimal: Int(max(0, now - exchange.startedAt)))
        lines.append(",\"attempts\":")
        lines.append(decimal: exchange.attempts.count)
        lines.append(",\"upstreamProtocol\":")
        // Named as in ALPN (RFC 7301).
        lines.append(exchange.sentAt == 0 ? "null}\n" : exchange.wasSentInHTTP2 ? "\"h2\"}\n" : "\"http/1.1\"}\n")
        count += 1
    }

    /// RFC 3339 in UTC with milliseconds.
    private mutating func append(instant milliseconds: Int64) {
        let (second, rest) = max(0, milliseconds).quotientAndRemainder(dividingBy: 1000)
        if second != self.second {
            secondText.release()
            secondText.append(second: second)
            self.second = second
        }
        unsafe lines.append(secondText.bytes)
        lines.append(number: rest, digits: 3)
        lines.append(byte: UInt8(ascii: "Z"))
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
    /// A text of ours, or null.
    fileprivate mutating func append(member name: StaticString, _ text: String?) {
        append(name)
        guard let text else { return append("null") }
        append(byte: UInt8(ascii: "\""))
        append(text: text)
        append(byte: UInt8(ascii: "\""))
    }

    /// A second since 1970, in UTC, up to the dot before its milliseconds.
    fileprivate mutating func append(second: Int64) {
        let (days, time) = second.quotientAndRemainder(dividingBy: 86_400)
        // Howard Hinnant's civil_from_days: years start in March, so that a leap day is a year's last.
        let (era, dayOfEra) = (days + 719_468).quotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        append(number: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), digits: 4)
        append(byte: UInt8(ascii: "-"))
        append(number: month, digits: 2)
        append(byte: UInt8(ascii: "-"))
        append(number: dayOfYear - (153 * shifted + 2) / 5 + 1, digits: 2)
        append(byte: UInt8(ascii: "T"))
        append(number: time / 3600, digits: 2)
        append(byte: UInt8(ascii: ":"))
        append(number: time / 60 % 60, digits: 2)
        append(byte: UInt8(ascii: ":"))
        append(number: time % 60, digits: 2)
        append(byte: UInt8(ascii: "."))
    }

    fileprivate mutating func append(number: Int64, digits: Int) {
        var divisor: Int64 = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            append(byte: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }

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
