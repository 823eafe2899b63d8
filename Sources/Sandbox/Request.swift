internal import JSON

/// One request as the sandbox's handlers see it: names in lower case, the path decoded, the body drained.
struct Request: Sendable {
    /// A decoded `name=value` of a query or form.
    typealias Parameter = (name: String, value: String)

    let method: String
    /// The path as it came, without the query.
    let path: String
    let query: [Parameter]
    /// Field names in lower case, values trimmed, in the order they came.
    let fields: [(name: String, value: String)]
    var body = Body()

    /// What is known of a body after it was read to its end.
    struct Body: Sendable {
        /// Its first bytes, at most `Body.keptBytes`.
        var prefix: [UInt8] = []
        /// Its length, however much of it was kept.
        var count: Int64 = 0
        /// SHA-256 of all of it, hexadecimal.
        var sha256 = ""

        static let keptBytes = 1 << 20

        /// True when `prefix` is all there is.
        var isWhole: Bool { Int64(prefix.count) == count }
    }

    /// Every value of a field, in order.
    func values(of name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }
    /// The first value of a field.
    func value(of name: String) -> String? { fields.first { $0.name == name }?.value }
    /// How many times a field is there.
    func count(of name: String) -> Int { fields.count { $0.name == name } }
    /// The members of a comma-separated list field, over all its lines, trimmed.
    func list(_ name: String) -> [String] {
        values(of: name).flatMap { $0.split(separator: ",") }.map(trimmed)
    }

    /// The body as JSON; nil when it is not, or is longer than what is kept.
    func json() -> Value? {
        guard body.isWhole, value(of: "content-encoding") == nil else { return nil }
        return try? Reader.parse(body.prefix)
    }

    /// The members of a JSON object or of a form, as text: what OAuth endpoints take.
    func parameters() -> [String: String] {
        let isForm = value(of: "content-type")?.lowercasedASCII().hasPrefix("application/x-www-form-urlencoded") ?? false
        if isForm {
            let pairs = Form.decode(String(decoding: body.prefix, as: UTF8.self))
            return Dictionary(pairs.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        }
        guard let members = json()?.object else { return [:] }
        var found: [String: String] = [:]
        for (name, value) in members {
            if let text = value.string { found[name] = text }
        }
        return found
    }
}

/// `application/x-www-form-urlencoded`, in bodies and queries.
enum Form {
    /// The pairs of a form or query, decoded.
    static func decode(_ text: some StringProtocol) -> [Request.Parameter] {
        text.utf8.split(separator: UInt8(ascii: "&")).map { pair in
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            return (unescape(parts[0]), parts.count > 1 ? unescape(parts[1]) : "")
        }
    }

    /// Percent-encodes everything but the unreserved characters of RFC 3986 §2.3.
    static func escape(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                out.append(byte)
            default: out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Undoes percent-encoding and `+`; what is not well-formed stays as it is.
    static func unescape(_ bytes: some Collection<UInt8>, plusIsSpace: Bool = true) -> String {
        let bytes = Array(bytes)
        var out: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.count, let high = digit(bytes[at + 1]), let low = digit(bytes[at + 2]) {
                out.append(high << 4 | low)
                at += 3
                continue
            }
            out.append(plusIsSpace && bytes[at] == UInt8(ascii: "+") ? UInt8(ascii: " ") : bytes[at])
            at += 1
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// Without the spaces and tabs around it.
func trimmed(_ text: some StringProtocol) -> String {
    let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
    return String(decoding: text.utf8.drop(while: isBlank).reversed().drop(while: isBlank).reversed(), as: UTF8.self)
}

extension StringProtocol {
    /// Field names and media types are compared without regard to ASCII case.
    func lowercasedASCII() -> String {
        String(decoding: utf8.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}
