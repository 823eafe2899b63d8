import Glibc

/// The time of day, as a parameter, so that everything about expiry can be tested at any moment.
public struct WallClock: Sendable {
    /// ms since 1970.
    public var now: @Sendable () -> Int64
    /// Sleeps.
    public var sleep: @Sendable (Duration) -> Void

    /// A clock that answers by these.
    public init(now: @escaping @Sendable () -> Int64, sleep: @escaping @Sendable (Duration) -> Void) {
        self.now = now
        self.sleep = sleep
    }

    /// The system's clock.
    public static let system = WallClock(
        now: {
            var time = timespec()
            unsafe clock_gettime(CLOCK_REALTIME, &time)
            return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
        },
        sleep: { duration in
            let (seconds, attoseconds) = duration.components
            var left = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
            var rest = timespec()
            while unsafe nanosleep(&left, &rest) == -1 && errno == EINTR { left = rest }
        })
}
