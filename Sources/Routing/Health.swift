/// How a profile has fared: its rests and what led to them. A value: times are given, nothing is read or written here.
public struct Health: Sendable, Equatable {
    /// The rest of one model.
    public struct Model: Sendable, Equatable {
        /// `ModelKey` of its name.
        public var key: UInt64
        /// Its name; empty when nobody knows.
        public var name: String
        /// Its rest.
        public var cooldown: Cooldown
        /// Errors in a row.
        public var errorCount: Int
    }

    /// The rest of the whole profile.
    public internal(set) var cooldown: Cooldown?
    /// The rests of single models.
    public internal(set) var models: [Model] = []
    /// Errors of the whole profile in a row.
    public internal(set) var errorCount = 0
    /// How often each reason was met since the last success.
    public internal(set) var failureCounts: [FailureReason: Int] = [:]
    /// When the last error was; 0: never.
    public internal(set) var lastFailureAt: Int64 = 0
    /// Names the key that was refused: a new one is not to blame.
    public internal(set) var refusedFingerprint: String?

    /// The health of a profile nobody knows anything of.
    public init() {}

    /// A model that a failure concerns.
    public struct ModelName: Sendable, Equatable {
        /// `ModelKey` of its name; 0 when no model is known.
        public var key: UInt64
        /// Its name, if it is known.
        public var name: String

        /// A model by key and name.
        public init(key: UInt64, name: String = "") {
            self.key = key
            self.name = name
        }
        /// No model in particular.
        public static let unknown = ModelName(key: 0)
    }

    /// What went wrong.
    public struct Failure: Sendable, Equatable {
        /// Why.
        public var reason: FailureReason
        /// The model that was asked for.
        public var model: ModelName
        /// When the provider says that it will be over.
        public var statedUntil: Int64?
        /// Of a static key that was refused: what names it. Nil for one that renews itself.
        public var fingerprint: String?

        /// A failure from its parts.
        public init(_ reason: FailureReason, model: ModelName = .unknown, statedUntil: Int64? = nil, fingerprint: String? = nil) {
            self.reason = reason
            self.model = model
            self.statedUntil = statedUntil
            self.fingerprint = fingerprint
        }
    }

    // MARK: What happens to it

    /// Takes a failure in. Further ones of the same kind within a rest change nothing, so that many requests under way do not climb the
    /// ladder together; the provider's own word always counts. True when the rest is another one now.
    public mutating func failed(_ failure: Failure, at now: Int64, rules: CooldownRules) -> Bool {
        let isOfModel = failure.reason.concernsModel && failure.model.key != 0
        let place = isOfModel ? models.firstIndex { $0.key == failure.model.key } : nil
        let known = isOfModel ? place.map { models[$0].cooldown } : cooldown
        let lastCount = isOfModel ? place.map { models[$0].errorCount } ?? 0 : errorCount
        let count = Self.decayed(lastCount, since: max(known?.until ?? 0, isOfModel ? 0 : lastFailureAt), now: now) + 1
        let billingCount = now - lastFailureAt > rules.failureWindow ? 1 : (failureCounts[.billing] ?? 0) + 1
        let new = Self.cooldown(for: failure, count: count, billingCount: billingCount, at: now, rules: rules)
        if let known, now < known.until, !Self.replaces(new, known) { return false }
        if now - lastFailureAt > rules.failureWindow { failureCounts = [:] }
        failureCounts[failure.reason, default: 0] += 1
        lastFailureAt = now
        if isOfModel {
            let model = Model(key: failure.model.key, name: failure.model.name, cooldown: new, errorCount: count)
            if let place { models[place] = model } else { add(model, now: now) }
        } else {
            cooldown = new
            errorCount = count
            refusedFingerprint = failure.reason == .auth ? failure.fingerprint : nil
        }
        return true
    }

    /// Takes a success in, of a request that was sent at `sentAt`. One that was sent before a rest began does not end it. True when
    /// something was cleared.
    public mutating func succeeded(model key: UInt64, sentAt: Int64) -> Bool {
        let before = self
        if let known = cooldown, sentAt >= known.since { cooldown = nil }
        models.removeAll { $0.key == key && sentAt >= $0.cooldown.since }
        if cooldown == nil {
            errorCount = 0
            refusedFingerprint = nil
            if models.isEmpty { failureCounts = [:] }
        }
        return before != self
    }

