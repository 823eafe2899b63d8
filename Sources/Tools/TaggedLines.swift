/// Lines that Keybearer puts into another program's file, in a language whose comments begin with `#`, and takes out again with every
/// other byte where it was. Each of ours ends with a tag; a line of the user's that must not count meanwhile is a comment. Pure.
enum TaggedLines {
    static let tag = "  # keybearer"
    /// The file ended without a line feed, so that one was put before this line.
    private static let joinedTag = tag + ", and the line feed before it"
    static let keptMark = "# keybearer keeps this: "

    /// Whether one of ours is there.
    static func areThere(in bytes: [UInt8]) -> Bool { lines(of: bytes).contains { isOurs($0) } }

    /// The file with `lines` at its end.
    static func appended(_ lines: [String], to bytes: [UInt8]) -> [UInt8] {
        let lineEnd = lineEnd(of: bytes)
        let isJoined = !(bytes.isEmpty || bytes.last == UInt8(ascii: "\n"))
        let texts = lines.enumerated().map { $1 + ($0 == 0 && isJoined ? joinedTag : tag) + lineEnd }
        return bytes + Array(((isJoined ? lineEnd : "") + texts.joined()).utf8)
    }

    /// The file with `lines` behind its line number `number`, from 0, which ends with a line feed.
    static func inserted(_ lines: [String], behind number: Int, in bytes: [UInt8]) -> [UInt8] {
        let all = self.lines(of: bytes)
        let text = lines.map { $0 + tag + lineEnd(of: bytes) }.joined()
        return all[...number].flatMap { $0 } + Array(text.utf8) + all[(number + 1)...].flatMap { $0 }
    }

    /// The file with those lines turned into comments.
    static func keeping(_ numbers: Set<Int>, in bytes: [UInt8]) -> [UInt8] {
        lines(of: bytes).enumerated().flatMap { numbers.contains($0) ? Array(keptMark.utf8) + $1 : Array($1) }
    }

    /// The file without ours, and with the user's in force again.
    static func removed(from bytes: [UInt8]) -> [UInt8] {
        var rest: [UInt8] = []
        var joint: Int?
        for line in lines(of: bytes) {
            if isOurs(line) {
                if content(of: line).hasSuffix(joinedTag) { joint = rest.count }
            } else {
                rest += line.starts(with: keptMark.utf8) ? line.dropFirst(keptMark.utf8.count) : line
            }
        }
        // The line feed that we put there now parts the user's last line from what was written behind us, if anything was.
        if joint == rest.count, joint != nil { dropLineEnd(of: &rest) }
        return rest
    }

    // MARK: Lines

    /// With their ends.
    static func lines(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? bytes.count
            lines.append(bytes[start..<end])
            start = end
        }
        return lines
    }

    /// A line without its end.
    static func content(of line: ArraySlice<UInt8>) -> String {
        var line = line
        while line.last == UInt8(ascii: "\n") || line.last == UInt8(ascii: "\r") { line.removeLast() }
        return String(decoding: line, as: UTF8.self)
    }

    private static func isOurs(_ line: ArraySlice<UInt8>) -> Bool {
        let text = content(of: line)
        return text.hasSuffix(tag) || text.hasSuffix(joinedTag)
    }

    /// CR LF where the file's first line ends so.
    private static func lineEnd(of bytes: [UInt8]) -> String {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")), end > 0, bytes[end - 1] == UInt8(ascii: "\r") else { return "\n" }
        return "\r\n"
    }

    private static func dropLineEnd(of bytes: inout [UInt8]) {
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    }
}
