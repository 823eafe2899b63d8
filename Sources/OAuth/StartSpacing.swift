import Credentials
import Files

/// Refreshes of one client id start at least 250 ms apart, in whatever process: a provider that sees a burst from one client after a
/// night's sleep answers it with 429. A courtesy, so that no failure here stops a refresh.
enum StartSpacing {
    static let distance: Int64 = 250
    /// How long to queue for a turn; after that the start is taken without one.
    private static let patience = Duration.seconds(5)

    /// Waits for a turn to start.
    static func waitForTurn(in lane: Lane, of store: AgentStore, clock: WallClock) {
        guard let lock = try? FileLock.acquire(store.startLockPath(of: lane), timeout: patience) else { return }
        defer { withExtendedLifetime(lock) {} }
        guard let file = try? JournalFile(open: store.startTimePath(of: lane), size: 8) else { return }
        if let last = try? file.read(at: 0, count: 8) {
            clock.sleep(.milliseconds(pause(since: decode(last), now: clock.now())))
        }
        try? file.write(encode(clock.now()), at: 0)
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
