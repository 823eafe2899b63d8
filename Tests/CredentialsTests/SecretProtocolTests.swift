import JSON
import Testing

@testable import Credentials

@Suite struct SecretProtocolTests {
    struct Row: CustomTestStringConvertible, Sendable {
        let output: String
        var ids = ["a"]
        var jsonOnly = false
        /// What each id leads to; a text that begins with `!` is a word of the reason.
        let expected: [String]
        var testDescription: String { output }
    }

    static let rows = [
        Row(output: #"{"protocolVersion":1,"values":{"a":"one","b":"two"}}"#, ids: ["a", "b"], expected: ["one", "two"]),
        Row(
            output: #"{"protocolVersion":1,"values":{"a":"one"},"errors":{"b":{"message":"no such item"}}}"#, ids: ["a", "b"],
            expected: ["one", "!no such item"]),
        Row(output: #"{"protocolVersion":1,"values":{},"errors":{"a":{}}}"#, expected: ["!no such secret"]),
        Row(output: #"{"protocolVersion":1,"values":{"b":"x"}}"#, expected: ["!did not speak of it"]),
        Row(output: #"{"protocolVersion":1,"values":{"a":7}}"#, expected: ["!a number"]),
        Row(output: #"{"protocolVersion":1,"values":{"a":""}}"#, expected: ["!empty"]),
        Row(output: #"{"protocolVersion":1,"values":{"a":"x\ny"}}"#, expected: ["!header"]),
        Row(output: #"{"protocolVersion":2,"values":{"a":"one"}}"#, expected: ["!protocolVersion"]),
        Row(output: #"{"values":{"a":"one"}}"#, expected: ["!protocolVersion"]),
        Row(output: #"{"protocolVersion":1}"#, expected: ["!values"]),
        Row(output: "  bare-text\n", expected: ["bare-text"]),
        Row(output: #""quoted""#, expected: ["quoted"]),
        Row(output: "bare", ids: ["a", "b"], expected: ["!JSON", "!JSON"]),
        Row(output: "bare", jsonOnly: true, expected: ["!JSON"]),
        Row(output: "", expected: ["!empty"]),
        Row(output: "two words", expected: ["!header"]),
        Row(output: "{\"protocolVersion\":1,", expected: ["{\"protocolVersion\":1,"]),
        Row(output: "{\"protocolVersion\":1,", jsonOnly: true, expected: ["!JSON"]),
        Row(output: "\u{1}\u{2}garbage\u{fffd}", expected: ["!header"]),
    ]

    @Test(arguments: rows) func anAnswerIsReadByTheProtocol(row: Row) {
        let answers = SecretProtocol.answers(Array(row.output.utf8), to: row.ids, jsonOnly: row.jsonOnly)
        #expect(answers.count == row.ids.count)
        for (id, expected) in zip(row.ids, row.expected) {
            switch answers[id] {
            case .success(let secret): #expect(secret.revealed == expected)
            case .failure(let failure):
                #expect(expected.hasPrefix("!") && failure.reason.contains(expected.dropFirst()), "\(failure.reason)")
            case nil: Issue.record("\(id) has no answer")
            }
        }
    }

    @Test func theQuestionIsUpstreamsAndBounded() throws {
        let question = try SecretProtocol.question(["a", "b/c"], alias: "vault")
        #expect(String(decoding: question, as: UTF8.self) == #"{"protocolVersion":1,"provider":"vault","ids":["a","b/c"]}"#)
        #expect(throws: UnresolvedReference.self) { try SecretProtocol.question((0...512).map(String.init), alias: "v") }
        #expect(throws: UnresolvedReference.self) { try SecretProtocol.question([String(repeating: "x", count: 256 << 10)], alias: "v") }
    }

    @Test func aProgramsOwnWordsAreCutAndHoldNoControlCharacter() {
        let long = String(repeating: "x", count: 500)
        let answers = SecretProtocol.answers(
            Writer.compact(["protocolVersion": 1, "values": [:], "errors": ["a": ["message": .string("\u{1b}[31m" + long)]]]), to: ["a"],
            jsonOnly: true)
        guard case .failure(let failure) = answers["a"] else { return #expect(Bool(false)) }
        #expect(!failure.reason.contains("\u{1b}") && failure.reason.utf8.count < 200)
    }
}
