import Digest
import Glibc

/// What `{{…}}` in a dialogue stands for: ports, times, filler and tokens that are known only when it runs.
struct Placeholders: Sendable {
    let upstreamPort: UInt16
    let tokenPort: UInt16
    let closedPort: UInt16
    let proxyPort: UInt16
    /// Of the test.
    let folder: String
    /// Milliseconds since 1970 at which the dialogue began.
    let now: Int64
    /// Texts of client keys by name.
    var keys: [String: String] = [:]

    /// Replaces every placeholder.
    func expand(_ text: String) -> String {
        guard text.contains("{{") else { return text }
        var result = ""
        var rest = text[...]
        while let start = rest.firstRange(of: "{{"), let end = rest[start.upperBound...].firstRange(of: "}}") {
            result += rest[..<start.lowerBound]
            result += value(of: rest[start.upperBound..<end.lowerBound])
            rest = rest[end.upperBound...]
        }
        return result + rest
    }

    private func value(of placeholder: Substring) -> String {
        let words = placeholder.split(separator: " ").map(String.init)
        switch words[0] {
        case "upstream": return "127.0.0.1:\(upstreamPort)"
        case "upstream-port": return "\(upstreamPort)"
        case "token-endpoint": return "127.0.0.1:\(tokenPort)"
        case "closed": return "127.0.0.1:\(closedPort)"
        case "proxy": return "127.0.0.1:\(proxyPort)"
        case "folder": return folder
        case "hour_ago": return "\(now - 3_600_000)"
        case "in_a_minute": return "\(now + 60_000)"
        case "in_an_hour": return "\(now + 3_600_000)"
        case "key": return keys[words[1]] ?? "no such key"
        case "bytes": return Self.filler(Int(words[1]) ?? 0)
        case "jwt": return Self.token(account: words[1])
        default: fatalError("no placeholder is called \(placeholder)")
        }
    }

    /// Text in which a lost, doubled or moved piece shows: the offset every sixteen bytes.
    static func filler(_ count: Int) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: count) { text in
            text.initialize(repeating: UInt8(ascii: "."))
            for start in stride(from: 0, to: count, by: 16) {
                var (offset, place) = (start, start + 15)
                repeat {
                    if place < count { text[place] = digits[offset & 15] }
                    (offset, place) = (offset >> 4, place - 1)
                } while offset > 0
            }
            return count
        }
    }

    /// An unsigned token with the account claim that OpenAI's have.
    private static func token(account: String) -> String {
        let header = Base64URL.encode(Array("{\"alg\":\"none\"}".utf8))
        let claims = "{\"exp\":4102444800,\"https://api.openai.com/auth\":{\"chatgpt_account_id\":\"\(account)\"}}"
        return "\(header).\(Base64URL.encode(Array(claims.utf8))).c2ln"
    }

    /// The bytes of a text with `\r`, `\n`, `\t`, `\0`, `\\` and `\xNN`.
    static func bytes(_ text: String) -> [UInt8] {
        guard text.utf8.contains(UInt8(ascii: "\\")) else { return Array(text.utf8) }
        var bytes: [UInt8] = []
        var characters = Array(text.utf8)[...]
        while let byte = characters.popFirst() {
            guard byte == UInt8(ascii: "\\"), let escape = characters.popFirst() else {
                bytes.append(byte)
                continue
            }
            switch Unicode.Scalar(escape) {
            case "r": bytes.append(13)
            case "n": bytes.append(10)
            case "t": bytes.append(9)
            case "0": bytes.append(0)
            case "x":
                let digits = String(decoding: characters.prefix(2), as: UTF8.self)
                characters = characters.dropFirst(2)
                bytes.append(UInt8(digits, radix: 16) ?? 0)
            default: bytes.append(escape)
            }
        }
        return bytes
    }
}
