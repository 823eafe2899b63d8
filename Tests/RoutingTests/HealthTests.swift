import Configuration
import Credentials
import Testing

@testable import Routing

private let second: Int64 = 1_000
private let hour: Int64 = 3_600_000
private let start: Int64 = 1_790_000_000_000
private let rules = CooldownRules(CooldownSettings())
private let opus = Health.ModelName(key: ModelKey.of("opus"), name: "opus")
private let haiku = Health.ModelName(key: ModelKey.of("haiku"), name: "haiku")

/// A health after failures, each at its end of the rest before.
private func failing(_ failures: [Health.Failure], every pause: Int64? = nil) -> (health: Health, now: Int64) {
    var health = Health()
    var now = start
    for failure in failures {
        _ = health.failed(failure, at: now, rules: rules)
        let until = (health.cooldown ?? health.models.last?.cooldown)?.until ?? now
        now = pause.map { now + $0 } ?? until
    }
    return (health, now)
}

/// `#expect` takes no call that changes a value.
private func check(_ isTrue: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(isTrue, sourceLocation: sourceLocation)
}

@Suite struct HealthTests {
    @Test(
        "How long a profile rests after the first, second, third and fourth error",
        arguments: [
            (.rate, [30, 60, 300, 300]), (.overloaded, [30, 60, 300, 300]), (.quota, [300, 300, 300]), (.model, [30, 60, 300, 300]),
            (.billing, [5 * 3600, 10 * 3600, 20 * 3600, 24 * 3600]), (.auth, [30, 60, 300, 300]),
        ] as [(FailureReason, [Int64])])
    func ladder(reason: FailureReason, seconds: [Int64]) {
        var health = Health()
        var now = start
        for expected in seconds {
            check(health.failed(Health.Failure(reason), at: now, rules: rules))
            #expect(health.cooldown?.until == now + expected * second)
            now = health.cooldown?.until ?? now
        }
    }

    @Test("A key that is refused rests until it is another one", arguments: [("a", false), ("b", true)])
    func refusedKey(fingerprint: String, isCleared: Bool) {
        var health = Health()
        _ = health.failed(Health.Failure(.auth, fingerprint: "a"), at: start, rules: rules)
        #expect((health.cooldown?.until ?? 0) > start + 300 * 24 * hour)
        check(health.holds(fingerprint: fingerprint) == isCleared)
        #expect((health.availability(model: 0, now: start) == .ready) == isCleared)
    }

    @Test("Nothing is extended by further failures within a rest", arguments: FailureReason.allCases)
    func notExtended(reason: FailureReason) {
        var health = Health()
        _ = health.failed(Health.Failure(reason), at: start, rules: rules)
        let before = health
        for offset in [0, 1, 10, 29] as [Int64] {
            check(!health.failed(Health.Failure(reason), at: start + offset * second, rules: rules))
        }
        #expect(health == before)
    }

    @Test(
        "The provider's word wins over the ladder, and a later one over an earlier",
        arguments: [(5, nil, 5), (5, 20, 20), (20, 5, 20), (3600, nil, 3600), (0, nil, 1), (40 * 86_400, nil, 31 * 86_400)]
            as [(Int64, Int64?, Int64)])
    func stated(first: Int64, then: Int64?, expected: Int64) {
        var health = Health()
        _ = health.failed(Health.Failure(.rate), at: start, rules: rules)
        _ = health.failed(Health.Failure(.rate, statedUntil: start + first * second), at: start, rules: rules)
        if let then { _ = health.failed(Health.Failure(.rate, statedUntil: start + then * second), at: start, rules: rules) }
        #expect(health.cooldown?.until == start + expected * second)
        #expect(health.cooldown?.isStated == true)
        #expect(health.cooldown?.early == health.cooldown?.until)
    }

    @Test("A graver reason replaces a lighter one, and not the other way round")
    func graver() {
        var health = Health()
        _ = health.failed(Health.Failure(.rate), at: start, rules: rules)
        check(health.failed(Health.Failure(.billing), at: start + second, rules: rules))
        #expect(health.cooldown?.reason == .billing)
        check(!health.failed(Health.Failure(.rate), at: start + 2 * second, rules: rules))
        #expect(health.cooldown?.reason == .billing)
    }

