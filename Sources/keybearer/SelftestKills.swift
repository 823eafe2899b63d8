internal import Credentials
internal import Glibc
internal import Sandbox

/// SIGKILL at every step of a refresh (spec/threats.md §3, T1): where the process can be made to kill itself at a step, it does; else it
/// is held there by something that it needs, and killed.
enum SelftestKills {
    /// How often each.
    private static let times = 4

    static let scenarios: [SelftestScenario] =
        [
            own("kill -9: lane entered, store read", at: .laneEntered, posts: 1...1),
            own("kill -9: durability proved", at: .durabilityProved, posts: 1...1),
            own("kill -9: intent journalled, nothing sent", at: .intentJournalled, posts: 1...1),
            sent("kill -9: request sent, token replaced there", grace: .zero),
            sent("kill -9: request sent, provider with grace", grace: .seconds(60)),
            own("kill -9: answer received, not yet journalled", at: .answered, posts: 2...2, isUnavoidable: true),
            own("kill -9: answer received, provider with grace", at: .answered, posts: 2...2, grace: .seconds(60)),
            SelftestScenario(name: "kill -9: answer journalled, not yet stored") { trial in
                for _ in 0..<times { try trial.attempt(posts: 1...1) { try killBeforeStoring(trial) } }
            },
            SelftestScenario(name: "kill -9: new token stored, intent open") { trial in try killAfterStoring(trial) },
            own("kill -9: refresh done", at: .closed, posts: 1...1),
        ]

    /// A process that kills itself at `point`.
    private static func own(
        _ name: String, at point: SelftestPoint, posts: ClosedRange<Int>, isUnavoidable: Bool = false, grace: Duration = .zero
    ) -> SelftestScenario {
        SelftestScenario(name: name, isUnavoidable: isUnavoidable, grace: grace) { trial in
            for _ in 0..<times {
                try trial.attempt(posts: posts) {
                    let code = try trial.stage.start(.kill, at: point).wait(for: .seconds(20))
                    trial.check(code == 128 + SIGKILL, "the process was not killed there (\(code ?? -1))")
                    return true
                }
            }
        }
    }

    /// Killed while the provider, which has replaced the token already, is slow to say so.
    private static func sent(_ name: String, grace: Duration) -> SelftestScenario {
        SelftestScenario(name: name, isUnavoidable: grace == .zero, grace: grace) { trial in
            for _ in 0..<times {
                try trial.attempt(posts: 2...2) {
                    let before = trial.stage.sandbox.audit.refreshesGranted
                    trial.stage.sandbox.inject(Fault(path: SelftestStage.tokenPath, kind: .slow(.seconds(3))))
                    let process = try trial.stage.start()
                    try trial.wait(until: "the request had arrived") { trial.stage.sandbox.audit.refreshesGranted > before }
                    kill(process, trial)
                    return true
                }
            }
        }
    }

    /// The store's lock is held here, so that the process stands between the journal and the store.
    private static func killBeforeStoring(_ trial: SelftestTrial) throws -> Bool {
        let spent = try trial.stage.profile().refresh
        var result = Result<Bool, any Error>.success(false)
        try trial.stage.store.update { _ in
            result = Result {
                let process = try trial.stage.start()
                let isThere = try trial.wait(until: "the answer was journalled") {
                    try trial.stage.remains(ofSpending: spent).hasAnswer
                }
                kill(process, trial)
                return isThere
            }
            return false
        }
        return try result.get()
    }

    /// Killed as soon as the store is seen to change. A store with many profiles makes the process read for a moment after that.
    private static func killAfterStoring(_ trial: SelftestTrial) throws {
        var hits = 0
        for _ in 0..<40 where hits < times {
            let isHit = try trial.attempt(posts: 1...1, prepare: { try $0.prepare(others: 1500) }) {
                let spent = try trial.stage.profile().refresh
                let before = trial.stage.store.identity()
                let process = try trial.stage.start()
                let deadline = ContinuousClock.now + .seconds(20)
                while trial.stage.store.identity() == before, ContinuousClock.now < deadline {}
                kill(process, trial)
                let remains = try trial.stage.remains(ofSpending: spent)
                return remains.isIntentOpen && remains.holdsNewToken
            }
            if isHit { hits += 1 }
        }
        if hits == 0 { trial.skip("the moment was too short to be hit on this machine") }
    }

    static func kill(_ process: SelftestProcess, _ trial: SelftestTrial) {
        process.signal(SIGKILL)
        trial.check(process.wait(for: .seconds(10)) != nil, "a killed process did not end")
    }

    /// SIGKILL at random moments, until `deadline`: whatever the list above has not thought of.
    static func random(until deadline: ContinuousClock.Instant) -> SelftestScenario {
        SelftestScenario(name: "kill -9 at a random moment", isUnavoidable: true) { trial in
            let typical = try typicalDuration(trial.stage)
            var count = 0
            while count < 8 || ContinuousClock.now < deadline {
                count += 1
                try trial.attempt(posts: 1...2) {
                    let process = try trial.stage.start()
                    // The first fifth is the start of the program.
                    let (seconds, attoseconds) = (typical * Double.random(in: 0.2...1.05)).components
                    usleep(useconds_t(seconds * 1_000_000 + attoseconds / 1_000_000_000_000))
                    kill(process, trial)
                    return true
                }
            }
        }
    }

    /// How long an undisturbed refresh takes here, from the start of its process to the end.
    private static func typicalDuration(_ stage: SelftestStage) throws -> Duration {
        let clock = ContinuousClock()
        return try (0..<3).map { _ in
            try stage.prepare()
            return try clock.measure { try stage.refresh() }
        }.sorted()[1]
    }
}
