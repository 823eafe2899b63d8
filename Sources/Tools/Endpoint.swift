/// Keybearer as a tool reaches it: an address, and what every path of this tool begins with (DESIGN §5).
public struct Endpoint: Sendable, Equatable {
    /// `http://127.0.0.1:5392`
    public let origin: String
    /// The agent whose credentials are meant; nil: the default one.
    public let agent: String?
    /// The profile that every request is pinned to; nil: the proxy chooses.
    public let profile: String?

    /// Keybearer at `host` (an address, without brackets) and `port`.
    public init(host: String, port: UInt16, agent: String? = nil, profile: String? = nil) {
        origin = "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        self.agent = agent
        self.profile = profile
    }

    /// The base URL for a provider: `http://127.0.0.1:5392/anthropic@work`, with `path` behind it.
    public func base(_ provider: String, path: String = "") -> String {
        let folder = agent.map { "/agents/\(Self.encoded($0))" } ?? ""
        let pin = profile.map { "@\(Self.encoded($0))" } ?? ""
        return "\(origin)\(folder)/\(provider)\(pin)\(path)"
    }

    /// Whether `url` looks like one of ours: this machine, and a path that begins with a provider or an agent. Other servers on this
    /// machine begin theirs with a version, such as `/v1`, or `/api`.
    static func isKeybearers(_ url: String?) -> Bool {
        guard let url, let host = ["127.0.0.1", "localhost", "[::1]"].first(where: { url.hasPrefix("http://\($0):") }) else { return false }
        let parts = url.dropFirst("http://\(host):".count).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count > 1, UInt16(parts[0]) != nil, let first = parts[1].first, first.isLetter else { return false }
        let isVersion = first == "v" && parts[1].dropFirst().first?.isNumber == true
        return parts[1] != "api" && !isVersion
    }

    /// Percent-encoded but for the characters that no library changes (RFC 3986 §2.3); the proxy decodes it again.
    static func encoded(_ name: String) -> String {
        var text = ""
        for byte in name.utf8 {
            if isUnreserved(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%" + (digits.utf8.count < 2 ? "0" : "") + digits
            }
        }
        return text
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
        default: false
        }
    }
}
