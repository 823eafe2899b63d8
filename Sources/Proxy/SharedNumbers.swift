internal import Glibc
internal import Synchronization

/// Numbers that all threads may read and write, side by side in memory: looking through a thousand of them costs a thousand loads and no
/// pointer is followed. The memory is the kernel's zero pages until a number is written.
@safe
final class SharedNumbers: Sendable {
    /// Set once, and everything behind it is atomic.
    private nonisolated(unsafe) let base: UnsafeMutablePointer<Atomic<Int64>>

    init(count: Int) {
        guard let memory = unsafe calloc(count, MemoryLayout<Atomic<Int64>>.stride) else { fatalError("out of memory at start") }
        // All bits zero is the number 0.
        unsafe base = memory.bindMemory(to: Atomic<Int64>.self, capacity: count)
    }
    deinit { unsafe free(base) }

    /// The number at a place within `count`.
    subscript(_ place: Int32) -> Int64 {
        @inline(__always) get { unsafe base[Int(place)].load(ordering: .relaxed) }
        @inline(__always) set { unsafe base[Int(place)].store(newValue, ordering: .relaxed) }
    }

    /// The first of `places`, from `start` on, whose number is at most `limit`; their count when there is none. A thousand take half a
    /// microsecond: nothing is called and no pointer is looked up in between.
    func first(atMost limit: Int64, among places: [Int32], from start: Int) -> Int {
        let numbers = unsafe base
        return unsafe places.withUnsafeBufferPointer { places in
            var at = start
            while at < places.count {
                if unsafe numbers[Int(places[at])].load(ordering: .relaxed) <= limit { return at }
                at += 1
            }
            return at
        }
    }

    /// The first of `places` with the least number in `ranks`, of those whose number here is 0. Nil when there is none, or when one has a
    /// number of at most `limit`, which only its owner can read.
    func least(of ranks: SharedNumbers, among places: [Int32], limit: Int64) -> Int? {
        let (numbers, ranks) = unsafe (base, ranks.base)
        return unsafe places.withUnsafeBufferPointer { places in
            var (best, found) = (Int64.max, -1)
            for at in 0..<places.count {
                let number = unsafe numbers[Int(places[at])].load(ordering: .relaxed)
                if number != 0 {
                    if number <= limit { return nil }
                    continue
                }
                let rank = unsafe ranks[Int(places[at])].load(ordering: .relaxed)
                if rank < best || found < 0 { (best, found) = (rank, at) }
            }
            return found < 0 ? nil : found
        }
    }

    /// Sets the number if it is `expected` still.
    func replace(_ place: Int32, _ expected: Int64, by new: Int64) {
        _ = unsafe base[Int(place)].compareExchange(expected: expected, desired: new, ordering: .relaxed)
    }
}