    @Test(
        "When nothing else is left, a guess keeps a profile away for a few seconds only; a provider's word for all its time",
        arguments: [
            (.rate, nil, 5), (.overloaded, nil, 5), (.quota, nil, 5), (.billing, nil, 60), (.auth, nil, 30), (.model, nil, 0),
            (.rate, 90, 90), (.quota, 7200, 7200), (.model, 90, 0),
        ] as [(FailureReason, Int64?, Int64)])
    func patience(reason: FailureReason, stated: Int64?, expected: Int64) {
        var health = Health()
        _ = health.failed(Health.Failure(reason, statedUntil: stated.map { start + $0 * second }), at: start, rules: rules)
        #expect(health.cooldown?.early == start + expected * second)
    }

    @Test("Rate and model errors concern one model, the others the profile", arguments: FailureReason.allCases)
    func scope(reason: FailureReason) {
        var health = Health()
        _ = health.failed(Health.Failure(reason, model: opus), at: start, rules: rules)
        let others = health.availability(model: haiku.key, now: start) == .ready
        #expect(others == [.rate, .overloaded, .model].contains(reason))
        #expect(health.availability(model: opus.key, now: start) != .ready)
        #expect((health.availability(model: 0, now: start) == .ready) == others)
    }

    @Test("A success clears its model's rest and the profile's, but not another model's")
    func success() {
        var health = Health()
        _ = health.failed(Health.Failure(.rate, model: opus), at: start, rules: rules)
        _ = health.failed(Health.Failure(.rate, model: haiku), at: start, rules: rules)
        check(health.succeeded(model: haiku.key, sentAt: start + second))
        #expect(health.models.map(\.name) == ["opus"])
        check(health.succeeded(model: opus.key, sentAt: start + second))
        #expect(health.isSound)
        check(!health.succeeded(model: opus.key, sentAt: start + second))
    }

    @Test("The success of a request that was sent before the rest began does not end it", arguments: [(-1, false), (0, true), (5, true)])
    func lateSuccess(offset: Int64, isCleared: Bool) {
        var health = Health()
        _ = health.failed(Health.Failure(.quota), at: start, rules: rules)
        check(health.succeeded(model: 0, sentAt: start + offset) == isCleared)
        #expect(health.isSound == isCleared)
    }

    @Test(
        "Errors decay: each ten minutes without one takes one away", arguments: [(0, 300), (599, 300), (600, 300), (1200, 60), (1800, 30)])
    func decay(idle: Int64, expected: Int64) {
        var (health, now) = failing([Health.Failure(.rate), Health.Failure(.rate), Health.Failure(.rate)])
        now += idle * second
        _ = health.failed(Health.Failure(.rate), at: now, rules: rules)
        #expect(health.cooldown?.until == now + expected * second)
    }

    @Test("Billing errors are counted from one again after the window", arguments: [(23, 10), (25, 5)])
    func billingWindow(hours: Int64, expected: Int64) {
        var (health, now) = failing([Health.Failure(.billing)], every: hours * hour)
        _ = health.failed(Health.Failure(.billing), at: now, rules: rules)
        #expect(health.cooldown?.until == now + expected * hour)
        now += 1
    }

    @Test("At the end of a rest a single request finds out; its failure climbs the ladder, its success ends it")
    func probe() {
        var (health, now) = failing([Health.Failure(.rate)])
        #expect(health.availability(model: 0, now: now) == .halfOpen)
        check(health.beginProbe(model: 0, now: now))
        check(!health.beginProbe(model: 0, now: now + 1))
        guard case .cooling = health.availability(model: 0, now: now + 1) else {
            Issue.record("two probes at a time")
            return
        }
        check(health.failed(Health.Failure(.rate), at: now + second, rules: rules))
        #expect(health.cooldown?.until == now + second + 60 * second)
        now += 61 * second
        check(health.beginProbe(model: 0, now: now))
        check(health.succeeded(model: 0, sentAt: now))
        #expect(health.availability(model: 0, now: now) == .ready)
    }

    @Test("A probe whose answer never comes is given up, and the next request probes")
    func lostProbe() {
        var (health, now) = failing([Health.Failure(.rate, model: opus)])
        check(health.beginProbe(model: opus.key, now: now))
        now += Cooldown.probeTime
        #expect(health.availability(model: opus.key, now: now) == .halfOpen)
        check(health.beginProbe(model: opus.key, now: now))
    }

    @Test("A profile is not probed before its rest is over, but for one by guess when nothing else is left")
    func earlyProbe() {
        var health = Health()
        _ = health.failed(Health.Failure(.rate), at: start, rules: rules)
        check(!health.beginProbe(model: 0, now: start + 4 * second))
        check(health.beginProbe(model: 0, now: start + 5 * second))
        var stated = Health()
        _ = stated.failed(Health.Failure(.rate, statedUntil: start + 30 * second), at: start, rules: rules)
        check(!stated.beginProbe(model: 0, now: start + 29 * second))
    }

