import JSON
import Testing

@Suite struct ReaderTests {
    @Test(arguments: [
        ("", 1, 1, "expected a value, found the end of the file"),
        ("{\n  \"a\": 1,\n}", 3, 1, "expected a member's name in double quotes, found '}'"),
        ("{\"a\" 1}", 1, 6, "expected ':' after the member's name, found '1'"),
        ("[1 2]", 1, 4, "expected ',' or ']' after the element, found '2'"),
        ("{\"é\": tru}", 1, 7, "expected a value ({, [, a string in double quotes, a number, true, false or null), found 't'"),
        ("[\"a\nb\"]", 1, 4, "the string is not closed on its line"),
        ("[\"a\u{1}\"]", 1, 4, "the control character 0x01 in a string must be written as an escape"),
        ("[\"\\q\"]", 1, 4, "expected one of \" \\ / b f n r t u after a backslash, found 'q'"),
        ("[\"\\u12G4\"]", 1, 7, "expected 4 hexadecimal digits in this escape, found 'G'"),
        ("[\"\\uD800\"]", 1, 3, "this \\u escape is one half of a surrogate pair without the other; write the character itself"),
        ("[\"\\uD800\\u0041\"]", 1, 3, "this \\u escape is one half of a surrogate pair without the other; write the character itself"),
        ("[01]", 1, 3, "this is not a number that JSON allows (such as 12, -0.5 or 1e9)"),
        ("[\r\n1,\r\r2 3]", 4, 3, "expected ',' or ']' after the element, found '3'"),
        ("1 // no", 1, 3, "expected the end of the file after the value, found '/'"),
    ])
    func errorSaysWhereAndWhatWasExpected(text: String, line: Int, column: Int, message: String) {
        #expect(throws: SyntaxError(line: line, column: column, message: message)) { try Reader.parse(Array(text.utf8)) }
    }

    @Test func errorNeverQuotesASecret() {
        let error = #expect(throws: SyntaxError.self) { try Reader.parse(Array("{\"key\": sk-secret-1234}".utf8)) }
        #expect(error?.description.contains("k-secret") == false)
    }

    @Test func bytesThatAreNotUTF8AreRefusedWithTheirPlace() {
        let document = Array("{\n\"aé".utf8) + [0xC3, 0x28] + Array("\": 1}".utf8)
        #expect(throws: SyntaxError(line: 2, column: 4, message: "the bytes here are not UTF-8 text")) { try Reader.parse(document) }
    }

    @Test(arguments: [
        ("\"\\u00e9\\uD83D\\uDE00\\n\\/\"", "é😀\n/"), ("\"plain\"", "plain"), ("\"\"", ""), ("\"a\\\\b\\\"c\"", "a\\b\"c"),
        ("\"\\u0000\"", "\0"), ("\"😀\\tx\"", "😀\tx"),
    ])
    func stringsAreUnescaped(text: String, meaning: String) throws {
        #expect(try Reader.parse(Array(text.utf8)) == .string(meaning))
    }

    @Test(arguments: [(512, true), (513, false), (1_000_000, false)])
    func nestingIsBounded(depth: Int, isAccepted: Bool) {
        let arrays = [UInt8](repeating: UInt8(ascii: "["), count: depth) + [UInt8](repeating: UInt8(ascii: "]"), count: depth)
        #expect(((try? Reader.parse(arrays)) != nil) == isAccepted)
        #expect(((try? JSON5Reader.parse(arrays)) != nil) == isAccepted)
        let objects =
            Array(String(repeating: "{\"a\":", count: depth).utf8) + [UInt8(ascii: "0")]
            + [UInt8](repeating: UInt8(ascii: "}"), count: depth)
        #expect(((try? Reader.parse(objects)) != nil) == isAccepted)
        #expect(((try? JSON5Reader.parse(objects)) != nil) == isAccepted)
    }

    @Test func nestingCountsWhatIsOpenAndNotWhatWas() throws {
        let text = "[" + Array(repeating: "[]", count: 2_000).joined(separator: ",") + "]"
        #expect(try Reader.parse(Array(text.utf8)).array?.count == 2_000)
    }

    @Test func ofTwoMembersOfOneNameTheLastValueCountsAtTheFirstPlace() throws {
        let document = Array("{\"a\":1,\"b\":2,\"a\":3}".utf8)
        #expect(Writer.compact(try Reader.parse(document)) == Array("{\"a\":3,\"b\":2}".utf8))
        #expect(throws: SyntaxError(line: 1, column: 14, message: "this object already has a member of this name")) {
            try Reader.parse(document, duplicateNames: .refused)
        }
    }

    @Test func namesThatOnlyLookAlikeAreTwoMembers() throws {
        let document = Array("{\"\u{E9}\":1,\"e\u{301}\":2}".utf8)
        #expect(Writer.compact(try Reader.parse(document, duplicateNames: .refused)) == document)
        #expect(Value.string("\u{E9}") != .string("e\u{301}"))
    }

    @Test func anObjectWithAHundredThousandNamesIsReadInReasonableTime() throws {
        let text = "{" + (0..<100_000).map { "\"name\($0)\":\($0)" }.joined(separator: ",") + "}"
        let start = ContinuousClock.now
        let value = try Reader.parse(Array(text.utf8))
        #expect(value.object?.count == 100_000)
        // Comparing each name with each would take minutes.
        #expect(ContinuousClock.now - start < .seconds(10))
    }
}