    /// Ends all rests, as `cooldown clear` does.
    public mutating func clear() {
        cooldown = nil
        models = []
        errorCount = 0
        failureCounts = [:]
        refusedFingerprint = nil
    }

    /// Another key than the one that was refused is here. True when that ended its rest.
    public mutating func holds(fingerprint: String) -> Bool {
        guard let refused = refusedFingerprint, refused != fingerprint, cooldown?.reason == .auth else { return false }
        cooldown = nil
        errorCount = 0
        refusedFingerprint = nil
        return true
    }

    /// One request may find out whether a rest is over: false when another one does already, or it is not over.
    public mutating func beginProbe(model key: UInt64, now: Int64) -> Bool {
        if let known = cooldown {
            guard known.availability(now: now) == .halfOpen || now >= known.early && now >= known.probeUntil else { return false }
            cooldown?.probeUntil = now + Cooldown.probeTime
            return true
        }
        guard let place = models.firstIndex(where: { $0.key == key }), now >= models[place].cooldown.probeUntil else { return false }
        models[place].cooldown.probeUntil = now + Cooldown.probeTime
        return true
    }

    // MARK: How it stands

    /// Whether it may serve a request for the model `key`; 0: nobody knows which.
    public func availability(model key: UInt64, now: Int64) -> Availability {
        if let cooldown { return cooldown.availability(now: now) }
        guard let model = cooldown(ofModel: key, now: now) else { return .ready }
        return model.availability(now: now)
    }

    /// The rest that keeps a request for the model `key` away, if there is one.
    public func resting(model key: UInt64, now: Int64) -> Cooldown? {
        [cooldown, cooldown(ofModel: key, now: now)].compactMap { $0 }.first { now < max($0.until, $0.probeUntil) }
    }

    private func cooldown(ofModel key: UInt64, now: Int64) -> Cooldown? {
        guard key != 0 else { return nil }
        for model in models where model.key == key && now < model.cooldown.until + CooldownRules.decay { return model.cooldown }
        return nil
    }

    /// Whether there is nothing to remember.
    public var isSound: Bool { cooldown == nil && models.isEmpty }

    // MARK: Rests

    private static func cooldown(
        for failure: Failure, count: Int, billingCount: Int, at now: Int64, rules: CooldownRules
    ) -> Cooldown {
        if let stated = failure.statedUntil {
            let until = min(max(stated, now + 1_000), now + CooldownRules.longestStated)
            return Cooldown(
                reason: failure.reason, since: now, until: until, early: failure.reason == .model ? now : until, isStated: true)
        }
        let rest: Int64
        let patience: Int64
        switch failure.reason {
        case .rate, .overloaded: (rest, patience) = (rules.step(count), CooldownRules.patience)
        case .quota: (rest, patience) = (rules.longestStep, CooldownRules.patience)
        case .billing: (rest, patience) = (rules.billingRest(billingCount), CooldownRules.billingPatience)
        case .auth: (rest, patience) = (failure.fingerprint == nil ? rules.step(count) : CooldownRules.untilChanged, rules.step(count))
        case .model: (rest, patience) = (rules.step(count), 0)
        }
        return Cooldown(reason: failure.reason, since: now, until: now + rest, early: now + min(rest, patience), isStated: false)
    }

    /// Whether a further failure within a rest changes it: the provider's word in place of a guess, a longer one of its words, or a
    /// graver reason.
    private static func replaces(_ new: Cooldown, _ known: Cooldown) -> Bool {
        if new.isStated, !known.isStated, new.reason == known.reason { return true }
        return new.until > known.until && (new.isStated || new.reason != known.reason)
    }

    private static func decayed(_ count: Int, since: Int64, now: Int64) -> Int {
        max(0, count - Int(clamping: max(0, now - since) / CooldownRules.decay))
    }

    /// Models come and go; what is long over is forgotten first.
    private mutating func add(_ model: Model, now: Int64) {
        if models.count >= Self.modelLimit { models.removeAll { now >= $0.cooldown.until + CooldownRules.decay } }
        if models.count >= Self.modelLimit { models.removeFirst() }
        models.append(model)
    }
    private static let modelLimit = 64
}
