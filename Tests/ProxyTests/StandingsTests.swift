import Configuration
import Credentials
import Routing
import Testing

@testable import Proxy

private let now: Int64 = 1_790_000_000_000

private func key(_ number: Int) -> ProfileKey { ProfileKey(agentID: "main", profileID: "p:\(number)") }

/// What the store says after others have written it.
private func snapshot(_ usage: [String: ProfileUsage], _ profiles: [Profile] = []) -> StoreSnapshot {
    StoreSnapshot(profiles: profiles, usage: usage)
}

@Suite struct StandingsTests {
    private let standings = Standings(rules: CooldownRules(CooldownSettings()))

    @Test("A profile keeps its slot, and rests from a failure to its end")
    func slots() {
        let slot = standings.slot(of: key(1))
        #expect(standings.slot(of: key(2)) != slot)
        #expect(standings.slot(of: key(1)) == slot)
        #expect(standings.availability(slot, model: 0, now: now) == .ready)
        standings.failed(slot, Health.Failure(.rate, statedUntil: now + 5_000), now: now)
        #expect(standings.availability(slot, model: 0, now: now) == .cooling(until: now + 5_000, early: now + 5_000, isStated: true))
        #expect(standings.availability(slot, model: 0, now: now + 5_000) == .halfOpen)
    }

    @Test("Among a thousand, those that surely rest are passed over at a glance")
    func glance() {
        let slots = (0..<1000).map { standings.slot(of: key($0)) }
        #expect(standings.firstOpen(slots, from: 0, now: now) == 0)
        for slot in slots[..<700] { standings.failed(slot, Health.Failure(.rate, statedUntil: now + 60_000), now: now) }
        #expect(standings.firstOpen(slots, from: 0, now: now) == 700)
        #expect(standings.firstOpen(slots, from: 0, now: now + 60_000) == 0)
        for slot in slots[700...] { standings.failed(slot, Health.Failure(.billing), now: now) }
        #expect(standings.firstOpen(slots, from: 0, now: now) == 1000)
        // Whether one whose model rests may serve is not seen at a glance.
        let other = standings.slot(of: key(1000))
        standings.failed(other, Health.Failure(.rate, model: Health.ModelName(key: 7)), now: now)
        #expect(standings.firstOpen(slots + [other], from: 0, now: now) == 1000)
    }

    @Test("The least used is found at a glance, unless one has to be looked up")
    func least() {
        let slots = (0..<100).map { standings.slot(of: key($0)) }
        for (at, slot) in slots.enumerated() {
            var report = QuotaReport()
            let window = report.place(of: WindowName("5h"))!
            report[window].usedPermille = Int64((at * 37 + 11) % 100)
            report.at = now
            standings.told(slot, report, now: now)
        }
        let expected = slots.indices.min { ($0 * 37 + 11) % 100 < ($1 * 37 + 11) % 100 }!
        #expect(standings.least(slots, by: .leastUsed, now: now) == expected)
        #expect(standings.least(slots, by: .order, now: now) == nil)
        standings.failed(slots[expected], Health.Failure(.rate, statedUntil: now + 60_000), now: now)
        #expect(standings.least(slots, by: .leastUsed, now: now) != expected)
        #expect(standings.least(slots, by: .leastUsed, now: now + 60_000) == nil)
    }

    @Test("One request finds out whether a rest is over; its success lets the others return by and by")
    func probe() {
        let slot = standings.slot(of: key(1))
        standings.failed(slot, Health.Failure(.rate, statedUntil: now + 1_000), now: now)
        let later = now + 1_000
        #expect(standings.take(slot, model: 0, isDiverted: false, now: later))
        #expect(!standings.take(slot, model: 0, isDiverted: false, now: later))
        standings.succeeded(slot, model: 0, sentAt: later, now: later)
        #expect(standings.availability(slot, model: 0, now: later) == .ready)
        var taken = 0
        while !standings.isCrowded(slot, isDiverted: false, now: later), taken < 100 {
            #expect(standings.take(slot, model: 0, isDiverted: false, now: later))
            taken += 1
        }
        #expect(taken == 4)
        #expect(!standings.isCrowded(slot, isDiverted: false, now: later + 7_000) || standings.firstOpen([slot], from: 0, now: later) == 0)
    }

