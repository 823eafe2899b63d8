import HTTP
import Testing

@Suite struct FieldLineTests {
    @Test(arguments: [
        ("a:b", "a", "b"), ("a:", "a", ""), ("a: \t ", "a", ""), ("a:\tb\tc\t", "a", "b\tc"), ("a::b", "a", ":b"),
        ("!#$%&'*+-.^_`|~09azAZ: x", "!#$%&'*+-.^_`|~09azAZ", "x"), ("a: \u{80}\u{ff}", "a", "\u{80}\u{ff}"),
    ])
    func aLineIsANameAndAValueWithoutTheSpaceAroundIt(line: String, name: String, value: String) {
        let head = requestWith(line)
        #expect(head.isComplete)
        #expect(head.fields.last?.name == name)
        #expect(head.fields.last?.value == value)
    }

    @Test(arguments: [
        (" a: b", Rejection.foldedLine), ("\ta: b", .foldedLine), ("a: b\r\n c", .foldedLine), ("a", .missingColon),
        (": b", .emptyFieldName),
        ("a : b", .spaceBeforeColon), ("a\t: b", .spaceBeforeColon), ("a b: c", .malformedFieldName), ("a(: b", .malformedFieldName),
        ("a\u{e9}: b", .malformedFieldName), ("\"a\": b", .malformedFieldName), ("a\u{01}: b", .controlByte), ("a: b\u{00}", .controlByte),
        ("a: \u{7f}b", .controlByte), ("a: b\u{0b}c", .controlByte), ("a: b\nc: d", .bareLineFeed), ("a: b\rc: d", .bareCarriageReturn),
        ("a: 1234567890\u{1f}", .controlByte),
    ])
    func anyOtherLineIsRejected(line: String, rejection: Rejection) {
        #expect(requestWith(line).rejection == rejection)
        #expect(response("HTTP/1.1 200 OK\r\n\(line)\r\n\r\n").rejection == rejection)
    }

    @Test func aNameHasALimit() {
        #expect(requestWith(String(repeating: "n", count: 256) + ": x").isComplete)
        #expect(requestWith(String(repeating: "n", count: 257) + ": x").rejection == .fieldNameTooLong)
    }

    /// Every byte at every place of a value: HTAB, 0x20-0x7e and 0x80-0xff pass, all others are rejected, whatever the alignment.
    @Test func noControlBytePassesAnywhereInAValue() {
        for length in 1...20 {
            for place in 0..<length {
                for byte in UInt8.min...UInt8.max {
                    var bytes =
                        latin1("GET / HTTP/1.1\r\nHost: a\r\nX: ") + [UInt8](repeating: UInt8(ascii: "v"), count: length)
                        + latin1("\r\n\r\n")
                    bytes[28 + place] = byte
                    var head = RequestHead()
                    let passes = byte == 9 || byte >= 0x20 && byte != 0x7f
                    let outcome = bytes.withUnsafeBytes { head.parse($0, limits: HeadLimits()) }
                    if (outcome == .complete(byteCount: bytes.count)) != passes {
                        Issue.record("byte \(byte) at \(place) of \(length): \(outcome)")
                    }
                }
            }
        }
    }

    @Test func onlyTokenCharactersMakeAName() {
        let token = Set("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: ":") {
            if requestWith("x" + text([byte], 0..<1) + "y: z").isComplete != token.contains(byte) { Issue.record("byte \(byte)") }
        }
    }
}
