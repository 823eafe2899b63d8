internal import JSON

/// Keybearer's part of Claude Code's `settings.json`: members of its `env`, put in and taken out again. Pure.
///
/// JSON has no comments to mark them by. They are known by the placeholder in `ANTHROPIC_AUTH_TOKEN`, and what they replaced is in the
/// copy that was kept. While nobody else has changed the file, taking out is putting that copy back, to the byte; else (Claude Code
/// writes the file anew when it remembers a permission) the members go one by one.
struct ClaudeSettings {
    private let variables: [Tool.Variable]

    /// The settings that carry these variables.
    init(variables: [Tool.Variable]) { self.variables = variables }

    private static let section = "env"
    private static let address = "ANTHROPIC_BASE_URL"
    private static let key = "ANTHROPIC_AUTH_TOKEN"
    /// Whatever a plan for Claude Code can set, in the order in which it is put in.
    private static let names = [address, key, "ENABLE_TOOL_SEARCH", "ANTHROPIC_CUSTOM_HEADERS", "NO_PROXY", "no_proxy"]

    /// The file with our part in it. nil stands for no file, and one of white space alone is no better.
    func installed(in original: [UInt8]?) throws(ToolSettingsError) -> [UInt8] {
        var text = try JSONText(Self.content(of: original) ?? Array("{}\n".utf8))
        if text.value(at: [Self.section]) == nil { text.set(Array("{}".utf8), at: [Self.section]) }
        guard text.isObject(at: [Self.section]) else { throw .occupied("its env is not an object") }
        // Each is put first, so that they end up in order.
        for name in Self.names.reversed() {
            guard let value = variables.first(where: { $0.name == name })?.value else { continue }
            // A value that is right already keeps its spelling.
            guard text.string(at: [Self.section, name]) != value else { continue }
            text.set(Writer.compact(.string(value)), at: [Self.section, name])
        }
        // What we made is read again before anyone else has to.
        return try JSONText(text.bytes).bytes
    }

    /// The file without our part; nil when it was ours alone.
    ///
    /// - Parameters:
    ///   - bytes: the file as it is now.
    ///   - kept: the copy made when our part was put in; nil when there was no file then, or the copy is gone.
    static func removed(from bytes: [UInt8], kept: [UInt8]?) throws(ToolSettingsError) -> [UInt8]? {
        var text = try JSONText(bytes)
        guard text.string(at: [section, key]) == Tool.placeholder else { throw .absent }
        let before = try content(of: kept).map { content throws(ToolSettingsError) in try JSONText(content) }
        let ours = names.filter { name in
            let now = text.string(at: [section, name])
            return now != nil && now != before?.string(at: [section, name])
        }
        let variables = ours.map { Tool.Variable($0, text.string(at: [section, $0]) ?? "") }
        if try ClaudeSettings(variables: variables).installed(in: kept) == bytes { return kept }
        for name in ours {
            if let value = before?.value(at: [section, name]) {
                text.set(value, at: [section, name])
            } else {
                text.remove(at: [section, name])
            }
        }
        if text.count(at: [section]) == 0, before?.value(at: [section]) == nil { text.remove(at: [section]) }
        return try JSONText(text.bytes).bytes
    }

    /// Where our part leads; nil when it is not there.
    static func base(in bytes: [UInt8]) -> String? {
        guard let text = try? JSONText(bytes), text.string(at: [section, key]) == Tool.placeholder else { return nil }
        return text.string(at: [section, address])
    }

    /// Those members of `env` that lead past us or clash with us.
    static func conflicts(in bytes: [UInt8], _ names: [String]) -> [String] {
        guard let text = try? JSONText(bytes) else { return [] }
        return names.filter { text.value(at: [section, $0]) != nil }
    }

    private static func content(of bytes: [UInt8]?) -> [UInt8]? {
        bytes.flatMap { $0.allSatisfy { " \t\r\n".utf8.contains($0) } ? nil : $0 }
    }
}
