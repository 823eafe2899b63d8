import JSON
import Testing

@Suite struct MemberScannerTests {
    static let wanted = MemberScanner.Wanted(top: ["model", "conversation", "a", "", ""], inside: "id", anywhere: "file_id")

    /// A text and what must be found: for each wanted name its value between quotes as it stands, `-` when it is there and no string,
    /// nil when it is not there; then the references.
    struct Row: CustomTestStringConvertible {
        let text: String
        var model: String?
        var times = 1
        var conversation: String?
        var references: [String] = []
        var testDescription: String { text }
    }

    static let rows: [Row] = [
        Row(text: #"{"model":"m"}"#, model: "m"),
        Row(text: #"{ "model" : "m" }"#, model: "m"),
        Row(text: "\u{FEFF}{\"model\":\"m\"}", model: "m"),
        Row(text: "\r\n\t {\"model\"\n:\t\"m\"}", model: "m"),
        Row(text: #"{"max_tokens":5,"messages":[{"role":"user","content":"say \"model\":\"x\""}],"model":"m"}"#, model: "m"),
        Row(text: #"{"messages":[{"model":"inner"}],"metadata":{"model":"deep"},"model":"m","stream":true}"#, model: "m"),
        Row(text: #"{"stream":true,"n":1.5e3,"x":null,"model":"m"}"#, model: "m"),
        Row(text: #"{"stream":true ,"n":-1 ,"model":"m" }"#, model: "m"),
        Row(text: #"{"mod\u0065l":"m"}"#, model: "m"),
        Row(text: #"{"\u006d\u006F\u0064el":"m"}"#, model: "m"),
        Row(text: #"{"mod\u00e9l":"x","model":"m"}"#, model: "m"),
        Row(text: #"{"model\u0000":"x","model\n":"y","model":"m"}"#, model: "m"),
        Row(text: #"{"Model":"x","model ":"y","mode":"z","models":"w","model":"m"}"#, model: "m"),
        Row(text: #"{"model":"a\"b\\","x":"y"}"#, model: #"a\"b\\"#),
        Row(text: #"{"model":"m\u0040work"}"#, model: #"m\u0040work"#),
        Row(text: #"{"model":""}"#, model: ""),
        Row(text: #"{"model":null}"#, model: "-"),
        Row(text: #"{"model":5}"#, model: "-"),
        Row(text: #"{"model":["m"]}"#, model: "-"),
        Row(text: #"{"model":{"name":"m"}}"#, model: "-"),
        Row(text: #"{"model":{"id":"m"}}"#, model: "m"),
        Row(text: #"{"model":"m","model":"n"}"#, model: "m", times: 2),
        Row(text: #"{"model":null,"model":"n"}"#, model: "-", times: 2),
        Row(text: #"{"model":"m","mod\u0065l":"n","model":3}"#, model: "m", times: 3),
        Row(text: #"{"input":"x"}"#),
        Row(text: #"{}"#),
        Row(text: #"{"":"x","model":"m"}"#, model: "m"),
        Row(text: #"{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":"x","model":"m"}"#, model: "m"),
        Row(text: #"{"conversation":"conv_1"}"#, conversation: "conv_1"),
        Row(text: #"{"conversation":{"id":"conv_1","x":{"id":"no"}}}"#, conversation: "conv_1"),
        Row(text: #"{"conversation":{"x":["id",{"id":"no"}],"id" : "conv_1"}}"#, conversation: "conv_1"),
        Row(text: #"{"conversation":{"x":{"id":"no"}}}"#, conversation: "-"),
        Row(text: #"{"conversation":[{"id":"no"}]}"#, conversation: "-"),
        Row(text: #"{"conversation":{"id":5}}"#, conversation: "-"),
        Row(text: #"{"conversation":{"id":{"id":"no"}}}"#, conversation: "-"),
        Row(text: #"{"other":{"id":"no"},"model":"m"}"#, model: "m"),
        Row(
            text: #"{"input":[{"content":[{"type":"input_file","file_id":"file-1"},{"file_id" : "file-2"}]}]}"#,
            references: ["file-1", "file-2"]),
        Row(text: #"{"file_id":"top","input":{"file_id":"deep"}}"#, references: ["top", "deep"]),
        Row(text: #"{"input":["file_id","x",{"file_id":null},{"file_id":["y"]},{"file\u005fid":"z"}]}"#, references: ["z"]),
        Row(
            text: #"{"i":[{"file_id":"1"},{"file_id":"2"},{"file_id":"3"},{"file_id":"4"},{"file_id":"5"}]}"#,
            references: ["1", "2", "3", "4"]),
        Row(text: #"{"input":"\\","model":"m"}"#, model: "m"),
        Row(text: #"{"input":"\\\"","model":"m"}"#, model: "m"),
        Row(text: #"{"input":["\"]}","\\"],"model":"m"}"#, model: "m"),
        Row(text: #"{"a":"x","model":"m"}trailing {"model":"n"}"#, model: "m"),
        // No object, or none that can be followed: what was found before the flaw stands.
        Row(text: ""), Row(text: "   "), Row(text: "[\"model\"]"), Row(text: "\"model\""), Row(text: "null"), Row(text: "{model:\"m\"}"),
        Row(text: #"{"model""m"}"#, model: "-"), Row(text: #"{"model":,"model":"m"}"#, model: "-"), Row(text: #"{"model"}"#, model: "-"),
        Row(text: #"{"model":"m" "model":"n"}"#, model: "m"), Row(text: #"{,"model":"m"}"#), Row(text: #"{"x":"y",}"#),
        // A text that breaks off: what has no end is not there.
        Row(text: #"{"model":"m"#, model: "-"), Row(text: #"{"mod"#), Row(text: #"{"input":"never ends, "model":"m"}"#),
        Row(text: #"{"mod\"#), Row(text: #"{"mod\u00"#), Row(text: #"{"mod\uzzzz":"x","model":"m"}"#, model: "m"),
    ]

    @Test(arguments: rows)
    func whatIsWantedIsFound(row: Row) {
        let text = Array(row.text.utf8)
        let scanner = Self.scan(text, pieces: [text.count])
        Self.expect(row, Self.value(scanner[0], text), scanner, text)
    }

    @Test(arguments: rows)
    func itMattersNotHowTheTextIsCut(row: Row) {
        let text = Array(row.text.utf8)
        let whole = Self.summary(Self.scan(text, pieces: [text.count]))
        for cut in 0...text.count {
            #expect(Self.summary(Self.scan(text, pieces: [cut, text.count - cut])) == whole, "cut at \(cut)")
        }
        #expect(Self.summary(Self.scan(text, pieces: Array(repeating: 1, count: text.count))) == whole, "byte by byte")
    }

    /// The scanner and the reader see the same in every document that is JSON, and nothing makes the scanner fail.
    @Test(arguments: CorpusCase.all)
    func theCorpusIsReadAlike(document: CorpusCase) throws {
        let scanner = Self.scan(document.bytes, pieces: [document.bytes.count])
        let bytewise = Self.scan(document.bytes, pieces: Array(repeating: 1, count: document.bytes.count))
        #expect(Self.summary(scanner) == Self.summary(bytewise))
        guard document.expected == "accept", let object = try Reader.parse(document.bytes).object else { return }
        #expect(scanner.isOver)
        #expect((scanner[2].times > 0) == (object["a"] != nil))
        if scanner[2].times == 1 { #expect(StringContent.text(of: scanner[2].range, in: document.bytes.span) == object["a"]?.string ?? "") }
    }

    /// Documents of every shape, seeded: what the reader finds at the top level is what the scanner finds, however the text is cut.
    @Test(arguments: 1...200)
    func documentsOfAnyShapeAreReadAlike(seed: UInt64) throws {
        var generator = DocumentGenerator(seed: seed)
        let text = generator.document()
        let object = try #require(try Reader.parse(text).object)
        let scanner = Self.scan(text, pieces: generator.pieces(of: text.count))
        #expect(scanner.isOver)
        let model = scanner[0]
        #expect(Int(model.times) == generator.models)
        guard model.times == 1 else { return }
        #expect(model.isString == (object["model"]?.string != nil))
        if model.isString { #expect(StringContent.text(of: model.range, in: text.span) == object["model"]?.string) }
    }

    static func scan(_ text: [UInt8], pieces: [Int]) -> MemberScanner {
        var scanner = MemberScanner(wanted)
        var at = 0
        for count in pieces {
            scanner.feed(text.span.bytes.extracting(at..<at + count))
            at += count
        }
        return scanner
    }

    private static func value(_ found: MemberScanner.Found, _ text: [UInt8]) -> String? {
        guard found.times > 0 else { return nil }
        return found.isString ? String(decoding: text[found.range], as: UTF8.self) : "-"
    }

    private static func expect(_ row: Row, _ model: String?, _ scanner: MemberScanner, _ text: [UInt8]) {
        #expect(model == row.model)
        #expect(Int(scanner[0].times) == (row.model == nil ? 0 : row.times))
        #expect(value(scanner[1], text) == row.conversation)
        let references = (0..<scanner.referenceCount).map { value(scanner.references[$0], text) }
        #expect(references == row.references)
    }

    /// Everything that can be seen of a scanner.
    private static func summary(_ scanner: MemberScanner) -> [String] {
        let found = (0..<3).map { scanner[$0] } + (0..<scanner.referenceCount).map { scanner.references[$0] }
        return found.map { "\($0)" } + ["\(scanner.isOver) \(scanner.offset)"]
    }
}

/// JSON objects with members called `model` at the top and elsewhere.
struct DocumentGenerator {
    private var state: UInt64
    private(set) var models = 0

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

    mutating func document() -> [UInt8] {
        var members: [String] = []
        for _ in 0..<roll(6) { members.append("\(space())\(name())\(space()):\(space())\(value(depth: 0))\(space())") }
        if roll(4) > 0 {
            models += 1
            let spelling = roll(3) == 0 ? #""m\u006fdel""# : #""model""#
            members.insert("\(spelling):\(roll(5) == 0 ? "12" : string())", at: roll(members.count + 1))
        }
        return Array("\(space()){\(members.joined(separator: ","))}\(space())".utf8)
    }

    mutating func pieces(of count: Int) -> [Int] {
        var left = count
        var pieces: [Int] = []
        while left > 0 {
            pieces.append(min(left, 1 + roll(40)))
            left -= pieces[pieces.count - 1]
        }
        return pieces
    }

    private mutating func value(depth: Int) -> String {
        switch roll(depth > 4 ? 4 : 6) {
        case 0: return string()
        case 1: return "\(roll(1000)).5e-3"
        case 2: return ["true", "false", "null"][roll(3)]
        case 3: return string()
        case 4: return "[" + (0..<roll(4)).map { _ in space() + value(depth: depth + 1) }.joined(separator: ",") + "]"
        default: return "{" + (0..<roll(4)).map { _ in "\(string()):\(value(depth: depth + 1))" }.joined(separator: " ,") + "}"
        }
    }

    private mutating func name() -> String { [#""messages""#, #""mod\"el""#, #""models""#, #""x""#, #""""#, #""stream""#][roll(6)] }

    private mutating func string() -> String {
        let parts = [
            "model", #"\""#, #"\\"#, "{", "]", "}", "[", #"\u00e9"#, #"\n"#, "ü", String(repeating: "lorem ", count: 30), ":", ",",
        ]
        return "\"" + (0..<roll(6)).map { _ in parts[roll(parts.count)] }.joined() + "\""
    }

    private mutating func space() -> String { ["", "", " ", "\n\t"][roll(4)] }

    private mutating func roll(_ sides: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return sides == 0 ? 0 : Int((state >> 33) % UInt64(sides))
    }
}
