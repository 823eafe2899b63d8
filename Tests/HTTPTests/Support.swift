import HTTP

/// What a test wants to know of a parsed head, copied out of it.
struct ParsedHead: Equatable {
    var outcome: HeadOutcome
    var method = Method.other
    var methodText = ""
    var target = ""
    var targetAuthority: String?
    var version = Version.http11
    var host = ""
    var hostName = ""
    var status = 0
    var reason = ""
    var framing = BodyFraming.none
    var keepAlive = false
    var expectsContinue = false
    var upgrade = false
    var fields: [Field] = []

    struct Field: Equatable {
        var known: FieldName
        var name: String
        var value: String
        var isNamedInConnection: Bool
    }

    var rejection: Rejection? { if case .rejected(let rejection) = outcome { rejection } else { nil } }
    var isComplete: Bool { if case .complete = outcome { true } else { false } }
}

extension RequestHead {
    /// Parses `bytes` and copies the result.
    mutating func read(_ bytes: [UInt8], limits: HeadLimits = HeadLimits()) -> ParsedHead {
        let outcome = bytes.withUnsafeBytes { parse($0, limits: limits) }
        var parsed = ParsedHead(outcome: outcome)
        guard parsed.isComplete else { return parsed }
        parsed.method = method
        parsed.methodText = text(bytes, methodRange)
        parsed.target = text(bytes, target)
        parsed.targetAuthority = targetAuthority.map { text(bytes, $0) }
        parsed.version = version
        parsed.host = text(bytes, host)
        parsed.hostName = text(bytes, hostName)
        parsed.framing = framing
        parsed.keepAlive = keepAlive
        parsed.expectsContinue = expectsContinue
        parsed.upgrade = upgrade
        for index in 0..<fieldCount { parsed.fields.append(ParsedHead.Field(self[index], bytes)) }
        return parsed
    }
}

extension ResponseHead {
    /// Parses `bytes` and copies the result.
    mutating func read(_ bytes: [UInt8], toHead: Bool = false, limits: HeadLimits = HeadLimits()) -> ParsedHead {
        let outcome = bytes.withUnsafeBytes { parse($0, requestMethodWasHead: toHead, limits: limits) }
        var parsed = ParsedHead(outcome: outcome)
        guard parsed.isComplete else { return parsed }
        parsed.version = version
        parsed.status = status
        parsed.reason = text(bytes, reasonRange)
        parsed.framing = framing
        parsed.keepAlive = keepAlive
        for index in 0..<fieldCount { parsed.fields.append(ParsedHead.Field(self[index], bytes)) }
        return parsed
    }
}

extension ParsedHead.Field {
    init(_ line: FieldLine, _ bytes: [UInt8]) {
        self.init(
            known: line.name, name: text(bytes, line.nameRange), value: text(bytes, line.valueRange),
            isNamedInConnection: line.isNamedInConnection)
    }
}

/// One character a byte, so that nothing is lost or repaired.
func text(_ bytes: [UInt8], _ range: Range<Int>) -> String {
    var result = ""
    for byte in bytes[range] { result.unicodeScalars.append(Unicode.Scalar(byte)) }
    return result
}

/// The bytes of a text whose characters are below U+0100.
func latin1(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value) } }

/// A request parsed in one piece by a new head.
func request(_ text: String, limits: HeadLimits = HeadLimits()) -> ParsedHead {
    var head = RequestHead()
    return head.read(latin1(text), limits: limits)
}

/// A request whose only field beside `Host` is `line`.
func requestWith(_ line: String, version: String = "HTTP/1.1") -> ParsedHead {
    request("POST / \(version)\r\nHost: a\r\n\(line)\r\n\r\n")
}

/// A response parsed in one piece by a new head.
func response(_ text: String, toHead: Bool = false, limits: HeadLimits = HeadLimits()) -> ParsedHead {
    var head = ResponseHead()
    return head.read(latin1(text), toHead: toHead, limits: limits)
}
