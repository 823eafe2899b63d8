import Configuration
import Testing

@testable import Routing

@Suite struct SimulationTests {
    private func outcome(_ change: (inout Simulation.Setting) -> Void) -> Simulation.Outcome {
        var setting = Simulation.Setting()
        setting.hours = 14
        change(&setting)
        var simulation = Simulation(setting)
        return simulation.run()
    }

    @Test("Twenty accounts and two hundred sessions: everything that is promised holds", arguments: [1, 2, 3] as [UInt64])
    func promises(seed: UInt64) {
        let outcome = outcome { $0.seed = seed }
        #expect(outcome.broken(allowsPaid: false) == [])
        #expect(outcome.requests > 10_000)
        #expect(outcome.returns > 0)
        #expect(outcome.accounts.contains { $0.refused > 0 })
    }

    @Test("With too few accounts requests fail, and no metered key is touched; with leave they do not fail")
    func scarcity() {
        let without = outcome { $0.subscriptions = 2 }
        #expect(without.failedWithoutRoom > 0)
        #expect(without.paid == 0)
        let with = outcome {
            $0.subscriptions = 2
            $0.allowsPaid = true
        }
        #expect(with.failedWithRoom + with.failedWithoutRoom == 0)
        #expect(with.paid > 0)
    }

    @Test("The same seed is the same day")
    func seeds() {
        let days = [1, 1, 2].map { seed in outcome { $0.seed = seed } }
        #expect(days[0].accounts.map(\.served) == days[1].accounts.map(\.served))
        #expect(days[0].accounts.map(\.served) != days[2].accounts.map(\.served))
    }
}
