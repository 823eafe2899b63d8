import JSON
import Testing

@Suite struct WriterTests {
    @Test(arguments: [
        "1.0", "1e400", "-0", "-0.0", "1E+2", "123456789012345678901234567890", "0.1000", "1e-7", "9007199254740993",
    ])
    func numbersKeepTheirText(text: String) throws {
        let value = try Reader.parse(Array("[\(text)]".utf8))
        #expect(String(decoding: Writer.compact(value), as: UTF8.self) == "[\(text)]")
    }

    @Test func orderAndUnknownMembersSurvive() throws {
        let text = "{\"zebra\":{\"b\":[],\"a\":{}},\"version\":1,\"x-unknown\":[1,2.50,null,true,\"\"],\"Apple\":false}"
        #expect(String(decoding: Writer.compact(try Reader.parse(Array(text.utf8))), as: UTF8.self) == text)
    }

    /// Made by `node -p 'JSON.stringify(v, null, 2)'`.
    @Test func prettyIsAsJavaScriptWritesIt() {
        let value: Value = [
            "version": 1, "profiles": ["anthropic:default": ["type": "api_key", "tags": ["a", []], "none": nil]], "order": [:], "list": [],
        ]
        let expected = """
            {
              "version": 1,
              "profiles": {
                "anthropic:default": {
                  "type": "api_key",
                  "tags": [
                    "a",
                    []
                  ],
                  "none": null
                }
              },
              "order": {},
              "list": []
            }

            """
        #expect(String(decoding: Writer.pretty(value), as: UTF8.self) == expected)
    }

    @Test(arguments: [
        ("\u{8}\u{C}\n\r\t\"\\", #""\b\f\n\r\t\"\\""#), ("\0\u{1F}\u{B}", #""\u0000\u001f\u000b""#),
        ("é😀/<>&'\u{7F}\u{2028}", "\"é😀/<>&'\u{7F}\u{2028}\""),
    ])
    func onlyWhatMustBeIsEscaped(text: String, written: String) throws {
        #expect(String(decoding: Writer.compact(.string(text)), as: UTF8.self) == written)
        #expect(try Reader.parse(Array(written.utf8)) == .string(text))
    }
}
