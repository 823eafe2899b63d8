import Glibc
import JSON
import Testing

/// JSONTestSuite: Corpus/README.md.
struct CorpusCase: CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let expected: String

    var testDescription: String { name }

    static let all: [CorpusCase] = {
        let text = contents(of: #filePath.replacing("CorpusTests.swift", with: "Corpus/json.jsonl"))
        return text.split(separator: UInt8(ascii: "\n")).map { line in
            guard let value = try? Reader.parse(Array(line)), let name = value["name"]?.string,
                let base64 = value["b64"]?.string, let expected = value["expect"]?.string
            else { preconditionFailure("the corpus does not parse") }
            return CorpusCase(name: name, bytes: decodeBase64(base64), expected: expected)
        }
    }()
}

@Suite struct CorpusTests {
    @Test func everyCaseOfTheSuiteIsHere() {
        let counts = Dictionary(grouping: CorpusCase.all, by: \.expected).mapValues(\.count)
        #expect(counts == ["accept": 95, "reject": 188, "either": 35])
    }

    @Test(arguments: CorpusCase.all)
    func verdictIsTheSuites(_ document: CorpusCase) {
        let isAccepted = (try? Reader.parse(document.bytes)) != nil
        switch document.expected {
        case "accept": #expect(isAccepted)
        case "reject": #expect(!isAccepted)
        default: #expect(isAccepted == Self.acceptedByChoice(document.name), "the suite leaves \(document.name) open; we do not")
        }
    }

    @Test(arguments: CorpusCase.all.filter { $0.expected == "accept" || CorpusTests.acceptedByChoice($0.name) })
    func whatIsReadIsWrittenBackUnchanged(_ document: CorpusCase) throws {
        let value = try Reader.parse(document.bytes)
        #expect(try Reader.parse(Writer.compact(value)) == value)
        #expect(try Reader.parse(Writer.pretty(value)) == value)
        #expect(try Reader.parse(Writer.pretty(value), duplicateNames: .refused) == value)
    }

    /// JSON5 is a superset of JSON: what the strict reader takes, the wider one takes to mean the same.
    @Test(arguments: CorpusCase.all.filter { $0.expected == "accept" })
    func json5ReadsJSONAlike(_ document: CorpusCase) throws {
        // Two members of one name are an error in settings.
        if document.name.contains("duplicated_key") {
            #expect(throws: SyntaxError.self) { try JSON5Reader.parse(document.bytes) }
        } else {
            let strict = try Reader.parse(document.bytes)
            #expect(try JSON5Reader.parse(document.bytes).plain == strict)
        }
    }

    /// Numbers keep their text whatever their size; half a surrogate pair and bytes that are not UTF-8 are refused.
    static func acceptedByChoice(_ name: String) -> Bool {
        name.hasPrefix("i_number") || name == "i_structure_500_nested_arrays.json" || name == "i_structure_UTF-8_BOM_empty_object.json"
    }
}

private func contents(of path: String) -> [UInt8] {
    guard let file = fopen(path, "r") else { preconditionFailure("no corpus at \(path)") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
    return bytes
}

private func decodeBase64(_ text: String) -> [UInt8] {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var bytes: [UInt8] = []
    var pending: UInt32 = 0
    var bits: UInt32 = 0
    for symbol in text.utf8 {
        guard let value = alphabet.firstIndex(of: symbol) else { break }
        pending = pending << 6 | UInt32(value)
        bits += 6
        if bits >= 8 {
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: pending >> bits))
        }
    }
    return bytes
}
