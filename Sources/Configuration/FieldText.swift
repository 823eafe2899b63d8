/// Header fields as configuration may name them (RFC 9110 §5).
enum FieldText {
    /// A token (RFC 9110 §5.6.2) of at most 64 octets. `_` is left out: some servers read it as `-`.
    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x61...0x7a).contains(byte | 0x20) && byte >= 0x41 || (0x30...0x39).contains(byte) || "!#$%&'*+-.^`|~".utf8.contains(byte)
            }
    }

    /// Visible ASCII, spaces and tabs: no line can end inside, so no field can be smuggled in.
    static func isValue(_ text: String) -> Bool {
        text.utf8.count <= 4096 && text.utf8.allSatisfy { (0x20...0x7e).contains($0) || $0 == 0x09 }
    }

    /// Fields that the codec and the router set; whoever could set them too could break the framing of a message.
    static func isFraming(_ name: String) -> Bool {
        framing.contains(name) || name.hasPrefix("keybearer-") || name.hasPrefix("proxy-")
    }

    /// Fields that carry credentials: they come from profiles only.
    static func isCredential(_ name: String) -> Bool {
        credentials.contains(name)
    }

    private static let framing: Set<String> = [
        "connection", "content-length", "expect", "host", "http2-settings", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
    ]

    private static let credentials: Set<String> = [
        "authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie", "chatgpt-account-id", "x-amz-security-token",
    ]
}
