import Sockets
import Testing

@Suite struct ClockTests {
    @Test func pausesAreAtLeastAsLongAsAsked() {
        let start = Clock.monotonic()
        Pause.milliseconds(30)
        // The coarse clock lags by up to a tick.
        #expect(Clock.monotonic() - start >= 25)
    }

    @Test func theWallClockCountsFrom1970() {
        // Between 2025 and 2100.
        #expect((1_735_689_600_000..<4_102_444_800_000).contains(Clock.wall()))
    }

    @Test func aThreadRunsItsClosureAndCanBeJoined() {
        let mailbox = Mailbox<Int>()
        Thread(name: "a name that is too long for the kernel") { mailbox.post(7) }.join()
        #expect(mailbox.collect() == [7])
    }
}
