/// Keybearer's part of aider's `.aider.conf.yml`: variables in `set-env`, which aider sets for itself. Keys and addresses of the file's own,
/// which go before them, are comments meanwhile.
struct AiderSettings: ToolFileEditor {
    let content: ToolFileContent

    private static let section = "set-env"
    /// Members that aider puts into the environment after `set-env`.
    private static let stronger: Set<String> = ["openai-api-key", "anthropic-api-key", "openai-api-base", "api-key"]

    func installed(in original: [UInt8]?) throws(ToolSettingsError) -> [UInt8] {
        let rest = TaggedLines.removed(from: original ?? [])
        let outline = try YAMLOutline(rest)
        let kept = outline.members.filter { Self.stronger.contains($0.name) }
        // A list goes over several lines, of which each is a comment then.
        let text = TaggedLines.keeping(Set(kept.flatMap(\.lines)), in: rest)
        let items = content.variables.map { "- \(YAMLOutline.quoted("\($0.name)=\($0.value)"))" }
        guard let own = outline.members.first(where: { $0.name == Self.section }) else {
            return TaggedLines.appended(["\(Self.section):"] + items.map { "  " + $0 }, to: text)
        }
        guard let indent = own.itemIndent else {
            throw .occupied("its \(Self.section) is not a list with one item a line, to which others can be added")
        }
        return TaggedLines.inserted(items.map { indent + $0 }, behind: own.lines.lowerBound, in: text)
    }

    func removed(from bytes: [UInt8], kept: [UInt8]?) throws(ToolSettingsError) -> [UInt8]? {
        _ = try YAMLOutline(bytes)
        guard TaggedLines.areThere(in: bytes) else { throw .absent }
        let rest = TaggedLines.removed(from: bytes)
        return rest.isEmpty && kept == nil ? nil : rest
    }

    func base(in bytes: [UInt8]) -> String? {
        guard TaggedLines.areThere(in: bytes) else { return nil }
        let names = ["ANTHROPIC_BASE_URL=", "OPENAI_BASE_URL="]
        for line in TaggedLines.lines(of: bytes).map(TaggedLines.content) where line.hasSuffix(TaggedLines.tag) {
            for name in names {
                guard let start = line.firstRange(of: name)?.upperBound else { continue }
                return String(line[start...].prefix { $0 != "\"" && $0 != " " })
            }
        }
        return nil
    }
}
