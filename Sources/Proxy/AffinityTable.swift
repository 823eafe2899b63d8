internal import Routing
internal import Synchronization

/// What is remembered of a session, or of something that a provider keeps: profiles by their pool numbers, -1 for none.
struct Affinity: Sendable, Equatable {
    /// The profile that it began with, and comes back to; of something kept, the one that made it.
    var home: Int32 = -1
    /// The one that served it last.
    var last: Int32 = -1
    /// The one that it is pinned to.
    var pin: Int32 = -1
    /// Seconds since 1970.
    var used: UInt32 = 0
}

/// Affinities by key: a table of fixed size that all workers share, each shard under a lock of its own.
///
/// A key has 16 places, and the newest ones stay in them, pins before others: no list has to be kept in order, and nothing grows. At 262,144
/// places of 32 octets it holds 100,000 ids in 8 MiB; a shard that was never used takes nothing.
final class AffinityTable: Sendable {
    private static let shardCount = 256
    private static let sets = 64
    private static let ways = 16

    private struct Slot: Sendable {
        var key = AffinityKey.none
        var value = Affinity()
    }
    private final class Shard: Sendable {
        let slots = Mutex<[Slot]>([])
    }
    private let shards = (0..<AffinityTable.shardCount).map { _ in Shard() }
    private let changeCount = Atomic(0)
    private let isUsed = Atomic(false)

    /// Moves with every change that is worth keeping.
    var changes: Int { changeCount.load(ordering: .relaxed) }
    /// Nothing has ever been put in. One load.
    var isEmpty: Bool { @inline(__always) get { !isUsed.load(ordering: .relaxed) } }

    /// What is known, marked as used now.
    func find(_ key: AffinityKey, now: UInt32) -> Affinity? {
        shard(key).slots.withLock { slots in
            guard let at = Self.place(of: key, in: slots) else { return nil }
            slots[at].value.used = now
            return slots[at].value
        }
    }

    /// Changes what is known of a key, which is put in if it is new. The oldest of its places gives way.
    func update(_ key: AffinityKey, now: UInt32, _ change: (inout Affinity) -> Void) {
        let isChanged = shard(key).slots.withLock { slots in
            if slots.isEmpty { slots = Array(repeating: Slot(), count: Self.sets * Self.ways) }
            let at = Self.place(of: key, in: slots) ?? Self.oldest(for: key, in: slots)
            if slots[at].key != key { slots[at] = Slot(key: key) }
            var before = slots[at].value
            change(&slots[at].value)
            slots[at].value.used = now
            before.used = now
            return before != slots[at].value
        }
        if isUsed.load(ordering: .relaxed) == false { isUsed.store(true, ordering: .relaxed) }
        if isChanged { changeCount.add(1, ordering: .relaxed) }
    }

    /// Everything there is, in no order.
    func all() -> [(key: AffinityKey, value: Affinity)] {
        shards.flatMap { shard in
            shard.slots.withLock { slots in slots.filter { $0.key != .none }.map { ($0.key, $0.value) } }
        }
    }

    private func shard(_ key: AffinityKey) -> Shard { shards[Int(key.low & 255)] }

    private static func set(of key: AffinityKey) -> Int { Int(key.low >> 8 & 63) * ways }

    private static func place(of key: AffinityKey, in slots: [Slot]) -> Int? {
        guard !slots.isEmpty else { return nil }
        let first = set(of: key)
        for at in first..<first + ways where slots[at].key == key { return at }
        return nil
    }

    private static func oldest(for key: AffinityKey, in slots: [Slot]) -> Int {
        let first = set(of: key)
        var oldest = first
        for at in first..<first + ways {
            if slots[at].key == .none { return at }
            if rank(slots[at]) < rank(slots[oldest]) { oldest = at }
        }
        return oldest
    }

    /// What is pinned by somebody's will outlives what was only seen.
    private static func rank(_ slot: Slot) -> UInt64 { UInt64(slot.value.used) | (slot.value.pin >= 0 ? 1 << 32 : 0) }
}
