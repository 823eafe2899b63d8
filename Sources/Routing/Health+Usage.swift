public import Credentials

/// A profile's health as the store keeps it.
extension Health {
    /// The health that `usage` tells of. What neither a time nor a reason is known of is a guess, which others' successes end.
    public init(_ usage: ProfileUsage, now: Int64) {
        errorCount = usage.errorCount
        lastFailureAt = usage.lastFailureAt ?? 0
        refusedFingerprint = usage.refusedFingerprint
        for (name, count) in usage.failureCounts { failureCounts[FailureReason(name: name), default: 0] += count }
        let since = min(usage.lastFailureAt ?? now, now)
        var rests: [(until: Int64, reason: FailureReason)] = []
        if usage.refusedFingerprint != nil {
            rests.append((since + CooldownRules.untilChanged, .auth))
        } else if let until = usage.disabledUntil {
            rests.append((until, FailureReason(name: usage.disabledReason ?? "billing")))
        }
        if let until = usage.cooldownUntil {
            let reason = FailureReason(name: usage.cooldownReason ?? "rate_limit")
            if let name = usage.cooldownModel { add(name, until, reason, 1, since) } else { rests.append((until, reason)) }
        }
        if let until = usage.blockedUntil {
            if let name = usage.blockedModel { add(name, until, .quota, 1, since) } else { rests.append((until, .quota)) }
        }
        for (name, rest) in usage.models.sorted(by: { $0.key < $1.key }) {
            add(name, rest.until, FailureReason(name: rest.reason), rest.errorCount, since)
        }
        if let longest = rests.max(by: { $0.until < $1.until }) { cooldown = Self.stored(longest.until, longest.reason, since) }
    }

    /// Writes it over what is stored; what is not about rests stays.
    public func write(to usage: inout ProfileUsage) {
        usage.clearRests()
        usage.errorCount = errorCount
        usage.failureCounts = Dictionary(failureCounts.map { ($0.key.name, $0.value) }, uniquingKeysWith: +)
        usage.lastFailureAt = lastFailureAt == 0 ? usage.lastFailureAt : lastFailureAt
        usage.refusedFingerprint = refusedFingerprint
        if let cooldown {
            if cooldown.reason.disables {
                // Neighbours know only times: one that cannot see that the key is another one must not leave it unused for a year.
                let until = refusedFingerprint == nil ? cooldown.until : min(cooldown.until, cooldown.since + Self.neighboursDay)
                (usage.disabledUntil, usage.disabledReason) = (until, cooldown.reason.name)
            } else {
                (usage.cooldownUntil, usage.cooldownReason) = (cooldown.until, cooldown.reason.name)
            }
        }
        // One model's rest has members of the neighbours'; several have only ours.
        if models.count == 1, usage.cooldownUntil == nil, !models[0].name.isEmpty {
            (usage.cooldownUntil, usage.cooldownReason) = (models[0].cooldown.until, models[0].cooldown.reason.name)
            usage.cooldownModel = models[0].name
        }
        for model in models {
            usage.models[model.name.isEmpty ? Self.unnamed(model.key) : model.name] = ProfileUsage.ModelRest(
                until: model.cooldown.until, reason: model.cooldown.reason.name, errorCount: model.errorCount)
        }
    }

    private mutating func add(_ name: String, _ until: Int64, _ reason: FailureReason, _ errorCount: Int, _ since: Int64) {
        let isUnnamed = name.hasPrefix("#")
        let key = isUnnamed ? UInt64(name.dropFirst(), radix: 16) ?? 0 : ModelKey.of(name)
        guard key != 0 else { return }
        models.removeAll { $0.key == key }
        models.append(
            Model(key: key, name: isUnnamed ? "" : name, cooldown: Self.stored(until, reason, since), errorCount: errorCount))
    }

    /// Whether a stored time was the provider's word is not known. Nobody is kept from being served by what may be a guess of another
    /// process, but for what it says of plans and long rests, which are not guessed.
    private static func stored(_ until: Int64, _ reason: FailureReason, _ since: Int64) -> Cooldown {
        let isStated = reason == .quota || (reason == .rate || reason == .overloaded) && until - since > 300_000
        let patience = reason == .billing || reason == .auth ? CooldownRules.billingPatience : CooldownRules.patience
        let early = reason == .model ? since : isStated ? until : min(until, since + patience)
        return Cooldown(reason: reason, since: since, until: until, early: early, isStated: isStated)
    }

    private static let neighboursDay: Int64 = 86_400_000

    /// A model whose name nobody wrote down.
    private static func unnamed(_ key: UInt64) -> String { "#" + String(key, radix: 16) }
}
