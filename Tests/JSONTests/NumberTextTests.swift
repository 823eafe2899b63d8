import JSON
import Testing

@Suite struct NumberTextTests {
    @Test(
        arguments: [
            ("0", 0), ("-12", -12), ("1.0", 1), ("1e3", 1000), ("1.5e1", 15), ("1730000000000.0", 1_730_000_000_000),
            ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min),
            ("1.5", nil), ("1e400", nil), ("9223372036854775808", nil), ("9007199254740993.0", nil), ("1e-1", nil),
        ] as [(String, Int64?)])
    func wholeNumbersAreExact(text: String, whole: Int64?) {
        #expect(NumberText(text: text)?.int64 == whole)
    }

    @Test(arguments: [(1.5, "1.5"), (3.0, "3"), (-2.0, "-2"), (1e300, "1e+300"), (-0.0, "-0.0"), (0.1, "0.1"), (1e15, "1000000000000000")])
    func doublesAreWrittenSoThatTheyReadBack(value: Double, text: String) {
        #expect(NumberText(value)?.text == text)
        #expect(NumberText(text: text)?.double == value)
    }

    @Test func whatIsNotFiniteHasNoText() {
        #expect(NumberText(Double.infinity) == nil)
        #expect(NumberText(Double.nan) == nil)
        #expect(NumberText(text: "1e400")?.double == nil)
    }

    @Test(arguments: ["", "-", "01", "+1", ".5", "5.", "1e", "1e+", "0x1", "1 ", " 1", "NaN", "١"])
    func textOutsideTheGrammarIsRefused(text: String) {
        #expect(NumberText(text: text) == nil)
    }
}
