/// Request fields that a tool is told to add.
enum RequestFields {
    /// The field in which a client names its session (DESIGN §5).
    static let session = "Keybearer-Session"

    /// Fields one a line, with the session in place of an earlier one.
    static func adding(session: String, to fields: String?) -> String {
        let others = (fields ?? "").split(separator: "\n").filter { !$0.lowercased().hasPrefix(self.session.lowercased() + ":") }
        return (others.map(String.init) + ["\(self.session): \(session)"]).joined(separator: "\n")
    }

    /// Whether a text can be a field's value (RFC 9110 §5.5, visible ASCII only).
    static func isValue(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7e).contains($0) } }
}

/// What a person may call a session.
public enum SessionName {
    /// Whether `name` can be sent as one.
    public static func isValid(_ name: String) -> Bool { RequestFields.isValue(name) && name.utf8.count <= 256 }
}
