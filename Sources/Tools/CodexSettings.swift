/// Keybearer's part of Codex's `config.toml`: put in and taken out again, with every other byte where it was. Pure.
///
/// Two runs of lines: `model_provider` before everything else, because a key of the root cannot follow a table; the provider's table at
/// the end. A `model_provider` of the user's is commented out in its place. Each run starts with a mark and holds nothing but lines
/// that we know, so that it is found again when Codex has written beside it (Codex keeps comments and appends tables).
struct CodexSettings: ToolFileEditor {
    private let provider: CodexProvider

    /// The settings that send Codex to `base`.
    init(base: String) { provider = CodexProvider(base: base) }

    static let mark = "# keybearer: `keybearer tools setup codex --undo` takes this out"
    /// The file ended without a line feed, so that one was put before the mark.
    static let joinedMark = mark + ", and the line feed before it"
    private static let keptMark = "# keybearer keeps this: "
    private static let selection = "model_provider = " + TOMLText.quoted(CodexProvider.id)
    private static let header = "[model_providers.\(CodexProvider.id)]"

    /// The file with our part in it, in place of an earlier one.
    func installed(in file: [UInt8]?) throws(ToolSettingsError) -> [UInt8] {
        let original = try Self.removed(from: file ?? [])
        let outline = try Self.outline(original)
        guard !outline.defines(["model_providers", CodexProvider.id]) else {
            throw .occupied("it has a provider called \(CodexProvider.id) already, which Keybearer did not write")
        }
        let inlineTable = outline.assignments.contains { $0.path == ["model_providers"] }
        guard !inlineTable, !outline.headers.contains(where: { $0.isArray && $0.path.first == "model_providers" }) else {
            throw .occupied("its model_providers is not a table that another can be added to")
        }
        let lineEnd = Self.lineEnd(of: original)
        var text = original
        let isJoined = !(original.isEmpty || original.last == UInt8(ascii: "\n"))
        text += Self.lines(tail(isJoined: isJoined), lineEnd, isJoined: isJoined)
        if let own = outline.root("model_provider") {
            guard !original[own.range].contains(UInt8(ascii: "\n")) else { throw .occupied("its model_provider spans several lines") }
            text.insert(contentsOf: Self.keptMark.utf8, at: own.range.lowerBound)
        }
        let start = original.starts(with: Self.byteOrderMark) ? Self.byteOrderMark.count : 0
        text.insert(contentsOf: Self.lines([Self.mark, Self.selection], lineEnd), at: start)
        // What we made is read again before anyone else has to.
        let result = try Self.outline(text)
        guard result.root("model_provider")?.string == CodexProvider.id else { throw .occupied("its model_provider cannot be set") }
        return text
    }

    private func tail(isJoined: Bool) -> [String] {
        [isJoined ? Self.joinedMark : Self.mark, Self.header] + provider.members.map { "\($0.name) = \($0.value)" }
    }

    func removed(from bytes: [UInt8], kept: [UInt8]?) throws(ToolSettingsError) -> [UInt8]? {
        let rest = try Self.removed(from: bytes)
        guard rest != bytes else { throw .absent }
        return rest.isEmpty && kept == nil ? nil : rest
    }

    func base(in bytes: [UInt8]) -> String? { Self.base(in: bytes) }

    func obstacles(in bytes: [UInt8]) -> [String] {
        Self.overridingProfile(in: bytes).map { ["its profile \"\($0)\" names another model_provider"] } ?? []
    }

    /// The file without our part; unchanged where there is none.
    static func removed(from bytes: [UInt8]) throws(ToolSettingsError) -> [UInt8] {
        _ = try outline(bytes)
        var kept: [UInt8] = []
        var isInside = false
        var marks = 0
        var joint: Int?
        for line in linesWithEnds(of: bytes) {
            let isFirst = kept.isEmpty && line.starts(with: byteOrderMark)
            if isFirst { kept += byteOrderMark }
            let text = content(of: isFirst ? line.dropFirst(byteOrderMark.count) : line)
            if text == mark || text == joinedMark {
                isInside = true
                marks += 1
                if text == joinedMark { joint = kept.count }
            } else if !isInside || !isOurs(text) {
                isInside = false
                kept += unkept(isFirst ? line.dropFirst(byteOrderMark.count) : line)
            }
        }
        guard marks == 0 || marks == 2 else { throw .damaged("one of its two parts that Keybearer wrote is gone") }
        guard marks > 0 else { return bytes }
        // The line feed that we put there now parts the user's last line from what was written behind us, if anything was.
        if joint == kept.count { dropLineEnd(of: &kept) }
        return kept
    }

    /// Whether our part is there, and where it leads.
    static func base(in bytes: [UInt8]) -> String? {
        guard let outline = try? TOMLReader.outline(bytes), outline.root("model_provider")?.string == CodexProvider.id else { return nil }
        return outline.assignments.first { $0.path == ["model_providers", CodexProvider.id, "base_url"] }?.string
    }

    /// A profile of Codex's own that selects another provider, and so goes before our selection.
    static func overridingProfile(in bytes: [UInt8]) -> String? {
        guard let outline = try? TOMLReader.outline(bytes), let name = outline.root("profile")?.string else { return nil }
        let selection = outline.assignments.first { $0.path == ["profiles", name, "model_provider"] }?.string
        return selection.flatMap { $0 == CodexProvider.id ? nil : name }
    }

    private static func isOurs(_ line: String) -> Bool {
        line == selection || line == header || CodexProvider(base: "").members.contains { line.hasPrefix("\($0.name) = ") }
    }

    // MARK: Lines

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private static func outline(_ bytes: [UInt8]) throws(ToolSettingsError) -> TOMLOutline {
        do { return try TOMLReader.outline(bytes) } catch { throw .unreadable(line: error.line, message: error.message) }
    }

    /// CR LF where the file's first line ends so.
    private static func lineEnd(of bytes: [UInt8]) -> String {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")), end > 0, bytes[end - 1] == UInt8(ascii: "\r") else { return "\n" }
        return "\r\n"
    }

    private static func lines(_ lines: [String], _ lineEnd: String, isJoined: Bool = false) -> [UInt8] {
        Array(((isJoined ? lineEnd : "") + lines.map { $0 + lineEnd }.joined()).utf8)
    }

    private static func linesWithEnds(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? bytes.count
            lines.append(bytes[start..<end])
            start = end
        }
        return lines
    }

    private static func content(of line: ArraySlice<UInt8>) -> String {
        var line = line
        while line.last == UInt8(ascii: "\n") || line.last == UInt8(ascii: "\r") { line.removeLast() }
        return String(decoding: line, as: UTF8.self)
    }

    private static func dropLineEnd(of bytes: inout [UInt8]) {
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    }

    /// The line with the user's own selection in force again.
    private static func unkept(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let indent = line.prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        let rest = line.dropFirst(indent.count)
        return rest.starts(with: keptMark.utf8) ? indent + rest.dropFirst(keptMark.utf8.count) : line
    }
}
