/// What an authorization endpoint sends back through the browser (RFC 6749 §4.1.2): at most one of each parameter.
public struct AuthorizationAnswer: Sendable, Equatable {
    /// `code`.
    public var code: String?
    /// `state`; nil when the answer has none.
    public var state: String?
    /// `error` (§4.1.2.1).
    public var error: String?
    /// `iss` (RFC 9207).
    public var issuer: String?

    /// An answer from its parts.
    public init(code: String? = nil, state: String? = nil, error: String? = nil, issuer: String? = nil) {
        self.code = code
        self.state = state
        self.error = error
        self.issuer = issuer
    }

    /// The answer in a query; nil when it is malformed, or says one thing twice (RFC 6749 §3.1: must not).
    public init?(query: some StringProtocol) {
        var found: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(parts[0]) else { return nil }
            guard Self.names.contains(name) else { continue }
            guard parts.count == 2, let value = Self.decoded(parts[1]), found.updateValue(value, forKey: name) == nil else { return nil }
        }
        let given = found.filter { !$0.value.isEmpty }
        self.init(code: given["code"], state: given["state"], error: given["error"], issuer: given["iss"])
    }

    /// Whether there is anything that ends a login.
    public var saysSomething: Bool { code != nil || error != nil }

    private static let names: Set<String> = ["code", "state", "error", "iss"]

    /// application/x-www-form-urlencoded, strictly: `+` is a space, two hexadecimal digits behind each `%`, and UTF-8.
    private static func decoded(_ text: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46, 0x61...0x66: (byte | 0x20) - 0x61 + 10
        default: nil
        }
    }
}
