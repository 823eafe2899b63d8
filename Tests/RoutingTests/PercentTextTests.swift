import Testing

@testable import Routing

@Suite struct PercentTextTests {
    private func decode(_ text: String) -> String? {
        PercentText.decode(Array(text.utf8).span)
    }

    @Test(
        "Names are decoded as UTF-8",
        arguments: [
            ("work", "work"), ("a%20b", "a b"), ("%C3%A4", "ä"), ("%c3%a4", "ä"), ("a+b", "a+b"), ("me@example.com", "me@example.com"),
            ("a%2Fb", "a/b"), ("%25", "%"), ("%F0%9F%90%BB", "🐻"),
        ])
    func decodes(text: String, expected: String) {
        #expect(decode(text) == expected)
    }

    @Test(
        "What is no clean name is refused",
        arguments: [
            "", "%", "%2", "%zz", "a%2", "%00", "%0a", "%0D", "%7f", "%1F", "\n", "%C3", "%C3%28", "%ff", "%ED%A0%80", "%C0%AF",
        ])
    func refuses(text: String) {
        #expect(decode(text) == nil)
    }

    @Test("A name has at most 256 octets once decoded")
    func length() {
        #expect(decode(String(repeating: "a", count: 256)) != nil)
        #expect(decode(String(repeating: "%61", count: 256)) == String(repeating: "a", count: 256))
        #expect(decode(String(repeating: "a", count: 257)) == nil)
        #expect(decode(String(repeating: "%61", count: 257)) == nil)
    }

    @Test(
        "What is encoded is visible ASCII without separators, and decodes to itself",
        arguments: ["anthropic:work", "ä b/c?d#e%f", "a\u{7}", "\"x\", y;z\\"])
    func encodes(name: String) {
        let encoded = PercentText.encode(name)
        #expect(encoded.utf8.allSatisfy { (0x21...0x7e).contains($0) && !#"/?#\",;"#.utf8.contains($0) })
        if name != "a\u{7}" { #expect(decode(encoded) == name) }
    }
}
