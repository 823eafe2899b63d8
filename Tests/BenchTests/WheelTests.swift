import Testing

@testable import Bench

/// What is due after so many ticks.
@Suite struct WheelTests {
    private func due(_ wheel: inout Wheel) -> [Int32] {
        var entries: [Wheel.Entry] = [Wheel.Entry(slot: 99, serial: 0)]
        wheel.advance(into: &entries)
        return entries.map(\.slot)
    }

    @Test func `Each is due once, after its ticks`() {
        var wheel = Wheel()
        wheel.add(Wheel.Entry(slot: 1, serial: 1), after: 2)
        wheel.add(Wheel.Entry(slot: 2, serial: 1), after: 1)
        wheel.add(Wheel.Entry(slot: 3, serial: 1), after: 2)
        #expect(wheel.count == 3)
        #expect(due(&wheel) == [2])
        #expect(due(&wheel) == [1, 3])
        #expect(due(&wheel) == [])
        #expect(wheel.count == 0)
    }

    @Test(arguments: [(0, 1), (1, 1), (20, 20), (1_023, 1_023), (5_000, 1_023)])
    func `A wait is at least one tick and at most the ring`(ticks: Int, waited: Int) {
        var wheel = Wheel()
        for _ in 0..<700 { _ = due(&wheel) }
        wheel.add(Wheel.Entry(slot: 7, serial: 1), after: ticks)
        for _ in 1..<waited { #expect(due(&wheel).isEmpty) }
        #expect(due(&wheel) == [7])
    }
}
