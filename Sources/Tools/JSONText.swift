internal import JSON

/// The bytes of a JSON document, with edits that leave every other byte where it is. The document has been checked by a reader, so that
/// finding one's way in it takes no further checks.
struct JSONText {
    private(set) var bytes: [UInt8]

    /// What a tool reads.
    enum Grammar: Sendable {
        /// RFC 8259.
        case strict
        /// With comments, and a comma behind the last member: what editors call JSONC.
        case withComments
    }

    /// One member of an object, as offsets.
    private struct Member {
        let name: String
        let start: Int
        let value: Range<Int>
    }

    /// An object: the offsets of its braces, and its members.
    private struct Place {
        let open: Int
        let close: Int
        let members: [Member]
    }

    /// The text of an object.
    ///
    /// - Throws: where and why it is none; a name given twice in one object is no object either.
    init(_ bytes: [UInt8], _ grammar: Grammar = .strict) throws(ToolSettingsError) {
        do throws(SyntaxError) {
            let isObject: Bool
            switch grammar {
            case .strict: isObject = try Reader.parse(bytes, duplicateNames: .refused).object != nil
            case .withComments:
                // JSON5 is wider than what such tools read: the rest of it is refused by words and quotes.
                isObject = try JSON5Reader.parse(bytes).plain.object != nil
                try JSONComments.check(bytes)
            }
            guard isObject else { throw SyntaxError(line: 1, column: 1, message: "expected an object") }
        } catch {
            throw .unreadable(line: error.line, message: error.message)
        }
        self.bytes = bytes
    }

    /// The text of the value at `path`; nil when there is none.
    func value(at path: [String]) -> [UInt8]? {
        guard let name = path.last, let place = object(at: path.dropLast()) else { return nil }
        return place.members.first { $0.name == name }.map { Array(bytes[$0.value]) }
    }

    /// The string at `path`; nil when there is none.
    func string(at path: [String]) -> String? {
        value(at: path).flatMap { try? Reader.parse($0).string }
    }

    /// Whether what stands at `path` is an object.
    func isObject(at path: [String]) -> Bool { object(at: path[...]) != nil }

    /// How many members the object at `path` has.
    func count(at path: [String]) -> Int { object(at: path[...])?.members.count ?? 0 }

    /// Puts `text` at `path`, whose parent is an object: in place of the value there, or as the parent's first member.
    mutating func set(_ text: [UInt8], at path: [String]) {
        guard let name = path.last, let place = object(at: path.dropLast()) else { return }
        if let member = place.members.first(where: { $0.name == name }) {
            bytes.replaceSubrange(member.value, with: text)
            return
        }
        let quoted = Writer.compact(.string(name)) + Array(": ".utf8) + text
        if let first = place.members.first {
            // Laid out as the member that was first; a comment that stands before that one stays with it or above us.
            let space = bytes[place.open + 1..<first.start].reversed().prefix { JSONComments.isSpace($0) }.reversed()
            bytes.insert(contentsOf: quoted + Array(",".utf8) + space, at: first.start)
        } else {
            let indent = lineIndent(at: place.open)
            let hasLine = bytes[place.open + 1..<place.close].contains(UInt8(ascii: "\n"))
            let end = hasLine ? [] : Array("\n".utf8) + indent
            bytes.insert(contentsOf: Array("\n".utf8) + indent + Array("  ".utf8) + quoted + end, at: place.open + 1)
        }
    }

    /// Takes the member at `path` out, with the comma and the white space that parted it from its neighbour.
    mutating func remove(at path: [String]) {
        guard let name = path.last, let place = object(at: path.dropLast()),
            let index = place.members.firstIndex(where: { $0.name == name })
        else { return }
        let member = place.members[index]
        if index + 1 < place.members.count {
            // Behind the comma white space alone goes: a comment there is about what follows.
            let comma = spaceEnd(member.value.upperBound)
            let rest = bytes[(comma + 1)...].firstIndex { !JSONComments.isSpace($0) } ?? comma + 1
            bytes.removeSubrange(member.start..<rest)
        } else if index > 0 {
            bytes.removeSubrange(place.members[index - 1].value.upperBound..<member.value.upperBound)
        } else {
            bytes.removeSubrange(place.open + 1..<place.close)
        }
    }

    // MARK: Finding

    private func object(at path: ArraySlice<String>) -> Place? {
        var place = object(at: spaceEnd(bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0))
        for name in path {
            guard let member = place?.members.first(where: { $0.name == name }) else { return nil }
            place = object(at: member.value.lowerBound)
        }
        return place
    }

    private func object(at open: Int) -> Place? {
        guard bytes[open] == UInt8(ascii: "{") else { return nil }
        var members: [Member] = []
        var at = spaceEnd(open + 1)
        while bytes[at] != UInt8(ascii: "}") {
            let start = at
            let nameEnd = valueEnd(at)
            let value = spaceEnd(spaceEnd(nameEnd) + 1)
            let end = valueEnd(value)
            let name = (try? Reader.parse(Array(bytes[start..<nameEnd])).string) ?? ""
            members.append(Member(name: name, start: start, value: value..<end))
            at = spaceEnd(end)
            if bytes[at] == UInt8(ascii: ",") { at = spaceEnd(at + 1) }
        }
        return Place(open: open, close: at, members: members)
    }

    /// The offset behind the value that begins at `start`.
    private func valueEnd(_ start: Int) -> Int {
        var at = start
        var depth = 0
        repeat {
            switch bytes[at] {
            case UInt8(ascii: "\""): at = stringEnd(at)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                at += 1
            case UInt8(ascii: "/"): at = JSONComments.end(of: at, in: bytes)
            default:
                at += 1
                // A literal goes on to the next character that ends one.
                while depth == 0, at < bytes.count, !" \t\r\n,]}:/".utf8.contains(bytes[at]) { at += 1 }
            }
        } while depth > 0
        return at
    }

    private func stringEnd(_ start: Int) -> Int {
        var at = start + 1
        while bytes[at] != UInt8(ascii: "\"") { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
        return at + 1
    }

    /// The offset of what follows white space and comments.
    private func spaceEnd(_ start: Int) -> Int {
        var at = start
        while at < bytes.count {
            if JSONComments.isSpace(bytes[at]) {
                at += 1
            } else if bytes[at] == UInt8(ascii: "/") {
                at = JSONComments.end(of: at, in: bytes)
            } else {
                break
            }
        }
        return at
    }

    /// The white space that the line of `offset` begins with.
    private func lineIndent(at offset: Int) -> [UInt8] {
        let start = bytes[..<offset].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return Array(bytes[start..<offset].prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") })
    }
}
