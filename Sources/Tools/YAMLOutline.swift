/// The members of a YAML document that is one block mapping, as far as an editor that leaves everything else alone has to know. Whatever
/// is not clearly that is refused: a settings file is people's own, and is not guessed about.
struct YAMLOutline {
    /// One member of the document.
    struct Member: Equatable {
        let name: String
        /// From its name to its last line, from 0.
        let lines: Range<Int>
        /// Its value is a list with one item a line, indented so; nil when it is something else.
        let itemIndent: String?
    }

    private(set) var members: [Member] = []

    init(_ bytes: [UInt8]) throws(ToolSettingsError) {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .unreadable(line: nil, message: "it is not UTF-8") }
        let lines = TaggedLines.lines(of: Array(text.utf8)).map(TaggedLines.content)
        var starts: [(name: String, line: Int)] = []
        for (number, line) in lines.enumerated() {
            guard let first = line.first, first != "#", first != " ", !(number == 0 && line == "---") else { continue }
            // A list may stand at the left, below its member.
            if line.hasPrefix("- "), !starts.isEmpty { continue }
            guard let name = Self.name(line) else {
                throw .unreadable(line: number + 1, message: "expected `name: value` at the start of the line, or an indented line")
            }
            if starts.contains(where: { $0.name == name }) { throw .unreadable(line: number + 1, message: "\(name) is given twice") }
            starts.append((name, number))
        }
        for (index, start) in starts.enumerated() {
            let end = index + 1 < starts.count ? starts[index + 1].line : lines.count
            members.append(Self.member(start.name, lines, start.line..<end))
        }
    }

    private static func member(_ name: String, _ lines: [String], _ range: Range<Int>) -> Member {
        // Empty lines and comments at the end are about what follows.
        let last = range.last { $0 == range.lowerBound || !isEmpty(lines[$0]) } ?? range.lowerBound
        let items = lines[(range.lowerBound + 1)..<(last + 1)].filter { !isEmpty($0) }
        let hasValue = !isEmpty(String(lines[range.lowerBound].dropFirst(name.count + 1)))
        let indent = items.first.map { String($0.prefix { $0 == " " }) }
        let isList = !hasValue && items.first.map { $0.dropFirst(indent?.count ?? 0).hasPrefix("- ") } ?? false
        return Member(name: name, lines: range.lowerBound..<(last + 1), itemIndent: isList ? indent : nil)
    }

    private static func isEmpty(_ line: String) -> Bool { line.first { $0 != " " && $0 != "\t" }.map { $0 == "#" } ?? true }

    /// A plain name and the colon behind it.
    private static func name(_ line: String) -> String? {
        guard let colon = line.firstIndex(of: ":"), colon > line.startIndex else { return nil }
        let name = line[..<colon]
        let behind = line[line.index(after: colon)...].first
        guard name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }), behind.map({ $0 == " " }) ?? true
        else { return nil }
        return String(name)
    }

    /// A double-quoted scalar (YAML 1.2 §7.3.1) of what a variable can hold.
    static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
