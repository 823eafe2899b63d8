import Credentials

extension TokenRequest {
    /// The request that renews a token (RFC 6749 §6). No scope is sent: the grant keeps what it has.
    static func refresh(_ token: Secret, client: OAuthClient, clientSecret: String?) -> TokenRequest {
        toTokenEndpoint(
            of: client, [("grant_type", "refresh_token"), ("refresh_token", token.revealed), ("client_id", client.clientID)], clientSecret)
    }

    /// `name=value` pairs, percent-encoded but for RFC 3986's unreserved characters.
    static func form(_ parameters: [(name: String, value: String)]) -> SensitiveBytes {
        let body = SensitiveBytes(capacity: capacity(for: parameters))
        for (index, (name, value)) in parameters.enumerated() {
            if index > 0 { body.append(CollectionOfOne(UInt8(ascii: "&"))) }
            appendEncoded(name, to: body)
            body.append(CollectionOfOne(UInt8(ascii: "=")))
            appendEncoded(value, to: body)
        }
        return body
    }

    /// A JSON object of strings. Written by hand, straight into bytes that are wiped.
    static func json(_ parameters: [(name: String, value: String)]) -> SensitiveBytes {
        let body = SensitiveBytes(capacity: capacity(for: parameters))
        for (index, (name, value)) in parameters.enumerated() {
            body.append((index == 0 ? "{" : ",").utf8)
            appendQuoted(name, to: body)
            body.append(CollectionOfOne(UInt8(ascii: ":")))
            appendQuoted(value, to: body)
        }
        body.append("}".utf8)
        return body
    }

    /// At most six bytes for one (`\u001f`), and the punctuation.
    private static func capacity(for parameters: [(name: String, value: String)]) -> Int {
        parameters.reduce(2) { $0 + 6 * ($1.name.utf8.count + $1.value.utf8.count) + 6 }
    }

    private static func appendEncoded(_ text: String, to body: SensitiveBytes) {
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                body.append(CollectionOfOne(byte))
            default:
                body.append([UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            }
        }
    }

    private static func appendQuoted(_ text: String, to body: SensitiveBytes) {
        let digits = Array("0123456789abcdef".utf8)
        body.append(CollectionOfOne(UInt8(ascii: "\"")))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): body.append([UInt8(ascii: "\\"), byte])
            case 0..<0x20: body.append(Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            default: body.append(CollectionOfOne(byte))
            }
        }
        body.append(CollectionOfOne(UInt8(ascii: "\"")))
    }
}
