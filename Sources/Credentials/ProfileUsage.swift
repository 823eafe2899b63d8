internal import JSON

/// What a store remembers of how a profile fared: an entry of `usageStats` (spec/credential-formats.md §1.2, §6.3), in the neighbours'
/// members where they have some. Times are milliseconds since 1970; 0 or nil: never. No secret is in it.
public struct ProfileUsage: Sendable, Equatable {
    /// The rest of one model, ours.
    public struct ModelRest: Sendable, Equatable {
        /// Until when.
        public var until: Int64
        /// Why, in the neighbours' words where they have one.
        public var reason: String
        /// Errors in a row.
        public var errorCount: Int

        /// A rest from its parts.
        public init(until: Int64, reason: String, errorCount: Int) {
            self.until = until
            self.reason = reason
            self.errorCount = errorCount
        }
    }

    /// A window of the quota as it was last told, ours.
    public struct Quota: Sendable, Equatable {
        /// The provider's name for it.
        public var window: String
        /// Used, in thousandths.
        public var usedPermille: Int64?
        /// The whole.
        public var limit: Int64?
        /// What is left of it.
        public var remaining: Int64?
        /// When it begins anew.
        public var resetsAt: Int64?

        /// A window from its parts.
        public init(window: String, usedPermille: Int64?, limit: Int64?, remaining: Int64?, resetsAt: Int64?) {
            self.window = window
            self.usedPermille = usedPermille
            self.limit = limit
            self.remaining = remaining
            self.resetsAt = resetsAt
        }
    }

    /// When money was spent in place of a subscription, ours.
    public struct PaidFallback: Sendable, Equatable {
        /// How many requests.
        public var count: Int
        /// When the last one was.
        public var lastAt: Int64
        /// The subscription that could not serve it.
        public var insteadOf: String
        /// Why it could not.
        public var reason: String

        /// A fact from its parts.
        public init(count: Int, lastAt: Int64, insteadOf: String, reason: String) {
            self.count = count
            self.lastAt = lastAt
            self.insteadOf = insteadOf
            self.reason = reason
        }
    }

    /// The profile rests until then, after errors that pass.
    public var cooldownUntil: Int64?
    /// Why it does.
    public var cooldownReason: String?
    /// The only model that the rest concerns.
    public var cooldownModel: String?
    /// The profile is out of use until then, after errors that somebody has to see to.
    public var disabledUntil: Int64?
    /// Why it is.
    public var disabledReason: String?
    /// A newer neighbour's word for a plan that is used up.
    public var blockedUntil: Int64?
    /// The only model that this concerns.
    public var blockedModel: String?
    /// Errors in a row.
    public var errorCount = 0
    /// How often each reason was met since the last success.
    public var failureCounts: [String: Int] = [:]
    /// When the last error was.
    public var lastFailureAt: Int64?
    /// When it last served.
    public var lastUsed: Int64?
    /// Names the key that was refused, so that another one is not blamed for it.
    public var refusedFingerprint: String?
    /// Rests of models, by name.
    public var models: [String: ModelRest] = [:]
    /// What was last told of the quota.
    public var quota: [Quota] = []
    /// When that was.
    public var quotaAt: Int64?
    /// Money spent with it in place of a subscription.
    public var paidFallback: PaidFallback?

    /// Nothing is known.
    public init() {}

    /// Whether the profile or a model rests at `now`.
    public func isResting(now: Int64) -> Bool {
        refusedFingerprint != nil || max(cooldownUntil ?? 0, disabledUntil ?? 0, blockedUntil ?? 0) > now
            || models.values.contains { $0.until > now }
    }

    /// Ends all rests, and forgets the errors that led to them. What was used and spent stays.
    public mutating func clearRests() {
        (cooldownUntil, cooldownReason, cooldownModel) = (nil, nil, nil)
        (disabledUntil, disabledReason, refusedFingerprint) = (nil, nil, nil)
        (blockedUntil, blockedModel) = (nil, nil)
        (errorCount, failureCounts, models) = (0, [:], [:])
    }
}

// MARK: - In the file

