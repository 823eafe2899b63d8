import Credentials
import Files
import Synchronization

/// Refreshes of one client id start at least 250 ms apart, in whatever process: a provider that sees a burst from one client after a
/// night's sleep answers it with 429. A courtesy, so that no failure here stops a refresh.
enum StartSpacing {
    static let distance: Int64 = 250
    /// How long to queue for a turn; after that the start is taken without one.
    static let patience = Duration.seconds(5)

    /// Waits for a turn to start: first among this process's own, then among all.
    static func waitForTurn(in lane: Lane, of store: AgentStore, clock: WallClock) {
        let path = store.startLockPath(of: lane)
        let queued = queue(for: path, now: ContinuousClock.now)
        if queued > .zero { clock.sleep(queued) }
        guard let lock = try? FileLock.acquire(path, timeout: patience - queued) else { return }
        defer { withExtendedLifetime(lock) {} }
        guard let file = try? JournalFile(open: store.startTimePath(of: lane), size: 8) else { return }
        if let last = try? file.read(at: 0, count: 8) {
            let pause = pause(since: decode(last), now: clock.now())
            if pause > 0 { clock.sleep(.milliseconds(pause)) }
        }
        try? file.write(encode(clock.now()), at: 0)
    }

    /// When this process's next start at each lock may be. Threads that waited for each other at the lock itself would try it again every
    /// few milliseconds, all of them; so each sleeps once.
    private static let turns = Mutex<[String: ContinuousClock.Instant]>([:])

    /// Takes the next turn at the lock `path`: how long it is until then.
    static func queue(for path: String, now: ContinuousClock.Instant) -> Duration {
        turns.withLock { turns in
            turns = turns.filter { $0.value > now }
            let turn = min(turns[path] ?? now, now + patience)
            turns[path] = turn + .milliseconds(distance)
            return turn - now
        }
    }

    /// How long to wait when the last start was at `last`. A clock that was set back makes no one wait longer than the distance.
    static func pause(since last: Int64, now: Int64) -> Int64 {
        min(max(last + distance - now, 0), distance)
    }

    private static func decode(_ bytes: [UInt8]) -> Int64 {
        Int64(bitPattern: bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }

    private static func encode(_ time: Int64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: time >> ($0 * 8)) }
    }
}
