import Synchronization
import Testing

@testable import Files

@Suite struct PulseTests {
    private final class Count: Sendable {
        let value = Atomic(0)
        var now: Int { value.load(ordering: .relaxed) }
    }

    @Test func itBeatsUntilItIsStoppedOrToldThatThereIsNoNeed() async throws {
        let pulse = Pulse()
        let (endless, twice) = (Count(), Count())
        let number = pulse.start(every: .milliseconds(10)) {
            endless.value.add(1, ordering: .relaxed)
            return true
        }
        _ = pulse.start(every: .milliseconds(10)) { twice.value.add(1, ordering: .relaxed).newValue < 2 }
        for _ in 0..<200 where endless.now < 4 || twice.now < 2 { try await Task.sleep(for: .milliseconds(50)) }
        #expect(endless.now >= 4)
        #expect(twice.now == 2)
        pulse.stop(number)
        try await Task.sleep(for: .milliseconds(300))
        let after = endless.now
        try await Task.sleep(for: .milliseconds(600))
        #expect(endless.now == after)
        // The thread has ended; the next one starts it anew.
        let again = Count()
        _ = pulse.start(every: .milliseconds(10)) {
            again.value.add(1, ordering: .relaxed)
            return false
        }
        for _ in 0..<200 where again.now == 0 { try await Task.sleep(for: .milliseconds(50)) }
        #expect(again.now == 1)
    }
}
