/// What is due after so many ticks: a ring of lists, one for each of the next thousand ticks. Pure.
struct Wheel {
    /// What waits: a slot, and the number by which a slot that has been given to another is told.
    struct Entry: Equatable {
        let slot: Int32
        let serial: UInt32
    }
    /// The longest wait, in ticks.
    static let longest = 1_023

    private var rings = [[Entry]](repeating: [], count: longest + 1)
    private var tick = 0
    /// Entries that wait.
    private(set) var count = 0

    /// Makes `entry` due after `ticks`, at least one and at most `longest`.
    mutating func add(_ entry: Entry, after ticks: Int) {
        rings[(tick + min(max(1, ticks), Self.longest)) & Self.longest].append(entry)
        count += 1
    }

    /// One tick passes: puts what is due into `due`, in place of what was there, in the order in which it was added.
    mutating func advance(into due: inout [Entry]) {
        tick += 1
        due.removeAll(keepingCapacity: true)
        swap(&due, &rings[tick & Self.longest])
        count -= due.count
    }
}
