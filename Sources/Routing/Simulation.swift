public import Configuration

/// A day of many sessions on many accounts, on a clock of its own: what the rules of choice come to, without a socket or a provider.
///
/// The accounts refuse as providers do: a plan for five hours with its reset, a limit a minute with and without `Retry-After`, and now and
/// then an overload.
public struct Simulation: Sendable {
    /// What is simulated.
    public struct Setting: Sendable {
        /// Accounts with a plan, of different sizes.
        public var subscriptions = 16
        /// Keys that cost money, behind them in the order.
        public var metered = 4
        /// Conversations.
        public var sessions = 200
        /// How long.
        public var hours = 24
        /// Between two requests of a session at the busiest hour, on average.
        public var pauseSeconds = 150
        /// `auth.strategy`.
        public var strategy = AuthSettings.Strategy.leastUsed
        /// `auth.allowPaidFallback`.
        public var allowsPaid = false
        /// The same seed is the same day.
        public var seed: UInt64 = 1

        /// 20 accounts, 200 sessions, a day.
        public init() {}
    }

    /// What became of one account.
    public struct Account: Sendable {
        /// Requests that its plan holds for five hours; nil: as many as are paid for.
        public let plan: Int?
        /// Requests that it takes a minute.
        public let perMinute: Int
        /// Requests that it has served.
        public internal(set) var served = 0
        /// Requests that it has refused.
        public internal(set) var refused = 0
        /// Rests that began.
        public internal(set) var rests = 0

        var health = Health()
        var ramp = Ramp()
        var usedAt: Int64 = 0
        var windowEnd: Int64 = 0
        var usedInWindow = 0
        var minute: Int64 = 0
        var usedInMinute = 0
        let saysWhen: Bool

        func hasRoom(now: Int64) -> Bool {
            if let plan, now < windowEnd, usedInWindow >= plan { return false }
            return now / 60_000 != minute || usedInMinute < perMinute
        }
        /// Of its plan, in thousandths.
        func used(now: Int64) -> Int64 {
            guard let plan, now < windowEnd else { return 0 }
            return Int64(usedInWindow * 1000 / plan)
        }
    }

    /// What the day came to.
    public struct Outcome: Sendable {
        /// The accounts, in their order.
        public internal(set) var accounts: [Account]
        /// Requests in all.
        public internal(set) var requests = 0
        /// Those that nobody served although somebody had room.
        public internal(set) var failedWithRoom = 0
        /// Those that nobody could serve.
        public internal(set) var failedWithoutRoom = 0
        /// Served by another account than the session's request before.
        public internal(set) var changes = 0
        /// Among them, back to the session's first account.
        public internal(set) var returns = 0
        /// Served elsewhere although the session's first account was sound, and not just being returned to.
        public internal(set) var strays = 0
        /// Served by a metered key.
        public internal(set) var paid = 0

        /// What does not hold of what is promised; none: all does.
        public func broken(allowsPaid: Bool) -> [String] {
            var broken: [String] = []
            if failedWithRoom > 0 { broken.append("\(failedWithRoom) requests failed while an account had room") }
            if changes * 50 >= requests {
                broken.append("\(changes) of \(requests) requests changed the account in mid-session: 2 % or more")
            }
            if strays > 0 { broken.append("\(strays) requests did not return to their session's account although it had recovered") }
            if paid > 0, !allowsPaid { broken.append("\(paid) requests were served by a metered key without leave") }
            return broken
        }
    }

    private struct Session {
        var home = -1
        var last = -1
    }
    private struct Arrival {
        let at: Int64
        let session: Int
    }

    private let setting: Setting
    private let rules: CooldownRules
    private var outcome: Outcome
    private var sessions: [Session]
    private var random: Dice
    /// 2026-01-01.
    private static let start: Int64 = 1_767_225_600_000
    private static let window: Int64 = 5 * 3_600_000

    /// A day under these rules.
    public init(_ setting: Setting, cooldowns: CooldownSettings = CooldownSettings()) {
        self.setting = setting
        rules = CooldownRules(cooldowns)
        let plans = (0..<setting.subscriptions).map { number in
            // Sizes from 1 to 8, not in the order of their size.
            Account(plan: 600 * (1 + number * 5 % 8), perMinute: 20 + number * 3 % 25, saysWhen: number % 3 != 0)
        }
        let keys = (0..<setting.metered).map { _ in Account(plan: nil, perMinute: 1000, saysWhen: true) }
        outcome = Outcome(accounts: plans + keys)
        sessions = Array(repeating: Session(), count: setting.sessions)
        random = Dice(seed: setting.seed)
    }

    /// Plays the day.
    public mutating func run() -> Outcome {
        for arrival in arrivals() { serve(arrival.session, now: arrival.at) }
        return outcome
    }

    /// Every session's requests, few at night and many by day, in the order of time.
    private mutating func arrivals() -> [Arrival] {
        var arrivals: [Arrival] = []
        let end = Self.start + Int64(setting.hours) * 3_600_000
        for session in 0..<setting.sessions {
            var at = Self.start
            while true {
                // A pause of random length around the mean, which is all of a waiting line's law that matters here.
                at += Int64(random.below(2 * UInt64(setting.pauseSeconds) * 1000)) + 1
                guard at < end else { break }
                let hour = (at - Self.start) / 3_600_000 % 24
                let share: UInt64 = (8..<20).contains(hour) ? 100 : 30
                if random.below(100) < share { arrivals.append(Arrival(at: at, session: session)) }
            }
        }
        return arrivals.sorted { ($0.at, $0.session) < ($1.at, $1.session) }
    }