extension ProfileUsage {
    /// The entry in `object`; what does not have its member's kind counts as absent.
    init(_ object: Object) {
        cooldownUntil = object.time("cooldownUntil")
        cooldownReason = object["cooldownReason"]?.string
        cooldownModel = object["cooldownModel"]?.string
        disabledUntil = object.time("disabledUntil")
        disabledReason = object["disabledReason"]?.string
        blockedUntil = object.time("blockedUntil")
        blockedModel = object["blockedModel"]?.string
        errorCount = Int(clamping: object.time("errorCount") ?? 0)
        for (name, value) in object["failureCounts"]?.object ?? [:] {
            if let count = value.int64, count > 0 { failureCounts[name] = Int(clamping: count) }
        }
        lastFailureAt = object.time("lastFailureAt")
        lastUsed = object.time("lastUsed")
        refusedFingerprint = object["refusedFingerprint"]?.string
        for (name, value) in object["modelCooldowns"]?.object ?? [:] {
            guard let rest = value.object, let until = rest.time("until") else { continue }
            models[name] = ModelRest(
                until: until, reason: rest["reason"]?.string ?? "rate_limit", errorCount: Int(clamping: rest.time("errorCount") ?? 1))
        }
        readQuota(object)
        if let paid = object["paidFallback"]?.object, let at = paid.time("lastAt") {
            paidFallback = PaidFallback(
                count: Int(clamping: paid.time("count") ?? 1), lastAt: at, insteadOf: paid["insteadOf"]?.string ?? "",
                reason: paid["reason"]?.string ?? "")
        }
    }

    private mutating func readQuota(_ object: Object) {
        guard let told = object["quota"]?.object else { return }
        quotaAt = told.time("at")
        quota = (told["windows"]?.array ?? []).compactMap { value in
            guard let window = value["window"]?.string else { return nil }
            return Quota(
                window: window, usedPermille: value["usedPermille"]?.int64, limit: value["limit"]?.int64,
                remaining: value["remaining"]?.int64, resetsAt: value["resetsAt"]?.int64)
        }
    }

    /// Writes the entry over `object`, whose other members stay as and where they are.
    func write(to object: inout Object) {
        object.set("lastUsed", lastUsed)
        object.set("cooldownUntil", cooldownUntil)
        object["cooldownReason"] = cooldownReason.map { .string($0) }
        object["cooldownModel"] = cooldownModel.map { .string($0) }
        object.set("disabledUntil", disabledUntil)
        object["disabledReason"] = disabledReason.map { .string($0) }
        object.set("blockedUntil", blockedUntil)
        object["blockedModel"] = blockedModel.map { .string($0) }
        if blockedUntil == nil { for name in ["blockedReason", "blockedSource", "blockedScope"] { object[name] = nil } }
        object.set("errorCount", errorCount == 0 && object["errorCount"] == nil ? nil : Int64(errorCount))
        let counts = failureCounts.sorted { $0.key < $1.key }.map { ($0.key, Value.integer(Int64($0.value))) }
        object["failureCounts"] = counts.isEmpty ? nil : .object(Object(counts))
        object.set("lastFailureAt", lastFailureAt)
        object["refusedFingerprint"] = refusedFingerprint.map { .string($0) }
        let rests = models.sorted { $0.key < $1.key }.map { name, rest in
            let entry: Value = [
                "until": .integer(rest.until), "reason": .string(rest.reason), "errorCount": .integer(Int64(rest.errorCount)),
            ]
            return (name, entry)
        }
        object["modelCooldowns"] = rests.isEmpty ? nil : .object(Object(rests))
        object["quota"] = quota.isEmpty ? nil : ["at": .integer(quotaAt ?? 0), "windows": .array(quota.map(Self.value))]
        object["paidFallback"] = paidFallback.map {
            [
                "count": .integer(Int64($0.count)), "lastAt": .integer($0.lastAt), "insteadOf": .string($0.insteadOf),
                "reason": .string($0.reason),
            ]
        }
    }

    private static func value(_ quota: Quota) -> Value {
        var object: Object = ["window": .string(quota.window)]
        object.set("usedPermille", quota.usedPermille)
        object.set("limit", quota.limit)
        object.set("remaining", quota.remaining)
        object.set("resetsAt", quota.resetsAt)
        return .object(object)
    }
}

extension Object {
    /// A positive whole number, also one that a neighbour wrote with a fraction.
    fileprivate func time(_ name: String) -> Int64? {
        guard let number = self[name]?.double, number > 0, number < 9e15 else { return nil }
        return Int64(number)
    }

    fileprivate mutating func set(_ name: String, _ number: Int64?) { self[name] = number.map { .integer($0) } }
}
