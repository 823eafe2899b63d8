import Sockets
import Testing

@Suite struct NodePoolTests {
    @Test(arguments: [1, 64, 65, 100, 4096, 16_584, 32_768, 32_769, 1 << 20])
    func aBlockHasRoomForWhatWasAskedAndComesBackAtTheNextOne(size: Int) throws {
        let pool = NodePool(keeping: 1 << 20)
        defer { pool.end() }
        let first = try #require(pool.take(size))
        first.initializeMemory(as: UInt8.self, repeating: 7, count: size)
        pool.give(first)
        let again = try #require(pool.take(size))
        // Larger ones than the largest shelf's are malloc's.
        if size <= 32_768 { #expect(again == first) }
        again.initializeMemory(as: UInt8.self, repeating: 8, count: size)
        pool.give(again)
    }

    @Test func noMoreIsKeptThanWasSaid() throws {
        let pool = NodePool(keeping: 4096)
        defer { pool.end() }
        let blocks = try (0..<3).map { _ in try #require(pool.take(2048)) }
        blocks.forEach(pool.give)
        // Two of them fit; the third went back to malloc, which may well give it out again.
        let taken = try (0..<2).map { _ in try #require(pool.take(2048)) }
        #expect(Set(taken) == Set(blocks[..<2]))
        taken.forEach(pool.give)
    }

    @Test func afterATrimItKeepsAsMuchAsBefore() throws {
        let pool = NodePool(keeping: 4096)
        defer { pool.end() }
        let out = try #require(pool.take(32_768))
        out.initializeMemory(as: UInt8.self, repeating: 7, count: 32_768)
        for _ in 0..<2 {
            let blocks = try (0..<3).map { _ in try #require(pool.take(2048)) }
            blocks.forEach(pool.give)
            let taken = try (0..<2).map { _ in try #require(pool.take(2048)) }
            #expect(Set(taken) == Set(blocks[..<2]))
            taken.forEach(pool.give)
            pool.trim()
        }
        #expect(out.load(fromByteOffset: 32_767, as: UInt8.self) == 7)
        pool.give(out)
    }

    @Test func itsBytesGoWithABlockThatIsMadeLarger() throws {
        let pool = NodePool(keeping: 1 << 20)
        defer { pool.end() }
        var block = try #require(pool.take(50))
        block.initializeMemory(as: UInt8.self, repeating: 9, count: 50)
        for size in [64, 65, 5000, 40_000] {
            block = try #require(pool.resize(block, size))
            #expect((0..<50).allSatisfy { block.load(fromByteOffset: $0, as: UInt8.self) == 9 }, "at \(size)")
        }
        pool.give(block)
    }

    @Test func aBlockThatMayHaveHeldASecretIsOverwritten() throws {
        let pool = NodePool(keeping: 1 << 20, wipingFrom: 4096)
        defer { pool.end() }
        for (size, isWiped) in [(4096, true), (2048, false)] {
            let block = try #require(pool.take(size))
            block.initializeMemory(as: UInt8.self, repeating: 0x53, count: size)
            pool.give(block)
            // Its first bytes link the list.
            let again = try #require(pool.take(size))
            #expect((16..<size).allSatisfy { again.load(fromByteOffset: $0, as: UInt8.self) == (isWiped ? 0 : 0x53) }, "\(size)")
            pool.give(again)
        }
    }

    @Test func poolsOfTwoThreadsMayGiveEachOthersBlocks() throws {
        let one = NodePool(keeping: 1 << 20)
        let other = NodePool(keeping: 1 << 20)
        let block = try #require(one.take(100))
        other.give(block)
        one.end()
        let again = try #require(other.take(100))
        #expect(again == block)
        other.give(again)
        other.end()
    }
}
