import Testing

@testable import keybearer

@Suite struct OutputTests {
    @Test func `Columns are aligned, and the last one ends where it ends`() {
        #expect(Output.aligned([["a", "bb", "c"], ["long", "b", "much longer"]]) == ["a     bb  c", "long  b   much longer"])
    }

    @Test func `Rows may have different lengths`() {
        #expect(Output.aligned([["only"], ["a", "b"], []]) == ["only", "a  b", ""])
    }
}
