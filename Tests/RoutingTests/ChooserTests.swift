import Configuration
import Testing

@testable import Routing

private let now: Int64 = 1_790_000_000_000

/// A candidate in a line-up, in short: `r` ready, `h` half-open, `20` resting for 20 s by the provider's word, `~20` by ours (to be tried
/// after 5 s when nothing else is left); `$` behind: metered after a subscription; `!` behind: crowded.
private struct Spot: ExpressibleByStringLiteral, CustomStringConvertible {
    let description: String
    init(stringLiteral text: String) { description = text }

    var isPaid: Bool { description.contains("$") }
    var isCrowded: Bool { description.contains("!") }
    var availability: Availability {
        let core = description.filter { $0 != "$" && $0 != "!" }
        if core == "r" { return .ready }
        if core == "h" { return .halfOpen }
        let isGuess = core.hasPrefix("~")
        let seconds = Int64(core.drop { $0 == "~" }) ?? 0
        return .cooling(until: now + seconds * 1000, early: now + (isGuess ? min(seconds, 5) : seconds) * 1000, isStated: !isGuess)
    }
}

private func choose(
    _ spots: [Spot], _ strategy: AuthSettings.Strategy = .order, preferred: Int = -1, allowsPaid: Bool = false, ranks: [Int64] = [],
    tried: Set<Int> = []
) -> Chooser.Verdict {
    var chooser = Chooser(strategy: strategy, allowsPaid: allowsPaid, count: spots.count, isFailover: !tried.isEmpty, now: now)
    if preferred >= 0, !tried.contains(preferred) {
        let spot = spots[preferred]
        if chooser.offerPreferred(preferred, spot.availability, isPaid: spot.isPaid, isCrowded: spot.isCrowded) { return chooser.verdict }
    }
    for position in spots.indices where position != preferred && !tried.contains(position) {
        let spot = spots[position]
        let rank = ranks.isEmpty ? 0 : ranks[position]
        if chooser.offer(position, spot.availability, isPaid: spot.isPaid, isCrowded: spot.isCrowded, rank: rank) { break }
    }
    return chooser.verdict
}

private func wait(_ position: Int, _ seconds: Int64) -> Chooser.Verdict { .wait(position: position, until: now + seconds * 1000) }
private func use(_ position: Int, _ reason: ChoiceReason) -> Chooser.Verdict { .use(position: position, reason: reason) }

@Suite struct ChooserTests {
    @Test(
        "The order: the first that can serve, and those that rest last, soonest first",
        arguments: [
            (["r"], use(0, .order)), (["r", "r"], use(0, .order)), (["h", "r"], use(0, .order)), (["20", "r"], use(1, .cooldown)),
            (["20", "30", "r", "r"], use(2, .cooldown)), (["20", "h"], use(1, .cooldown)), (["r", "20"], use(0, .order)),
            (["30", "20"], wait(1, 20)), (["20", "30"], wait(0, 20)), (["30", "~20"], wait(1, 5)), (["3", "~20"], wait(0, 3)),
            (["~20", "~3"], wait(1, 3)), (["0"], use(0, .cooldown)), (["20"], wait(0, 20)), (["~20"], use(0, .cooldown)),
            (["20", "0"], use(1, .cooldown)), ([], .nobody(paidWithheld: false)),
        ] as [([Spot], Chooser.Verdict)])
    private func order(spots: [Spot], expected: Chooser.Verdict) {
        #expect(choose(spots) == expected)
    }

    @Test(
        "What a session prefers goes before the order while it can serve",
        arguments: [
            (["r", "r"], 1, use(1, .session)), (["r", "h"], 1, use(1, .session)), (["r", "20"], 1, use(0, .cooldown)),
            (["20", "r"], 1, use(1, .session)), (["20", "30"], 1, wait(0, 20)), (["20", "10"], 1, wait(1, 10)),
            (["r", "r"], 0, use(0, .session)),
            (["r", "r!"], 1, use(0, .order)), (["20", "r!"], 1, use(1, .cooldown)),
        ] as [([Spot], Int, Chooser.Verdict)])
    private func sessions(spots: [Spot], preferred: Int, expected: Chooser.Verdict) {
        #expect(choose(spots, preferred: preferred) == expected)
    }

    @Test(
        "A metered key behind a subscription serves only with leave, and says so",
        arguments: [
            (["20", "r$"], false, wait(0, 20)), (["20", "r$"], true, use(1, .paidFallback)), (["r", "r$"], true, use(0, .order)),
            (["r$"], false, .nobody(paidWithheld: true)), (["r$"], true, use(0, .paidFallback)),
            (["20", "r$", "r"], false, use(2, .cooldown)),
            (["20", "r$", "r"], true, use(1, .paidFallback)), (["20", "30$"], true, wait(0, 20)), (["30", "20$"], false, wait(0, 30)),
        ] as [([Spot], Bool, Chooser.Verdict)])
    private func paid(spots: [Spot], allows: Bool, expected: Chooser.Verdict) {
        #expect(choose(spots, allowsPaid: allows) == expected)
    }

