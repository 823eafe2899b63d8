import Digest

/// A client key's text: `kb_<id>_<secret>`, or that behind what a provider's tools look for in a key.
///
/// The id is ten letters of an alphabet of 32 (50 bits), by which a key is found; what is compared is the code of everything behind the id,
/// so that a secret may have any length a shape asks for.
public enum ClientKeyText {
    /// What tools look for in a key of theirs before they use it.
    public enum Shape: String, Sendable, Equatable, CaseIterable {
        case plain
        /// `sk-ant-api03-…`, 108 characters.
        case anthropic
        /// `sk-proj-…`
        case openai
        /// `AIza…`, 39 characters.
        case google

        var prefix: StaticString {
            switch self {
            case .plain: ""
            case .anthropic: "sk-ant-api03-"
            case .openai: "sk-proj-"
            case .google: "AIza"
            }
        }
        /// How many characters the secret has: 125 bits at least.
        var secretLength: Int {
            switch self {
            case .plain, .openai: 40
            case .anthropic: 81
            case .google: 21
            }
        }
    }

    /// Where the parts of a key stand in a text.
    public struct Parts: Equatable, Sendable {
        /// The id as a number.
        public let id: UInt64
        /// The secret's place.
        public let secret: Range<Int>
    }

    private static let alphabet = Array("abcdefghijkmnpqrstuvwxyz23456789".utf8)
    private static let secretAlphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
    static let idLength = 10
    private static let shortestSecret = 21
    private static let longestSecret = 128

    // MARK: Making

    /// A new id.
    static func newID() -> String {
        String(decoding: Random.bytes(idLength).map { alphabet[Int($0) & 31] }, as: UTF8.self)
    }

    /// A new secret for the shape; every character equally likely.
    static func newSecret(_ shape: Shape) -> [UInt8] {
        var secret: [UInt8] = []
        secret.reserveCapacity(shape.secretLength)
        while secret.count < shape.secretLength {
            for byte in Random.bytes(64) where byte < 248 && secret.count < shape.secretLength {
                secret.append(secretAlphabet[Int(byte) % 62])
            }
        }
        // A real one ends so.
        if shape == .anthropic { secret.replaceSubrange(secret.count - 2..<secret.count, with: Array("AA".utf8)) }
        return secret
    }

    static func text(_ shape: Shape, id: String, secret: [UInt8]) -> String {
        "\(shape.prefix)kb_\(id)_\(String(decoding: secret, as: UTF8.self))"
    }

    // MARK: Reading

    /// The parts of the key that `text` is; nil when it is none of ours, a placeholder or a provider's own key. Allocates nothing.
    public static func parts(of text: Span<UInt8>) -> Parts? {
        for shape in Shape.allCases {
            let start = shape.prefix.utf8CodeUnitCount
            if begins(text, with: shape.prefix), let parts = bare(text, from: start) { return parts }
        }
        return nil
    }

    private static func begins(_ text: Span<UInt8>, with prefix: StaticString) -> Bool {
        guard text.count >= prefix.utf8CodeUnitCount else { return false }
        return prefix.withUTF8Buffer { prefix in
            for at in 0..<prefix.count where unsafe text[at] != prefix[at] { return false }
            return true
        }
    }

    private static func bare(_ text: Span<UInt8>, from start: Int) -> Parts? {
        let idStart = start + 3
        let secretStart = idStart + idLength + 1
        guard (secretStart + shortestSecret...secretStart + longestSecret).contains(text.count), text[start] == UInt8(ascii: "k"),
            text[start + 1] == UInt8(ascii: "b"), text[start + 2] == UInt8(ascii: "_"), text[secretStart - 1] == UInt8(ascii: "_"),
            let id = number(text, idStart..<idStart + idLength)
        else { return nil }
        for at in secretStart..<text.count {
            switch text[at] {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: continue
            default: return nil
            }
        }
        return Parts(id: id, secret: secretStart..<text.count)
    }

    /// The id's number; nil for a character that no id has. Never 0.
    private static func number(_ text: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        var number: UInt64 = 1
        for at in range {
            guard let digit = digit(text[at]) else { return nil }
            number = number << 5 | UInt64(digit)
        }
        return number
    }

    /// The number of an id; nil when it is none.
    public static func number(of id: String) -> UInt64? {
        let bytes = Array(id.utf8)
        return bytes.count == idLength ? number(bytes.span, 0..<idLength) : nil
    }

    /// Letters but `l` and `o`, then 2 to 9: what is not mistaken for one another.
    @inline(__always)
    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "k"): byte - UInt8(ascii: "a")
        case UInt8(ascii: "m")...UInt8(ascii: "n"): byte - UInt8(ascii: "m") + 11
        case UInt8(ascii: "p")...UInt8(ascii: "z"): byte - UInt8(ascii: "p") + 13
        case UInt8(ascii: "2")...UInt8(ascii: "9"): byte - UInt8(ascii: "2") + 24
        default: nil
        }
    }
}
