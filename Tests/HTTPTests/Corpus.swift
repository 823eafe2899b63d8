import Glibc
import Testing

/// One case of `Corpus/http1.jsonl`.
struct CorpusCase: CustomTestStringConvertible, Sendable {
    let name: String
    let bytes: [UInt8]
    /// What a strict reference parser made of it: `ok`, `bad` or `incomplete`.
    let strict: String
    /// Requests that it read before it came to that end.
    let strictRequests: Int

    var testDescription: String { name }

    /// All cases, in the file's order.
    static let all: [CorpusCase] = {
        let path = #filePath.dropLast("Corpus.swift".count) + "Corpus/http1.jsonl"
        guard let file = fopen(String(path), "r") else { fatalError("cannot open \(path)") }
        defer { fclose(file) }
        var content: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&block, 1, block.count, file), count > 0 { content += block[..<count] }
        return content.split(separator: UInt8(ascii: "\n")).map { CorpusCase(line: Array($0)) }
    }()

    private init(line: [UInt8]) {
        name = String(decoding: Self.member("name", of: line), as: UTF8.self)
        bytes = Self.decodedBase64(Self.member("b64", of: line))
        strict = String(decoding: Self.member("strict", of: line), as: UTF8.self)
        strictRequests = Int(String(decoding: Self.member("strict_requests", of: line), as: UTF8.self)) ?? -1
    }

    /// The text of a string or number member of a line that Python's `json.dumps` wrote: a space behind each colon, only ASCII.
    /// `\uXXXX` stays as it is: names only tell cases apart.
    private static func member(_ name: String, of line: [UInt8]) -> [UInt8] {
        let key = Array("\"\(name)\": ".utf8)
        guard let start = (0...line.count - key.count).first(where: { line[$0...].starts(with: key) }) else { return [] }
        var at = start + key.count
        guard line[at] == UInt8(ascii: "\"") else { return Array(line[at...].prefix { $0 >= 0x30 && $0 <= 0x39 }) }
        at += 1
        var text: [UInt8] = []
        while line[at] != UInt8(ascii: "\"") {
            if line[at] == UInt8(ascii: "\\"), line[at + 1] != UInt8(ascii: "u") { at += 1 }
            text.append(line[at])
            at += 1
        }
        return text
    }

    private static func decodedBase64(_ text: [UInt8]) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var bytes: [UInt8] = []
        var bits = 0
        var width = 0
        for character in text {
            guard let value = alphabet.firstIndex(of: character) else { continue }
            bits = (bits << 6 | value) & 0xffff
            width += 6
            if width >= 8 {
                width -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> width))
            }
        }
        return bytes
    }
}
