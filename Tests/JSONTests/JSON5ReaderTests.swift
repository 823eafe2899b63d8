import JSON
import Testing

@Suite struct JSON5ReaderTests {
    /// spec.json5.org §3 to §8, clause by clause: JSON5 on the left, the JSON of the same meaning on the right.
    @Test(arguments: [
        ("// one\n{ /* two\n * three **/ a: 1 } // four", "{\"a\":1}"),
        ("{a:1,}", "{\"a\":1}"), ("[1,]", "[1]"), ("[]", "[]"), ("{}", "{}"),
        ("{$_a1: 1, null: 2, class: 3, ü: 4, \\u0061b: 5, 'q r': 6}", #"{"$_a1":1,"null":2,"class":3,"ü":4,"ab":5,"q r":6}"#),
        ("{e\u{301}\u{200D}x: 1}", "{\"e\u{301}\u{200D}x\":1}"),
        (#"'single "quoted"'"#, #""single \"quoted\"""#), (#""it's""#, #""it's""#), (#"'it\'s'"#, #""it's""#),
        (#"'\b\f\n\r\t\v\0\x41\u0042\a\/\''"#, #""\b\f\n\r\t\u000b\u0000ABa/'""#),
        ("'a\\\nb\\\r\nc\\\rd\\\u{2028}e'", "\"abcde\""), ("'\u{2028}\u{2029}\t'", "\"\u{2028}\u{2029}\\t\""),
        (#"'\uD83D\uDE00'"#, "\"😀\""),
        ("[0, -0, +1, -1, 1.5, .5, 5., 5.e3, 1e+2, 1E-2]", "[0,-0,1,-1,1.5,0.5,5,5e3,1e+2,1E-2]"),
        ("[0x0, 0X1f, -0xFF, +0xdecaf, 0xFFFFFFFFFFFFFFFF]", "[0,31,-255,912559,18446744073709551615]"),
        ("[0x10000000000000000]", "[1.8446744073709552e+19]"),
        ("[Infinity, -Infinity, +Infinity, NaN, -NaN]", "[null,null,null,null,null]"),
        ("\u{FEFF}\u{A0}\u{2003}\u{2028}\u{B}\u{C}true\u{3000}", "true"), ("null//", "null"), ("false/**/", "false"),
    ])
    func whatTheSpecificationAllows(text: String, json: String) throws {
        #expect(String(decoding: Writer.compact(try JSON5Reader.parse(Array(text.utf8)).plain), as: UTF8.self) == json)
    }

    @Test(arguments: [
        "", "//", "/* x", "/ x", "[,]", "{,}", "[1,,2]", "{a:1,,}", "{a}", "{a:}", "{1a: 1}", "{a-b: 1}", "{a:1 b:2}", "[1 2]", "01", "-01",
        "00.5",
        "1_000", "0x", "0xg", "+-1", "- 1", ".", "1e", "1.2.3", "1a", "0x1.8", "'a", "\"a", "'a\nb'", "'\\1'", "'\\01'", "'\\x4'",
        "'\\u12'", "'\\uD800'",
        "undefined", "True", "\\u006eull", "infinity", "abc", "@", "1 2", "{a:1}}", "`x`", "'a' 'b'", "{'a' 'b'}", "{\\u0031a: 1}",
    ])
    func whatItDoesNot(text: String) {
        #expect(throws: SyntaxError.self) { try JSON5Reader.parse(Array(text.utf8)) }
    }

    @Test(arguments: [
        (
            "{\n  listen: 'a',\n\n  listen: 'b',\n}", 4, 3,
            "\"listen\" is given twice: on line 2 and again on line 4; keep one"
        ),
        ("{\n  key: sk-secret,\n}", 2, 8, "a string must stand in quotes; the only words are true, false and null"),
        ("{ a: 'x\n' }", 1, 8, "expected \"'\" to end the string, found the end of the line"),
        ("[1,\n /* never closed", 2, 2, "this comment is not closed; expected '*/'"),
        ("{ port: 12ab }", 1, 9, "this is not a number (numbers are such as 12, -0.5, 1e9 or 0x1F); text needs quotes"),
        ("{ a: 1", 1, 7, "expected ',' or '}' after the member, found the end of the file"),
        ("{ 9a: 1 }", 1, 3, "a name without quotes starts with a letter, $ or _; put other names in quotes"),
        ("{ -: 1 }", 1, 3, "expected a member's name or '}', found '-'"),
        ("{ a: «x» }", 1, 6, "expected a value ({, [, a string in quotes, a number, true, false or null), found U+AB"),
    ])
    func errorSaysWhereAndWhatWasExpected(text: String, line: Int, column: Int, message: String) {
        #expect(throws: SyntaxError(line: line, column: column, message: message)) { try JSON5Reader.parse(Array(text.utf8)) }
    }

    @Test func everyValueAndNameKnowsItsPlace() throws {
        let root = try JSON5Reader.parse(Array("// head\r\n{\r\n  é: [1,\r\n\t{ 'b' :\r\n 2 }],\r\n}".utf8))
        #expect([root.line, root.column] == [2, 1])
        let member = try #require(root.members?.first)
        #expect([member.line, member.column] == [3, 3])
        #expect([member.value.line, member.value.column] == [3, 6])
        let inner = try #require(member.value.array?.last?.members?.first)
        #expect([inner.line, inner.column] == [4, 4])
        #expect([inner.value.line, inner.value.column] == [5, 2])
        #expect(inner.value.int64 == 2)
    }

    @Test func whatIsNotFiniteIsNoNumber() throws {
        let root = try JSON5Reader.parse(Array("{ timeout: Infinity }".utf8))
        #expect(root["timeout"]?.int64 == nil)
        #expect(root["timeout"]?.kind == .nonFinite(.infinity))
    }
}
