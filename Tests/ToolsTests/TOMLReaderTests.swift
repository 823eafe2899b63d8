import Testing

@testable import Tools

@Suite struct TOMLReaderTests {
    @Test(arguments: [
        "", "# only a comment", "a = 1", "a = 1\r\nb = 2\r\n", "\u{FEFF}a = 1", "a.b.'c d'.\"e\\u00e9\" = true",
        "a = [1, 2, # x\n 3,\n]\n", "a = { b = 1, c.d = [ { e = 'x' } ] }", "[a]\n[a.b]\nc = 1\n[[d]]\nx=1\n[[d]]\nx=1",
        "a = \"\"\"\nline \\\n  more \"quoted\" \"\"\"\"\nb = '''it's'''", "a = 'C:\\x'", "a = 1979-05-27T07:32:00.999-07:00",
        "a = 1979-05-27 07:32:00Z", "a = 07:32:00", "a = 1979-05-27", "a = 0xDEAD_BEEF\nb = 1_000\nc = -1.5e+10\nd = +inf\ne = 0o7\nf=0b1",
        "[ a . b ]\n c = 1 # x", "\"\" = 1", "a = [[1], ['x', true]]", "1 = 2\n-x_ = 3",
    ])
    func `What TOML allows is read`(text: String) throws {
        _ = try TOMLReader.outline(Array(text.utf8))
    }

    @Test(arguments: [
        ("a", 1), ("a =", 1), ("= 1", 1), ("a = 1 b = 2", 1), ("x = 1\na = \"open", 2), ("a = 'open\n'", 1), ("a = \"\"\"open", 1),
        ("[a", 1), ("[[a]", 1), ("[a]]", 1), ("[]", 1), ("a = [1, 2", 1), ("a = [1 2]", 1), ("a = { b = 1", 1), ("a = {b = 1,}", 1),
        ("a = 01", 1), ("a = 1__0", 1), ("a = 1.", 1), ("a = .5", 1), ("a = yes", 1), ("a = \"\\x\"", 1), ("a = \"\\uD800\"", 1),
        ("a = 1\na = 2", 1), ("[a]\n[a]", 1), ("a = 1\n[a]", 1), ("# a\rb", 1), ("a = \"\u{1}\"", 1), ("a..b = 1", 1), ("é = 1", 1),
        ("{", 1), ("{\"json\": true}", 1), ("a = 1979-5-27", 1), ("a = 1\n\n\n[b\n", 4), ("a = 0x", 1), ("a = {\nb = 1}", 1),
    ])
    func `What TOML does not allow is refused, by line`(text: String, line: Int) {
        let error = #expect(throws: TOMLError.self) { try TOMLReader.outline(Array(text.utf8)) }
        #expect(error?.line == line)
    }

    @Test func `Bytes that are not UTF-8 are refused`() {
        #expect(throws: TOMLError.self) { try TOMLReader.outline([0x61, 0x3D, 0x27, 0xFF, 0x27]) }
    }

    @Test func `The outline says what stands where`() throws {
        let text = "model = 'x'\n\"model_provider\" = \"o\\u0070enai\" # mine\n[a.b]\nc.d = 1\n[[e]]\n"
        let outline = try TOMLReader.outline(Array(text.utf8))
        let provider = try #require(outline.root("model_provider"))
        #expect(provider.string == "openai")
        #expect(String(decoding: Array(text.utf8)[provider.range], as: UTF8.self) == "\"model_provider\" = \"o\\u0070enai\"")
        #expect(outline.assignments.map(\.path) == [["model"], ["model_provider"], ["a", "b", "c", "d"]])
        #expect(outline.headers.map(\.path) == [["a", "b"], ["e"]] && outline.headers.map(\.isArray) == [false, true])
        #expect(outline.defines(["a"]) && outline.defines(["a", "b", "c"]) && !outline.defines(["b"]))
    }

    @Test func `A string is written so that it is read back`() throws {
        for text in ["", "plain", "qu\"ote", "back\\slash", "tab\tnew\nline", "\u{7f}é漢"] {
            let outline = try TOMLReader.outline(Array("a = \(TOMLText.quoted(text))".utf8))
            #expect(outline.root("a")?.string == text)
        }
    }
}
