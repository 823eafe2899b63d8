import Sockets
import Testing

@Suite struct ByteQueueTests {
    private func bytes(_ queue: borrowing ByteQueue) -> [UInt8] { Array(queue.bytes) }
    private func pattern(_ count: Int, from start: Int = 0) -> [UInt8] {
        (start..<start + count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    }

    @Test func aNewQueueIsEmptyAndHoldsNoBlock() {
        let queue = ByteQueue(pool: BufferPool())
        let (isEmpty, count, block) = (queue.isEmpty, queue.count, queue.bytes.baseAddress)
        #expect(isEmpty)
        #expect(count == 0)
        #expect(block == nil)
    }

    @Test func everyKindOfAppendAddsAtTheEnd() {
        var queue = ByteQueue(pool: BufferPool())
        queue.append("literal ")
        queue.append(text: "text ")
        queue.append(Array("array ".utf8))
        queue.append(byte: UInt8(ascii: "!"))
        queue.append([UInt8]())
        queue.append(UnsafeRawBufferPointer(start: nil, count: 0))
        let room = queue.reserve(3)
        room.copyMemory(from: Array("end".utf8), byteCount: 3)
        queue.advance(3)
        let span = Array(" span".utf8)
        queue.append(span.span.bytes)
        let held = bytes(queue)
        #expect(String(decoding: held, as: UTF8.self) == "literal text array !end span")
    }

    /// What is cut or put in, near either end, and after bytes have been consumed.
    @Test(arguments: [0..<0, 0..<2, 1..<4, 5..<9, 9..<10, 10..<10, 0..<10], ["", "x", "xyz", "longer than all"])
    func bytesAreReplacedInPlace(range: Range<Int>, text: String) {
        for consumed in [0, 3] {
            var queue = ByteQueue(pool: BufferPool())
            queue.append(pattern(consumed))
            var wanted = Array("0123456789".utf8)
            queue.append(wanted)
            queue.consume(consumed)
            queue.replace(range, with: Array(text.utf8))
            wanted.replaceSubrange(range, with: Array(text.utf8))
            let replaced = bytes(queue)
            #expect(replaced == wanted)
            queue.append("tail")
            let longer = bytes(queue)
            #expect(longer == wanted + Array("tail".utf8))
        }
    }

    @Test func aFullBlockGrowsWhenBytesArePutIn() {
        var queue = ByteQueue(pool: BufferPool())
        var wanted = pattern(4096)
        queue.append(wanted)
        queue.replace(100..<101, with: pattern(300))
        wanted.replaceSubrange(100..<101, with: pattern(300))
        let held = bytes(queue)
        #expect(held == wanted)
    }

    @Test(arguments: [1, 7, 4_095, 4_096, 4_097, 65_536, 1 << 20, (1 << 20) + 1, 5 << 20])
    func itGrowsToHoldWhatIsAppendedInOneGo(size: Int) {
        var queue = ByteQueue(pool: BufferPool())
        let all = pattern(size)
        queue.append(all)
        let held = bytes(queue)
        #expect(held == all)
    }

    @Test(arguments: [1, 13, 1_000, 5_000, 70_000])
    func appendingAndConsumingInPiecesLosesNothing(step: Int) {
        var queue = ByteQueue(pool: BufferPool())
        let all = pattern(300_000)
        var appended = 0
        var read: [UInt8] = []
        // Twice as much goes in as comes out, so that blocks are both moved up and replaced.
        while read.count < all.count {
            let end = min(all.count, appended + step)
            queue.append(Array(all[appended..<end]))
            appended = end
            let take = min(queue.count, appended == all.count ? step : step / 2 + 1)
            read += queue.bytes[0..<take]
            queue.consume(take)
        }
        #expect(read == all)
        let empty = queue.isEmpty
        #expect(empty)
    }

    @Test func consumingEverythingGivesTheBlockBack() {
        let pool = BufferPool()
        var first = ByteQueue(pool: pool)
        first.append("something")
        let block = first.bytes.baseAddress
        first.consume(9)
        let gone = first.bytes.baseAddress
        #expect(gone == nil)
        var second = ByteQueue(pool: pool)
        second.append("other")
        let reused = second.bytes.baseAddress
        #expect(reused == block)
    }

    @Test func takingLeavesTheOtherEmptyAndMovesNoByte() {
        let pool = BufferPool()
        var source = ByteQueue(pool: pool)
        source.append("XXheld")
        source.consume(2)
        let place = source.bytes.baseAddress
        var target = ByteQueue(pool: pool)
        target.take(from: &source)
        let held = bytes(target)
        let (same, empty) = (target.bytes.baseAddress == place, source.isEmpty)
        #expect(held == Array("held".utf8))
        #expect(same)
        #expect(empty)
        source.append("again")
        target.append(" more")
        let (left, right) = (bytes(source), bytes(target))
        #expect(left == Array("again".utf8))
        #expect(right == Array("held more".utf8))
    }

    @Test func wipingZeroesTheBlockBeforeItIsUsedAgain() {
        let pool = BufferPool()
        var queue = ByteQueue(pool: pool)
        queue.append(text: String(repeating: "secret", count: 100))
        queue.consume(50)
        queue.wipe()
        var next = ByteQueue(pool: pool)
        let room = UnsafeRawBufferPointer(start: next.reserve(600), count: 600)
        // The pool keeps its own pointer in the first eight bytes.
        #expect(room[8...].allSatisfy { $0 == 0 })
        let isEmpty = queue.isEmpty
        #expect(isEmpty)
    }

    @Test func aSecretIsNotLeftInABlockThatGoesBackWhetherByGrowthOrByTheEnd() {
        let pool = BufferPool()
        var queue = ByteQueue(pool: pool)
        queue.isSecret = true
        queue.append(text: String(repeating: "secret", count: 100))
        // It moves to a larger block, and the smaller one goes back.
        queue.append([UInt8](repeating: 1, count: 2000))
        var small = ByteQueue(pool: pool)
        #expect(UnsafeRawBufferPointer(start: small.reserve(600), count: 600)[8...].allSatisfy { $0 == 0 })
        var moved = ByteQueue(pool: pool)
        moved.take(from: &queue)
        moved.consume(2600)
        var large = ByteQueue(pool: pool)
        #expect(UnsafeRawBufferPointer(start: large.reserve(2600), count: 2600)[8...].allSatisfy { $0 == 0 })
        let (before, after) = (queue.isSecret, moved.isSecret)
        #expect(!before && !after, "what comes next is none by itself")
    }

    @Test func bytesCanBeChangedInPlace() {
        var queue = ByteQueue(pool: BufferPool())
        queue.append("abc")
        queue.consume(1)
        queue.mutableBytes[0] = UInt8(ascii: "B")
        let held = bytes(queue)
        #expect(held == Array("Bc".utf8))
    }

    @Test func aReleasedQueueCanBeUsedAgain() {
        var queue = ByteQueue(pool: BufferPool())
        queue.append("abc")
        queue.release()
        let empty = queue.isEmpty
        #expect(empty)
        queue.append("def")
        let held = bytes(queue)
        #expect(held == Array("def".utf8))
    }
}
