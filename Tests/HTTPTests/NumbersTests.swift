import HTTP
import Testing

@Suite struct NumbersTests {
    static let numbers = [
        0, 1, 9, 10, 15, 16, 99, 100, 255, 256, 4095, 4096, 65_535, 65_536, 999_999, 1_000_000, Int(UInt32.max), Int.max - 1, Int.max,
    ]

    private func written(_ capacity: Int, _ write: (UnsafeMutableRawPointer) -> Int) -> String {
        // One byte beyond the promised capacity shows whether it is kept.
        var bytes = [UInt8](repeating: 0xee, count: capacity + 1)
        let count = bytes.withUnsafeMutableBytes { write($0.baseAddress!) }
        #expect(bytes[count...].allSatisfy { $0 == 0xee })
        return text(bytes, 0..<count)
    }

    @Test(arguments: numbers)
    func numbersAreWrittenAsSwiftWritesThem(number: Int) {
        #expect(written(Numbers.decimalCapacity) { Numbers.writeDecimal(number, to: $0) } == String(number))
        #expect(written(16) { Numbers.writeHexadecimal(number, to: $0) } == String(number, radix: 16))
        #expect(written(Numbers.chunkSizeCapacity) { Numbers.writeChunkSize(number, to: $0) } == String(number, radix: 16) + "\r\n")
    }

    @Test func aSizeFieldOfFixedWidthIsFilledWithZeros() {
        let field = written(16) {
            Numbers.writeHexadecimal(0x1a2, digits: 6, to: $0)
            return 6
        }
        #expect(field == "0001a2")
    }

    @Test(arguments: numbers)
    func aWrittenChunkSizeIsReadBack(size: Int) {
        let line = written(Numbers.chunkSizeCapacity) { Numbers.writeChunkSize(size, to: $0) }
        let body = DecodedBody(latin1(line + (size == 0 ? "\r\n" : "ab")))
        #expect(body.end == (size == 0 ? .done : size == 1 ? .malformed(.unterminatedChunk) : .starved))
        #expect(body.data.count == min(size, 2))
    }
}
