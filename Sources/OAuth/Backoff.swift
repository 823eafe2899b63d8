/// When a lane that failed may try again: exponential with jitter, never before the provider's own wish. A value kept per lane by the
/// caller; times are ms since 1970.
public struct Backoff: Sendable, Equatable {
    /// The first pause, before jitter.
    public static let base = Duration.seconds(1)
    /// The longest pause of our own.
    public static let limit = Duration.seconds(300)
    /// The longest wish of a provider that is followed.
    public static let longestWish = Duration.seconds(3600)

    /// Failures since the last success.
    public private(set) var failures = 0
    /// No attempt before this moment; nil when there is nothing to wait for.
    public private(set) var notBefore: Int64?

    /// A lane that has not failed.
    public init() {}

    /// Whether an attempt may start at `now`. A clock that was set back does not lengthen the pause beyond its limit.
    public func permits(now: Int64) -> Bool {
        guard let notBefore else { return true }
        return now >= notBefore || notBefore - now > Self.longestWish.milliseconds
    }

    /// Notes a failure at `now` and returns the pause: 1 s, 2 s, 4 s … 5 min, of which `jitter` (0 to 1) takes away up to a half; and
    /// at least `retryAfter`, up to an hour.
    public mutating func failed(now: Int64, retryAfter: Duration? = nil, jitter: Double) -> Duration {
        let doubled = Self.base * (1 << min(failures, 16))
        var pause = min(doubled, Self.limit) * (1 - 0.5 * min(max(jitter, 0), 1))
        if let retryAfter { pause = max(pause, min(retryAfter, Self.longestWish)) }
        failures += 1
        notBefore = now + pause.milliseconds
        return pause
    }

    /// Notes a success.
    public mutating func succeeded() {
        self = Backoff()
    }
}

extension Duration {
    /// Whole milliseconds, rounded up.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }
}
