import Testing

@testable import keybearer

@Suite struct OnboardPromptTests {
    @Test(
        arguments: [
            ("2 1", 2, [1, 0]), ("1,2", 2, [0, 1]), (" 3, 1 2", 3, [2, 0, 1]), ("1", 2, nil), ("1 1", 2, nil), ("1 2 3", 2, nil),
            ("0 1", 2, nil), ("1 x", 2, nil), ("1 2 x", 2, nil), ("-9223372036854775808", 1, nil),
        ] as [(String, Int, [Int]?)])
    func `An order names every number once`(text: String, count: Int, places: [Int]?) {
        #expect(OnboardPrompt.permutation(text, of: count) == places)
    }
}
