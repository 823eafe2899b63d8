import Glibc
import Testing

@testable import Files

@Suite struct SignalShieldTests {
    @Test func aSignalThatWouldHaveEndedTheProcessIsSeenAndDeliveredAfterwards() async {
        await #expect(processExitsWith: .signal(SIGTERM)) {
            // What the test's own process was started with does not count.
            var none = sigset_t()
            sigemptyset(&none)
            pthread_sigmask(SIG_SETMASK, &none, nil)
            signal(SIGTERM, SIG_DFL)
            SignalShield.watching { shield in
                guard !shield.isInterrupted else { exit(1) }
                pthread_kill(pthread_self(), SIGTERM)
                guard shield.isInterrupted else { exit(2) }
            }
            exit(3)
        }
    }

    @Test func oneThatWasHeldBackAnywayIsNoReasonToHurry() async {
        await #expect(processExitsWith: .exitCode(0)) {
            SignalShield.during {
                pthread_kill(pthread_self(), SIGTERM)
                SignalShield.watching { shield in exit(shield.isInterrupted ? 1 : 0) }
            }
        }
    }
}
