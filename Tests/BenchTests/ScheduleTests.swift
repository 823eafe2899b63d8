import Testing

@testable import Bench

/// When an open loop's requests begin, and who makes them.
@Suite struct ScheduleTests {
    @Test func `Requests begin at even distances, however many there have been`() {
        let schedule = Schedule(start: 1_000, rate: 3)
        #expect([0, 1, 2, 3].map(schedule.time) == [1_000, 333_334_333, 666_667_666, 1_000_001_000])
        #expect(schedule.time(of: 3_000_000) == 1_000_000_000_001_000)
        #expect(Schedule(start: 0, rate: 4).interval == 250_000_000)
    }

    @Test func `Connections take turns, and each unit has one of every round`() {
        let order = (0..<6).map { Schedule.unit(of: $0, connections: 2, streams: 3) }
        #expect(order == [0, 3, 1, 4, 2, 5])
        #expect((6..<12).map { Schedule.unit(of: $0, connections: 2, streams: 3) } == order)
    }
}
