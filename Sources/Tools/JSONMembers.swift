internal import JSON

/// Members that Keybearer puts into another program's JSON file, and takes out again. Pure.
///
/// JSON has no way to mark them. What they replaced is in the copy that was kept. While nobody else has changed the file, taking out is
/// putting that copy back, to the byte; else (a program writes its file anew when it remembers something) the members go one by one.
struct JSONMembers: Sendable {
    /// One string and where it stands.
    struct Member: Sendable, Equatable {
        let path: [String]
        let value: String
    }

    /// Where anything of ours can stand, in the order in which it is put in.
    let paths: [[String]]
    let grammar: JSONText.Grammar
    /// Whether our part is there.
    let isOurs: @Sendable (JSONText) -> Bool

    /// The file with `members` in it. nil stands for no file, and one of white space alone is no better.
    func installed(_ members: [Member], in original: [UInt8]?) throws(ToolSettingsError) -> [UInt8] {
        var text = try JSONText(Self.content(of: original) ?? Array("{}\n".utf8), grammar)
        // Each is put first, so that they end up in order.
        for path in paths.reversed() {
            guard let value = members.first(where: { $0.path == path })?.value else { continue }
            try Self.makeParents(of: path, in: &text)
            // A value that is right already keeps its spelling.
            guard text.string(at: path) != value else { continue }
            text.set(Writer.compact(.string(value)), at: path)
        }
        // What we made is read again before anyone else has to.
        return try JSONText(text.bytes, grammar).bytes
    }

    /// The file without our part; nil when it was ours alone.
    ///
    /// - Parameters:
    ///   - bytes: the file as it is now.
    ///   - kept: the copy made when our part was put in; nil when there was no file then, or the copy is gone.
    func removed(from bytes: [UInt8], kept: [UInt8]?) throws(ToolSettingsError) -> [UInt8]? {
        var text = try JSONText(bytes, grammar)
        guard isOurs(text) else { throw .absent }
        let before = try Self.content(of: kept).map { content throws(ToolSettingsError) in try JSONText(content, grammar) }
        let ours = paths.compactMap { path in text.string(at: path).map { Member(path: path, value: $0) } }
            .filter { $0.value != before?.string(at: $0.path) }
        if try installed(ours, in: kept) == bytes { return kept }
        for member in ours {
            if let value = before?.value(at: member.path) {
                text.set(value, at: member.path)
            } else {
                text.remove(at: member.path)
                Self.removeParents(of: member.path, from: &text, unlessIn: before)
            }
        }
        return try JSONText(text.bytes, grammar).bytes
    }

    private static func makeParents(of path: [String], in text: inout JSONText) throws(ToolSettingsError) {
        for length in 1..<path.count {
            let parent = Array(path[..<length])
            if text.value(at: parent) == nil { text.set(Array("{}".utf8), at: parent) }
            guard text.isObject(at: parent) else { throw .occupied("its \(parent.joined(separator: ".")) is not an object") }
        }
    }

    /// Objects that were made for us, when nothing is left in them.
    private static func removeParents(of path: [String], from text: inout JSONText, unlessIn before: JSONText?) {
        for length in (1..<path.count).reversed() {
            let parent = Array(path[..<length])
            guard text.count(at: parent) == 0, before?.value(at: parent) == nil else { return }
            text.remove(at: parent)
        }
    }

    private static func content(of bytes: [UInt8]?) -> [UInt8]? {
        bytes.flatMap { $0.allSatisfy(JSONComments.isSpace) ? nil : $0 }
    }
}
