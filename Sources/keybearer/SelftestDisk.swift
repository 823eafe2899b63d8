internal import Credentials
internal import OAuth
internal import Sandbox

/// Disks that take nothing (spec/threats.md §6, T2), played by a limit on the size of files, and clocks that are wrong.
enum SelftestDisk {
    static let scenarios: [SelftestScenario] = [full, storeRefused, everythingRefused]

    /// What cannot be kept is not asked for.
    private static let full = SelftestScenario(name: "disk full before: nothing is spent") { trial in
        for _ in 0..<4 {
            try trial.attempt(posts: 1...1) {
                let outcome = try outcome(of: trial.stage.start(.refuse, at: .start), trial)
                trial.check(outcome == .transient("not_durable"), "the refresh ended as: \(outcome?.text ?? "nothing")")
                trial.check(trial.stage.posts == 0, "a request was sent")
                return true
            }
        }
    }

    /// The journal, preallocated, takes the answer; the next refresh puts it into the store without asking again.
    private static let storeRefused = SelftestScenario(name: "disk full after: the journal keeps the token") { trial in
        for _ in 0..<2 {
            try trial.attempt(posts: 1...1, prepare: { try $0.prepare(others: 300) }) {
                let outcome = try outcome(of: trial.stage.start(.fill, at: .answered), trial)
                trial.check(outcome == .transient("not_durable"), "the refresh ended as: \(outcome?.text ?? "nothing")")
                return true
            }
        }
    }

    /// Journal and store both refuse; the token is kept in memory, and tried again.
    private static let everythingRefused = SelftestScenario(name: "disk refuses all after, for a moment: tried again") { trial in
        for _ in 0..<2 {
            try trial.attempt(posts: 1...1) {
                let outcome = try outcome(of: trial.stage.start(.refuse, at: .answered), trial)
                trial.check(outcome == .refreshed, "the refresh ended as: \(outcome?.text ?? "nothing")")
                return true
            }
        }
    }

    private static func outcome(of process: SelftestProcess, _ trial: SelftestTrial) throws -> SelftestOutcome? {
        trial.check(process.wait(for: .seconds(20)) == 0, "the refresh failed: \(process.output)")
        return process.outcomes.first
    }
}

/// Clocks: the boundary of an expiry, and steps in both directions.
enum SelftestClocks {
    static let scenarios: [SelftestScenario] = [boundary, back, forward]

    private static let day: Int64 = 86_400_000

    /// A millisecond before its expiry a token is used, and from its expiry on refreshed.
    private static let boundary = SelftestScenario(name: "clock at the expiry, 1 ms before, at it, a day later") { trial in
        let expires = WallClock.system.now() + 3_600_000
        for (time, isFresh) in [(expires - 1, true), (expires, false), (expires + day, false)] {
            try trial.attempt(posts: isFresh ? 0...0 : 1...1, prepare: { try $0.prepare(expires: expires) }) {
                let outcome = try trial.stage.refresh(["--fixed-time", "\(time)"])
                trial.check(outcome == (isFresh ? .adopted : .refreshed), "\(expires - time) ms before its expiry: \(outcome.text)")
                return true
            }
        }
    }

    /// A token in doubt is left alone while the clock says that the access token works, and asked for when it says otherwise.
    private static let back = SelftestScenario(name: "clock set back a day after a crash") { trial in
        for _ in 0..<2 {
            try trial.attempt(posts: 1...1) {
                _ = try trial.stage.start(.kill, at: .intentJournalled).wait(for: .seconds(20))
                try trial.stage.refresh(["--fixed-time", "\(WallClock.system.now() - day)"])
                return true
            }
        }
    }

    /// The expiry that is stored then is wrong; the login is not lost by it.
    private static let forward = SelftestScenario(name: "clock leaps a year during the request") { trial in
        for _ in 0..<2 {
            try trial.attempt(posts: 1...1) {
                let outcome = try trial.stage.refresh(["--jump", "\(365 * day)"])
                trial.check(outcome == .refreshed, "the refresh ended as: \(outcome.text)")
                return true
            }
        }
    }
}
