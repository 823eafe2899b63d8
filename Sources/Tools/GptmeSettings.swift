/// Keybearer's part of gptme's `config.toml`: a provider of its own at the end, `keybearer`, beside those that are there.
struct GptmeSettings: ToolFileEditor {
    let content: ToolFileContent

    private static let name = "keybearer"

    func installed(in original: [UInt8]?) throws(ToolSettingsError) -> [UInt8] {
        let rest = TaggedLines.removed(from: original ?? [])
        let outline = try Self.outline(rest)
        guard !outline.assignments.contains(where: { $0.path == ["providers"] }),
            !outline.headers.contains(where: { $0.path == ["providers"] && !$0.isArray })
        else { throw .occupied("its providers are not tables to which another can be added ([[providers]])") }
        guard !outline.assignments.contains(where: { $0.path == ["providers", "name"] && $0.string == Self.name }) else {
            throw .occupied("it has a provider called \(Self.name) already, which Keybearer did not write")
        }
        let lines = [
            "[[providers]]", "name = \(TOMLText.quoted(Self.name))", "base_url = \(TOMLText.quoted(content.base))",
            "api_key = \(TOMLText.quoted(Tool.placeholder))",
        ]
        let text = TaggedLines.appended(lines, to: rest)
        // What we made is read again before anyone else has to.
        _ = try Self.outline(text)
        return text
    }

    func removed(from bytes: [UInt8], kept: [UInt8]?) throws(ToolSettingsError) -> [UInt8]? {
        _ = try Self.outline(bytes)
        guard TaggedLines.areThere(in: bytes) else { throw .absent }
        let rest = TaggedLines.removed(from: bytes)
        return rest.isEmpty && kept == nil ? nil : rest
    }

    func base(in bytes: [UInt8]) -> String? {
        guard let outline = try? TOMLReader.outline(bytes), TaggedLines.areThere(in: bytes) else { return nil }
        return outline.assignments.last { $0.path == ["providers", "base_url"] && Endpoint.isKeybearers($0.string) }?.string
    }

    private static func outline(_ bytes: [UInt8]) throws(ToolSettingsError) -> TOMLOutline {
        do { return try TOMLReader.outline(bytes) } catch { throw .unreadable(line: error.line, message: error.message) }
    }
}
