internal import Credentials
internal import Glibc
internal import OAuth

/// Several processes at one login (spec/threats.md §6, T3 and T4): crowds, and holders of the lane's lock that die or stop.
enum SelftestLanes {
    static let scenarios: [SelftestScenario] = [crowd, killedHolder, pausedHolder, theft]

    private static let processes = 8
    private static let clients = 6

    /// One request, one new token, and everyone has it.
    private static let crowd = SelftestScenario(name: "\(processes) processes × \(clients) clients at once") { trial in
        for _ in 0..<3 {
            try trial.attempt(posts: 1...1) {
                let start = WallClock.system.now() + 300
                let crowd = try (0..<processes).map { _ in
                    try trial.stage.start(["--clients", "\(clients)", "--start-at", "\(start)"])
                }
                for process in crowd { trial.check(process.wait(for: .seconds(40)) == 0, "a process failed: \(process.output)") }
                let outcomes = crowd.flatMap(\.outcomes)
                let refreshed = outcomes.count { $0 == .refreshed }
                let adopted = outcomes.count { $0 == .adopted }
                trial.check(refreshed == 1, "\(refreshed) clients refreshed")
                trial.check(
                    refreshed + adopted == processes * clients, "only \(refreshed + adopted) of \(processes * clients) have a token")
                return true
            }
        }
    }

    /// The kernel frees a dead process's lock.
    private static let killedHolder = SelftestScenario(name: "lock holder killed while others wait") { trial in
        for _ in 0..<2 {
            try trial.attempt(posts: 1...1) {
                let (holder, waiters) = try hold(at: .laneEntered, trial)
                usleep(200_000)
                trial.check(trial.stage.posts == 0, "a lock that is held was passed")
                SelftestKills.kill(holder, trial)
                finish(waiters, within: .seconds(5), trial)
                return true
            }
        }
    }

    /// Stopped with the answer in its hand, and woken in time: the others wait for it.
    private static let pausedHolder = SelftestScenario(name: "lock holder stopped for a second, answer in hand") { trial in
        try trial.attempt(posts: 1...1) {
            let (holder, waiters) = try hold(at: .answered, trial)
            usleep(1_000_000)
            holder.signal(SIGCONT)
            trial.check(holder.wait(for: .seconds(10)) == 0, "the holder failed: \(holder.output)")
            finish(waiters, within: .seconds(5), trial)
            return true
        }
    }

    /// A neighbour takes the store's lock for abandoned, and changes the file: the new token is merged into what it has written.
    private static let theft = SelftestScenario(name: "neighbour's lock stolen, answer in hand") { trial in
        for _ in 0..<2 {
            let share: (SelftestStage) throws -> Void = {
                try $0.share()
                try $0.prepare()
            }
            try trial.attempt(posts: 1...1, prepare: share) {
                let holder = try trial.stage.start(.stop, at: .answered)
                trial.check(holder.waitUntilStopped(for: .seconds(20)), "the holder did not come to its stop: \(holder.output)")
                trial.check(try trial.stage.stealLock(), "the holder had no lock that a neighbour would see")
                holder.signal(SIGCONT)
                trial.check(holder.wait(for: .seconds(20)) == 0, "the holder failed: \(holder.output)")
                trial.check(holder.outcomes == [.refreshed], "the holder ended as: \(holder.output)")
                return true
            }
        }
    }

    /// A process that has stopped at `point` with the lock, and three that wait for it.
    private static func hold(at point: SelftestPoint, _ trial: SelftestTrial) throws -> (SelftestProcess, [SelftestProcess]) {
        let holder = try trial.stage.start(.stop, at: point)
        trial.check(holder.waitUntilStopped(for: .seconds(20)), "the holder did not come to its stop: \(holder.output)")
        return (holder, try (0..<3).map { _ in try trial.stage.start() })
    }

    private static func finish(_ waiters: [SelftestProcess], within limit: Duration, _ trial: SelftestTrial) {
        for waiter in waiters { trial.check(waiter.wait(for: limit) == 0, "a waiter did not end in time: \(waiter.output)") }
        let outcomes = waiters.flatMap(\.outcomes)
        trial.check(outcomes.count == waiters.count && outcomes.allSatisfy { $0 == .refreshed || $0 == .adopted }, "a waiter has no token")
    }
}

/// A holder that is stopped and stays so: who waits gives up after the request's time-out and 5 s, sends nothing, and the holder finishes
/// when it is woken. It takes as long as that, and so runs beside the others.
final class SelftestStoppedHolder {
    static let name = "lock holder stopped for good: waiters give up"
    let stage: SelftestStage
    private let holder: SelftestProcess
    private let waiter: SelftestProcess

    /// Starts both.
    init(on stage: SelftestStage) throws {
        self.stage = stage
        try stage.prepare()
        holder = try stage.start(.stop, at: .laneEntered)
        _ = holder.waitUntilStopped(for: .seconds(20))
        waiter = try stage.start()
    }

    /// Waits for the end, and judges it.
    func finish(_ trial: SelftestTrial) throws {
        // The login is in place already.
        try trial.attempt(posts: 1...1, prepare: { _ in }) {
            try trial.wait(Lane.waitBound + .seconds(8), until: "the waiter gave up") { self.waiter.wait(for: .milliseconds(20)) != nil }
            trial.check(self.waiter.outcomes == [.transient("lane_held")], "the waiter ended as: \(self.waiter.output)")
            trial.check(self.stage.posts == 0, "a request was sent past the lock")
            self.holder.signal(SIGCONT)
            trial.check(self.holder.wait(for: .seconds(20)) == 0, "the holder failed: \(self.holder.output)")
            trial.check(self.holder.outcomes == [.refreshed], "the holder did not finish: \(self.holder.output)")
            return true
        }
    }
}
