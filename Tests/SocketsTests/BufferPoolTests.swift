@testable import Sockets
import Testing

@Suite struct BufferPoolTests {
    /// The smallest block that each size gets: 256, 384 and 512 bytes, 1 KiB, then four times as much each.
    @Test(arguments: [
        (1, 256), (256, 256), (257, 384), (384, 384), (385, 512), (512, 512), (513, 1_024), (1_024, 1_024), (1_025, 4_096), (4_096, 4_096),
        (4_097, 16_384),
        (16_384, 16_384), (16_385, 65_536), (65_536, 65_536), (65_537, 262_144), (262_144, 262_144),
        (262_145, 1 << 20), (1 << 20, 1 << 20),
    ])
    func aSizeGetsTheSmallestBlockThatHoldsIt(size: Int, capacity: Int) {
        let pool = BufferPool()
        let (block, got) = pool.take(size)
        #expect(got == capacity)
        pool.give(block, got)
    }

    @Test func beyondTheLargestShelfABlockIsExactAndNotKept() {
        let pool = BufferPool()
        let (block, capacity) = pool.take((1 << 20) + 1)
        #expect(capacity == (1 << 20) + 1)
        pool.give(block, capacity)
        for shelf in 0..<BufferPool.classes { #expect(pool.shelves[shelf].count == 0) }
    }

    @Test(arguments: [1, 10_000, 50_000, 200_000, 1_000_000])
    func aBlockGivenBackIsTheNextOneTaken(size: Int) {
        let pool = BufferPool()
        let (first, capacity) = pool.take(size)
        let (second, _) = pool.take(size)
        #expect(first != second)
        pool.give(first, capacity)
        pool.give(second, capacity)
        #expect(pool.take(size).0 == second)
        #expect(pool.take(size).0 == first)
    }

    @Test(arguments: [(256, 1_024), (384, 1_024), (512, 1_024), (1_024, 1_024), (4_096, 256), (16_384, 64), (65_536, 8), (1 << 20, 8)])
    func aShelfKeepsOnlySoMany(capacity: Int, limit: Int) {
        let pool = BufferPool()
        let blocks = (0..<limit + 3).map { _ in pool.take(capacity).0 }
        #expect(Set(blocks).count == limit + 3)
        for block in blocks { pool.give(block, capacity) }
        #expect(pool.shelves[BufferPool.shelf(for: capacity)].count == limit)
    }

    @Test func afterATrimNothingIsKeptAndWhatIsOutStaysGood() {
        let pool = BufferPool()
        let sizes = [1, 1_000, 10_000, 1 << 20]
        let out = pool.take(4_096).0
        out.storeBytes(of: 7, as: UInt64.self)
        for (block, capacity) in sizes.map({ pool.take($0) }) { pool.give(block, capacity) }
        pool.trim()
        for shelf in 0..<BufferPool.classes { #expect(pool.shelves[shelf].free == nil && pool.shelves[shelf].count == 0) }
        #expect(out.load(as: UInt64.self) == 7)
        pool.give(out, 4_096)
        #expect(pool.take(4_096).0 == out)
    }
}
