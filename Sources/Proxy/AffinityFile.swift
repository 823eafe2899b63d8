internal import Files
internal import Routing

/// The file that `Affinities` are kept in: lines of text, the profiles once each and numbered within the file. No secret is in it, and no
/// id of a session, only its hash.
///
///     keybearer-sessions 1 <salt>
///     profile <provider> <agent> <id>          percent-encoded
///     session <key> <home> <last> <pin> <seconds>
///     stored <key> <home> - - <seconds>
struct AffinityFile {
    /// A profile as the file names it.
    struct Profile: Hashable {
        let provider: String, agent: String, id: String
    }
    struct Entry: Equatable {
        let kind: AffinityKey.Kind
        let key: AffinityKey
        var home: Profile?, last: Profile?, pin: Profile?
        var used: UInt32
    }
    let salt: UInt64
    var entries: [Entry]

    private static let title = "keybearer-sessions 1"

    // MARK: Reading

    /// The file at `path`; nil when it is not there, not private, or no such file: then everything begins anew.
    static func read(_ path: String) -> AffinityFile? {
        guard let file = try? PrivateFile.read(path, limit: 64 << 20) else { return nil }
        return AffinityFile(text: file.bytes)
    }

    init(salt: UInt64, entries: [Entry]) {
        self.salt = salt
        self.entries = entries
    }

    /// A line that cannot be understood is passed over.
    init?(text: [UInt8]) {
        var lines = text.split(separator: UInt8(ascii: "\n")).makeIterator()
        guard let first = lines.next().map({ String(decoding: $0, as: UTF8.self) }), first.hasPrefix(Self.title + " "),
            let salt = UInt64(first.dropFirst(Self.title.utf8.count + 1), radix: 16)
        else { return nil }
        self.salt = salt
        entries = []
        var profiles: [Profile] = []
        while let line = lines.next() {
            let words = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
            switch words.first {
            case "profile" where words.count == 4:
                let names = words[1...].map { Self.decode($0) }
                profiles.append(Profile(provider: names[0], agent: names[1], id: names[2]))
            case "session" where words.count == 6, "stored" where words.count == 6:
                if let entry = Self.entry(words, profiles) { entries.append(entry) }
            default: continue
            }
        }
    }

    private static func entry(_ words: [String], _ profiles: [Profile]) -> Entry? {
        guard let key = AffinityKey(words[1]), let used = UInt32(words[5]) else { return nil }
        func profile(_ word: String) -> Profile? {
            guard let number = Int(word), profiles.indices.contains(number) else { return nil }
            return profiles[number]
        }
        return Entry(
            kind: words[0] == "session" ? .session : .stored, key: key, home: profile(words[2]), last: profile(words[3]),
            pin: profile(words[4]), used: used)
    }

    private static func decode(_ word: String) -> String {
        PercentText.decode(Array(word.utf8).span) ?? ""
    }

    // MARK: Writing

    /// Replaces the file. Nil, or why that failed.
    func write(_ path: String) -> String? {
        do throws(FileError) {
            try PrivateFile.replace(path, with: text)
            return nil
        } catch {
            return error.description
        }
    }

    /// The file's text.
    var text: [UInt8] {
        var numbers: [Profile: Int] = [:]
        var head = Array("\(Self.title) \(String(salt, radix: 16))\n".utf8)
        var lines: [UInt8] = []
        func number(_ profile: Profile?) -> String {
            guard let profile else { return "-" }
            if let known = numbers[profile] { return String(known) }
            let words = [profile.provider, profile.agent, profile.id].map { PercentText.encode($0) }
            head += Array("profile \(words.joined(separator: " "))\n".utf8)
            numbers[profile] = numbers.count
            return String(numbers.count - 1)
        }
        for entry in entries {
            let word = entry.kind == .session ? "session" : "stored"
            lines += Array("\(word) \(entry.key) \(number(entry.home)) \(number(entry.last)) \(number(entry.pin)) \(entry.used)\n".utf8)
        }
        return head + lines
    }
}
