import Testing

@testable import Configuration

@Suite struct SuggestionTests {
    @Test(
        "The name that was probably meant is found",
        arguments: [
            ("baseUrl", "baseURL"), ("base_url", "baseURL"), ("basURL", "baseURL"), ("baesURL", "baseURL"), ("header", "headers"),
            ("failovr", "failover"), ("colour", nil), ("x", nil), ("", nil),
        ] as [(String, String?)])
    func closest(word: String, expected: String?) {
        #expect(Suggestion.closest(to: word, among: ["baseURL", "headers", "failover"]) == expected)
    }

    @Test("A very long name costs no more than a short one")
    func long() {
        #expect(Suggestion.closest(to: String(repeating: "a", count: 1_000_000), among: ["baseURL"]) == nil)
    }

    @Test(
        "Names are listed as a sentence does",
        arguments: [([], "no member"), (["a"], "\"a\""), (["a", "b", "c"], "\"a\", \"b\" or \"c\"")])
    func list(names: [String], expected: String) {
        #expect(Suggestion.list(names) == expected)
    }
}
