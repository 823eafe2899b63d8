public import Configuration

/// A rest that a profile, or one model of it, is given. Times are milliseconds since 1970.
///
///     none ──failure──▶ cooling ──until──▶ half-open ──one request──▶ probing ──success──▶ none
///                          ▲                   ▲                        │ │
///                          └──────failure──────┼────────────────────────┘ │ no verdict in time
///                                              └───────────────────────────┘
public struct Cooldown: Sendable, Equatable {
    /// Why.
    public var reason: FailureReason
    /// When it began: what was sent before says nothing about it.
    public var since: Int64
    /// Others are preferred until then.
    public var until: Int64
    /// When nothing else is left, it may be tried from then on: our guess of `until` must not keep anybody from being served.
    public var early: Int64
    /// `until` is the provider's word, not our guess.
    public var isStated: Bool
    /// A single request finds out whether it is over; others wait for its answer until then.
    public var probeUntil: Int64 = 0

    /// A rest from its parts.
    public init(reason: FailureReason, since: Int64, until: Int64, early: Int64, isStated: Bool) {
        self.reason = reason
        self.since = since
        self.until = until
        self.early = early
        self.isStated = isStated
    }

    /// How it stands.
    @inlinable public func availability(now: Int64) -> Availability {
        if now < probeUntil {
            // Once the rest itself is over, the probe is a courtesy: it must not keep anybody from being served. Nor must it be that a
            // model is missing, which may be the client's slip: it is to be told so.
            return .cooling(until: probeUntil, early: now < until && reason != .model ? probeUntil : now, isStated: false)
        }
        return now < until ? .cooling(until: until, early: early, isStated: isStated) : .halfOpen
    }

    /// How long the answer to a probe is waited for before another request may probe.
    public static let probeTime: Int64 = 15_000
}

/// Whether a profile may be chosen.
public enum Availability: Sendable, Equatable {
    case ready
    /// Its rest is over: one request may find out.
    case halfOpen
    /// Not before `until`; before that, from `early` on, only where nothing else is left.
    case cooling(until: Int64, early: Int64, isStated: Bool)
}

/// How long rests are: `auth.cooldowns`, in milliseconds.
public struct CooldownRules: Sendable, Equatable {
    /// By how many errors there were in a row; the last for all further ones.
    public var ladder: [Int64]
    /// The first rest after a billing error; each further one doubles it.
    public var billing: Int64
    /// The longest rest after billing errors.
    public var billingMax: Int64
    /// After so long without one, billing errors are counted from one again.
    public var failureWindow: Int64

    /// The rules of the settings.
    public init(_ settings: CooldownSettings) {
        let hour: Int64 = 3_600_000
        ladder = settings.ladder.map { $0.components.seconds * 1000 + $0.components.attoseconds / 1_000_000_000_000_000 }
        billing = Int64(settings.billingBackoffHours) * hour
        billingMax = Int64(max(settings.billingMaxHours, settings.billingBackoffHours)) * hour
        failureWindow = Int64(settings.failureWindowHours) * hour
    }

    /// The rest after the `count`-th error in a row.
    func step(_ count: Int) -> Int64 { ladder.isEmpty ? 30_000 : ladder[min(max(count, 1), ladder.count) - 1] }

    /// The longest step.
    var longestStep: Int64 { ladder.last ?? 300_000 }

    /// The rest after the `count`-th billing error within the window.
    func billingRest(_ count: Int) -> Int64 {
        var rest = billing
        for _ in 1..<max(count, 1) where rest < billingMax { rest *= 2 }
        return min(rest, billingMax)
    }

    /// A key that was refused is not tried beside others until it is another one, or somebody clears it.
    static let untilChanged: Int64 = 365 * 24 * 3_600_000
    /// A provider's word on when to come back is believed up to here.
    static let longestStated: Int64 = 31 * 24 * 3_600_000
    /// Errors are forgotten one by one, each after so long a time without another.
    static let decay: Int64 = 600_000
    /// When nothing else is left, a rest that we guessed keeps a profile from being tried only so long.
    static let patience: Int64 = 5_000
    /// The same after a billing error: somebody may have paid.
    static let billingPatience: Int64 = 60_000
}
