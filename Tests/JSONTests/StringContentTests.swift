import JSON
import Testing

@Suite struct StringContentTests {
    /// A content, the values of its units, and where the first `@` stands.
    static let rows: [(content: String, values: [UInt16], at: Range<Int>?)] = [
        ("", [], nil),
        ("m@w", [0x6d, 0x40, 0x77], 1..<2),
        (#"m\u0040w"#, [0x6d, 0x40, 0x77], 1..<7),
        (#"\"\\\/\b\f\n\r\t"#, [0x22, 0x5c, 0x2f, 8, 0xc, 0xa, 0xd, 9], nil),
        (#"\u00E9@"#, [0xe9, 0x40], 6..<7),
        ("ü", [0xc3, 0xbc], nil),
        (#"a\x@"#, [0x61], nil),
        (#"a\u00"#, [0x61], nil),
        (#"a\u00zz@"#, [0x61], nil),
        (#"a\"#, [0x61], nil),
    ]

    @Test(arguments: rows)
    func unitsAreReadOneByOne(content: String, values: [UInt16], at: Range<Int>?) {
        let text = Array("\"\(content)\"".utf8)
        var units = StringContent(1..<text.count - 1)
        var read: [UInt16] = []
        var first: Range<Int>?
        while let unit = units.next(in: text.span) {
            read.append(unit.value)
            if unit.value == 0x40, first == nil { first = unit.range.lowerBound - 1..<unit.range.upperBound - 1 }
        }
        #expect(read == values)
        #expect(first == at)
    }

    @Test func textIsWhatTheContentMeans() {
        let text = Array(#"x"a\u00e9\n\ud83d\ude00""#.utf8)
        #expect(StringContent.text(of: 2..<text.count - 1, in: text.span) == "aé\n😀")
        #expect(StringContent.text(of: 2..<10, in: text.span) == nil)
    }
}