    @Test("No more than 64 models are remembered; what is over is forgotten first")
    func manyModels() {
        var health = Health()
        for number in 0..<200 {
            let model = Health.ModelName(key: UInt64(number + 1), name: "m\(number)")
            _ = health.failed(Health.Failure(.rate, model: model), at: start + Int64(number), rules: rules)
        }
        #expect(health.models.count == 64)
        #expect(health.models.last?.name == "m199")
    }

    @Test("Clearing ends everything")
    func clear() {
        var (health, now) = failing([Health.Failure(.billing), Health.Failure(.rate, model: opus)], every: 1)
        health.clear()
        #expect(health.isSound)
        #expect(health.availability(model: opus.key, now: now) == .ready)
        now += 1
    }
}

@Suite struct HealthUsageTests {
    @Test(
        "What is stored is what is read back",
        arguments: [
            [Health.Failure(.rate)], [Health.Failure(.billing)], [Health.Failure(.auth, fingerprint: "f")],
            [Health.Failure(.quota, statedUntil: start + 5 * hour)], [Health.Failure(.rate, model: opus)],
            [Health.Failure(.rate, model: opus), Health.Failure(.overloaded, model: haiku)],
            [Health.Failure(.rate, model: Health.ModelName(key: 77))], [Health.Failure(.model, model: opus), Health.Failure(.billing)],
        ] as [[Health.Failure]])
    func roundTrip(failures: [Health.Failure]) {
        let (health, _) = failing(failures, every: 1)
        var usage = ProfileUsage()
        health.write(to: &usage)
        let read = Health(usage, now: start + second)
        #expect(read.cooldown?.until == health.cooldown?.until)
        #expect(read.cooldown?.reason == health.cooldown?.reason)
        #expect(Set(read.models.map(\.key)) == Set(health.models.map(\.key)))
        #expect(read.models.map(\.cooldown.until).sorted() == health.models.map(\.cooldown.until).sorted())
        #expect(read.errorCount == health.errorCount)
        #expect(read.failureCounts == health.failureCounts)
        #expect(read.refusedFingerprint == health.refusedFingerprint)
        var again = ProfileUsage()
        read.write(to: &again)
        #expect(again == usage)
    }

    @Test("Rests have the neighbours' members: cooldownUntil with its reason and model, disabledUntil for what somebody must see to")
    func members() {
        var usage = ProfileUsage()
        failing([Health.Failure(.billing)]).health.write(to: &usage)
        #expect(usage.disabledUntil == start + 5 * hour)
        #expect(usage.disabledReason == "billing")
        #expect(usage.cooldownUntil == nil)
        failing([Health.Failure(.rate, model: opus)]).health.write(to: &usage)
        #expect(usage.disabledUntil == nil)
        #expect(usage.cooldownUntil == start + 30 * second)
        #expect(usage.cooldownModel == "opus")
        #expect(usage.cooldownReason == "rate_limit")
    }

    @Test("A key that is refused rests until it is another one here, and for a day in the neighbours' eyes")
    func refusedKey() {
        var usage = ProfileUsage()
        failing([Health.Failure(.auth, fingerprint: "f")]).health.write(to: &usage)
        #expect(usage.disabledUntil == start + 24 * hour)
        let week = start + 7 * 24 * hour
        #expect(usage.isResting(now: week))
        #expect(Health(usage, now: week).availability(model: 0, now: week) != .ready)
        #expect(Health(usage, now: week).availability(model: 0, now: week) != .halfOpen)
    }

    @Test(
        "Neighbours' words are understood",
        arguments: [
            ("rate_limit", .rate), ("overloaded", .overloaded), ("billing", .billing), ("auth", .auth), ("auth_permanent", .auth),
            ("model_not_found", .model), ("timeout", .rate), ("unknown", .rate), ("format", .rate),
        ] as [(String, FailureReason)])
    func words(name: String, reason: FailureReason) {
        var usage = ProfileUsage()
        (usage.cooldownUntil, usage.cooldownReason) = (start + hour, name)
        #expect(Health(usage, now: start).cooldown?.reason == reason)
    }

    @Test("A neighbour's blocked plan rests, as a whole or for its model", arguments: [nil, "opus"])
    func blocked(model: String?) {
        var usage = ProfileUsage()
        (usage.blockedUntil, usage.blockedModel) = (start + hour, model)
        let health = Health(usage, now: start)
        #expect(health.availability(model: opus.key, now: start) == .cooling(until: start + hour, early: start + hour, isStated: true))
        #expect((health.availability(model: haiku.key, now: start) == .ready) == (model != nil))
    }
}