    @Test("What is learned is written once, and nothing when there is nothing new")
    func unwritten() {
        let slot = standings.slot(of: key(1))
        #expect(standings.unwritten(all: true).isEmpty)
        standings.wasUsed(slot, now: now)
        #expect(standings.unwritten(all: false).isEmpty)
        #expect(standings.unwritten(all: true)["main"]?.first?.usage.lastUsed == now)
        standings.failed(slot, Health.Failure(.billing), now: now)
        let items = standings.unwritten(all: false)["main"] ?? []
        #expect(items.map(\.profileID) == ["p:1"])
        #expect(items.first?.usage.disabledUntil == now + 5 * 3_600_000)
        standings.written(items)
        #expect(standings.unwritten(all: true).isEmpty)
    }

    @Test("What another process writes is taken over, and what it clears is cleared; our own reading back changes nothing")
    func adopt() {
        let slot = standings.slot(of: key(1))
        standings.failed(slot, Health.Failure(.rate), now: now)
        let items = standings.unwritten(all: false)["main"] ?? []
        standings.written(items)
        standings.adopt(snapshot(["p:1": items[0].usage]), of: "main", now: now)
        #expect(standings.availability(slot, model: 0, now: now) == .cooling(until: now + 30_000, early: now + 5_000, isStated: false))
        var cleared = items[0].usage
        cleared.clearRests()
        standings.adopt(snapshot(["p:1": cleared]), of: "main", now: now)
        #expect(standings.availability(slot, model: 0, now: now) == .ready)
        var theirs = ProfileUsage()
        theirs.cooldownUntil = now + 9_000
        standings.adopt(snapshot(["p:1": theirs, "p:2": theirs]), of: "main", now: now)
        for number in [1, 2] {
            #expect(standings.firstOpen([standings.slot(of: key(number))], from: 0, now: now) == 1)
        }
        standings.adopt(snapshot([:]), of: "main", now: now)
        #expect(standings.availability(slot, model: 0, now: now) == .ready)
    }

    @Test("What is not written yet is newer than what is read")
    func newer() {
        let slot = standings.slot(of: key(1))
        standings.failed(slot, Health.Failure(.billing), now: now)
        var theirs = ProfileUsage()
        theirs.lastUsed = now
        standings.adopt(snapshot(["p:1": theirs]), of: "main", now: now)
        #expect(standings.availability(slot, model: 0, now: now) != .ready)
    }

    @Test("A refused key rests until the store holds another one")
    func changedKey() {
        let slot = standings.slot(of: key(1))
        func profile(_ text: String) -> Profile {
            Profile(id: "p:1", provider: "p", kind: .apiKey, secret: Secret(text))
        }
        let old = profile("sk-old")
        standings.failed(slot, Health.Failure(.auth, fingerprint: old.secret?.fingerprint), now: now)
        let items = standings.unwritten(all: false)["main"] ?? []
        standings.written(items)
        standings.adopt(snapshot(["p:1": items[0].usage], [old]), of: "main", now: now)
        #expect(standings.availability(slot, model: 0, now: now) != .ready)
        standings.adopt(snapshot(["p:1": items[0].usage], [profile("sk-new")]), of: "main", now: now)
        #expect(standings.availability(slot, model: 0, now: now) == .ready)
    }

    @Test("A key of the environment rests in memory only")
    func environment() {
        let slot = standings.slot(of: ProfileKey(agentID: "", profileID: "openai:env"))
        standings.failed(slot, Health.Failure(.rate), now: now)
        #expect(standings.unwritten(all: true).isEmpty)
    }
}