    // MARK: One request

    private mutating func serve(_ session: Int, now: Int64) {
        outcome.requests += 1
        var tried: [Int] = []
        while tried.count < Failover.maximumAttempts, let position = choose(session, tried, now: now) {
            if accepts(position, now: now) { return served(session, by: position, now: now) }
            tried.append(position)
        }
        let mayServe = outcome.accounts.indices.contains { !isPaid($0) && outcome.accounts[$0].hasRoom(now: now) }
        if mayServe { outcome.failedWithRoom += 1 } else { outcome.failedWithoutRoom += 1 }
    }

    /// The engine's step 3: the session's first account, else the one that served it last, else by the strategy.
    private mutating func choose(_ session: Int, _ tried: [Int], now: Int64) -> Int? {
        for _ in 0..<2 {
            var chooser = Chooser(
                strategy: setting.strategy, allowsPaid: setting.allowsPaid, count: outcome.accounts.count, isFailover: !tried.isEmpty,
                now: now)
            let isSettled = offerWishes(session, tried, to: &chooser, now: now)
            if !isSettled { offerAll(session, tried, to: &chooser, now: now) }
            guard case .use(let position, _) = chooser.verdict else { return nil }
            if take(position, isNewcomer: !isSettled && (chooser.isDiverted || !tried.isEmpty), now: now) { return position }
        }
        return nil
    }

    private func offerWishes(_ session: Int, _ tried: [Int], to chooser: inout Chooser, now: Int64) -> Bool {
        for wish in [sessions[session].home, sessions[session].last] where wish >= 0 && !tried.contains(wish) {
            let availability = outcome.accounts[wish].health.availability(model: 0, now: now)
            if chooser.offerPreferred(wish, availability, isPaid: isPaid(wish), isCrowded: false) { return true }
        }
        return false
    }

    private func offerAll(_ session: Int, _ tried: [Int], to chooser: inout Chooser, now: Int64) {
        for position in outcome.accounts.indices where !tried.contains(position) && position != sessions[session].home {
            let account = outcome.accounts[position]
            let isNewcomer = chooser.isDiverted || !tried.isEmpty
            let isDecided = chooser.offer(
                position, account.health.availability(model: 0, now: now), isPaid: isPaid(position),
                isCrowded: isNewcomer && !account.ramp.mayTake(now: now), rank: rank(account, now: now))
            if isDecided { return }
        }
    }

    private func rank(_ account: Account, now: Int64) -> Int64 {
        switch setting.strategy {
        case .order: 0
        case .leastUsed: account.used(now: now)
        case .drainSoonest: now < account.windowEnd ? account.windowEnd : .max
        case .roundRobin: account.usedAt
        }
    }

    private mutating func take(_ position: Int, isNewcomer: Bool, now: Int64) -> Bool {
        if isNewcomer { outcome.accounts[position].ramp = outcome.accounts[position].ramp.taking(now: now) }
        if outcome.accounts[position].health.availability(model: 0, now: now) == .ready { return true }
        return outcome.accounts[position].health.beginProbe(model: 0, now: now)
    }

    private func isPaid(_ position: Int) -> Bool { position >= setting.subscriptions }

    // MARK: The provider

    private mutating func accepts(_ position: Int, now: Int64) -> Bool {
        if now >= outcome.accounts[position].windowEnd {
            outcome.accounts[position].windowEnd = now + Self.window
            outcome.accounts[position].usedInWindow = 0
        }
        if now / 60_000 != outcome.accounts[position].minute {
            outcome.accounts[position].minute = now / 60_000
            outcome.accounts[position].usedInMinute = 0
        }
        let account = outcome.accounts[position]
        if let plan = account.plan, account.usedInWindow >= plan {
            return refused(position, Health.Failure(.quota, statedUntil: account.windowEnd), now: now)
        }
        if account.usedInMinute >= account.perMinute {
            return refused(position, Health.Failure(.rate, statedUntil: account.saysWhen ? (now / 60_000 + 1) * 60_000 : nil), now: now)
        }
        if random.below(2_000) == 0 { return refused(position, Health.Failure(.overloaded), now: now) }
        outcome.accounts[position].usedInWindow += 1
        outcome.accounts[position].usedInMinute += 1
        outcome.accounts[position].usedAt = now
        outcome.accounts[position].served += 1
        _ = outcome.accounts[position].health.succeeded(model: 0, sentAt: now)
        return true
    }

    private mutating func refused(_ position: Int, _ failure: Health.Failure, now: Int64) -> Bool {
        outcome.accounts[position].refused += 1
        if outcome.accounts[position].health.failed(failure, at: now, rules: rules) { outcome.accounts[position].rests += 1 }
        return false
    }

    private mutating func served(_ session: Int, by position: Int, now: Int64) {
        let known = sessions[session]
        if isPaid(position) { outcome.paid += 1 }
        if known.last >= 0, known.last != position {
            outcome.changes += 1
            if position == known.home { outcome.returns += 1 }
        }
        if known.home >= 0, position != known.home, outcome.accounts[known.home].health.availability(model: 0, now: now) == .ready {
            outcome.strays += 1
        }
        sessions[session].last = position
        if known.home < 0 { sessions[session].home = position }
    }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
private struct Dice: Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func below(_ limit: UInt64) -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return (mixed ^ mixed >> 31) % limit
    }
}