    @Test(
        "A session does not prefer its way to a metered key without leave",
        arguments: [(false, use(0, .order)), (true, use(1, .paidFallback))])
    private func paidSession(allows: Bool, expected: Chooser.Verdict) {
        #expect(choose(["r", "r$"], preferred: 1, allowsPaid: allows) == expected)
    }

    @Test(
        "After a refusal the next one, never one that was tried",
        arguments: [
            (["r", "r", "r"], [0], use(1, .failover)), (["r", "r", "r"], [0, 1], use(2, .failover)),
            (["r"], [0], .nobody(paidWithheld: false)),
            (["r", "20"], [0], wait(1, 20)), (["r", "20", "r"], [0], use(2, .failover)), (["r", "r$"], [0], .nobody(paidWithheld: true)),
        ] as [([Spot], Set<Int>, Chooser.Verdict)])
    private func failover(spots: [Spot], tried: Set<Int>, expected: Chooser.Verdict) {
        #expect(choose(spots, tried: tried) == expected)
    }

    @Test(
        "Those who are sent elsewhere spread; when all are crowded the first one takes them",
        arguments: [
            (["20", "r!", "r"], use(2, .cooldown)), (["20", "r!", "r!"], use(1, .cooldown)), (["20", "r!", "30"], use(1, .cooldown)),
            (["r!", "r"], use(1, .order)), (["r!"], use(0, .order)),
        ] as [([Spot], Chooser.Verdict)])
    private func crowds(spots: [Spot], expected: Chooser.Verdict) {
        #expect(choose(spots) == expected)
    }

    @Test(
        "The other strategies: the least rank among those that can serve, of equals the first in order",
        arguments: [
            (["r", "r", "r"], [3, 1, 2], use(1, .order)), (["r", "r", "r"], [1, 1, 1], use(0, .order)),
            (["r", "20", "r"], [3, 1, 2], use(2, .order)),
            (["r", "r", "r!"], [3, 2, 1], use(1, .order)), (["20", "r$", "r"], [1, 1, 9], use(2, .order)),
            (["20", "30"], [9, 1], wait(0, 20)),
        ] as [([Spot], [Int64], Chooser.Verdict)])
    private func strategies(spots: [Spot], ranks: [Int64], expected: Chooser.Verdict) {
        for (strategy, reason) in [
            (AuthSettings.Strategy.leastUsed, ChoiceReason.leastUsed), (.drainSoonest, .drainSoonest), (.roundRobin, .roundRobin),
        ] {
            let verdict = choose(spots, strategy, ranks: ranks)
            guard case .use(let position, _) = expected else {
                #expect(verdict == expected)
                continue
            }
            #expect(verdict == use(position, spots.contains { $0.description == "20" } ? .cooldown : reason))
        }
    }

    @Test("With leave, who costs money still comes behind all who do not, whatever the strategy")
    func paidRank() {
        #expect(choose(["r", "r$"], .leastUsed, allowsPaid: true, ranks: [900, 0]) == use(0, .leastUsed))
        #expect(choose(["r$", "r"], .leastUsed, allowsPaid: true, ranks: [0, 900]) == use(1, .leastUsed))
    }
}

@Suite struct RampTests {
    @Test("4, 8, 16 … in the first seconds, then no limit")
    func grows() {
        var ramp = Ramp()
        var now: Int64 = 1_790_000_000_000
        for second in 0..<6 {
            var taken = 0
            while ramp.mayTake(now: now), taken < 1000 {
                ramp = ramp.taking(now: now)
                taken += 1
            }
            #expect(taken == 4 << second)
            now += 1000
        }
        for _ in 0..<1000 { ramp = ramp.taking(now: now) }
        #expect(ramp.mayTake(now: now))
    }

    @Test("Ten quiet seconds, and it begins anew; a busy hour does not", arguments: [(9, false), (11, true)])
    func forgets(quiet: Int64, isNew: Bool) {
        var ramp = Ramp()
        var now: Int64 = 1_790_000_000_000
        for _ in 0..<3600 {
            ramp = ramp.taking(now: now)
            now += 1000
        }
        now += (quiet - 1) * 1000
        for _ in 0..<10 { ramp = ramp.taking(now: now) }
        #expect(ramp.mayTake(now: now) != isNew)
    }
}
