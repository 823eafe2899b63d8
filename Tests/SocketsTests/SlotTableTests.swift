import Sockets
import Testing

@Suite struct SlotTableTests {
    /// Tells when it ends.
    private final class Counter {
        var ended: [Int] = []
    }
    private struct Entry: ~Copyable {
        var number: Int
        let counter: Counter
        deinit { counter.ended.append(number) }
    }

    @Test func aFilledSlotIsFoundAndChangedInPlace() {
        var table = SlotTable<Entry>(capacity: 8)
        let counter = Counter()
        table.insert(Entry(number: 1, counter: counter), at: 3)
        table.insert(Entry(number: 2, counter: counter), at: 0)
        table[3].number += 10
        let (first, second, count, ceiling) = (table[0].number, table[3].number, table.count, table.ceiling)
        #expect(first == 2)
        #expect(second == 11)
        #expect(count == 2)
        #expect(ceiling == 4)
        #expect(counter.ended.isEmpty)
    }

    @Test func slotsInUseAreFoundInOrderAcrossTheSplit() {
        var table = SlotTable<Entry>(capacity: 100_000, split: 65_536)
        let counter = Counter()
        for index: Int32 in [2, 5, 65_540] { table.insert(Entry(number: Int(index), counter: counter), at: index) }
        table.remove(at: 5)
        let found = [table.next(from: 0), table.next(from: 3), table.next(from: 65_541)]
        #expect(found == [2, 65_540, nil])
    }

    @Test(arguments: [(0, false), (3, true), (7, false), (8, false), (-1, false), (Int32.max, false)])
    func onlySlotsInUseAreHeld(index: Int32, isHeld: Bool) {
        var table = SlotTable<Int>(capacity: 8)
        table.insert(1, at: 3)
        let held = table.holds(index)
        #expect(held == isHeld)
    }

    @Test func removingEndsTheValueAndFreesTheSlot() {
        let counter = Counter()
        var table = SlotTable<Entry>(capacity: 4)
        table.insert(Entry(number: 1, counter: counter), at: 2)
        table.remove(at: 2)
        #expect(counter.ended == [1])
        let (held, count, ceiling) = (table.holds(2), table.count, table.ceiling)
        #expect(!held)
        #expect(count == 0)
        // The ceiling bounds sweeps; it never comes down.
        #expect(ceiling == 3)
        table.insert(Entry(number: 2, counter: counter), at: 2)
        let number = table[2].number
        #expect(number == 2)
    }

    @Test func theTablesEndEndsWhatItHolds() {
        let counter = Counter()
        do {
            var table = SlotTable<Entry>(capacity: 4)
            table.insert(Entry(number: 1, counter: counter), at: 0)
            table.insert(Entry(number: 2, counter: counter), at: 3)
            table.remove(at: 0)
            let count = table.count
            #expect(count == 1)
        }
        #expect(counter.ended == [1, 2])
    }

    @Test func anEmptyTableThatWasTrimmedIsFilledAgain() {
        var table = SlotTable<Entry>(capacity: 100_000, split: 65_536)
        let counter = Counter()
        let places = Array(Int32(0)..<3_000) + [65_536]
        for round in 0..<2 {
            for place in places { table.insert(Entry(number: round, counter: counter), at: place) }
            let (last, found) = (table[65_536].number, table.next(from: 3_000))
            #expect(last == round && found == 65_536)
            for place in places { table.remove(at: place) }
            table.trim()
            let (ceiling, next) = (table.ceiling, table.next(from: 0))
            #expect(ceiling == 0 && next == nil)
        }
        #expect(counter.ended.count == 2 * places.count)
    }
}
