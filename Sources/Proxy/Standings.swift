internal import Configuration
internal import Credentials
internal import Routing
internal import Sockets
internal import Synchronization

/// How every profile stands: what outlives rosters, is shared by the workers, and is told to other processes by way of the store.
///
/// A profile has a slot. What a choice needs of it are a few numbers beside those of its neighbours; only a profile that rests in more than
/// one way is looked up under the lock. `Routing.Health` decides, this obeys.
final class Standings: Sendable {
    /// How a slot's word reads, which is a time and, in its last three bits, this. The word of one that surely rests is the greater.
    enum Kind: Int64 {
        /// Nothing to be said against it: the whole word is 0.
        case sound = 0
        /// It rests: until when is in the word, by the provider's word or by ours.
        case stated, guessed
        /// Models rest, or a probe is under way: the book knows.
        case inBook
    }
    // A word below 0: it has just come back, and until that time those who left return by and by.

    private struct Entry {
        let key: ProfileKey
        var health = Health()
        var paid: ProfileUsage.PaidFallback?
        /// What the store was last seen to hold.
        var stored = ProfileUsage()
        /// Moves with each change, so that one made while the store is written is not taken for written.
        var version = 0
        var writtenVersion = 0
    }
    private struct Book {
        var slots: [ProfileKey: Int32] = [:]
        var entries = [Entry(key: ProfileKey(agentID: "", profileID: ""))]
    }
    /// Profiles there is room for; further ones are served, but never rest.
    private static let capacity = 1 << 16
    /// How long those who left a profile are let return by and by.
    private static let returnTime: Int64 = 6_000

    private let rules: Mutex<CooldownRules>
    /// Rings when something is to be written.
    let bell = Mailbox<Void>()
    private let words = SharedNumbers(count: capacity)
    private let earlies = SharedNumbers(count: capacity)
    private let ramps = SharedNumbers(count: capacity)
    private let used = SharedNumbers(count: capacity)
    private let pressures = SharedNumbers(count: capacity)
    private let resets = SharedNumbers(count: capacity)
    private let book = Mutex(Book())
    private let quotas = Mutex<[Int32: QuotaReport]>([:])

    init(rules: CooldownRules) { self.rules = Mutex(rules) }

    /// Rests that begin from now on are as long as these rules say.
    func follow(_ rules: CooldownRules) { self.rules.withLock { $0 = rules } }

    /// The slot of a profile, the same for as long as the process lives. 0: there is no room, or it is none that could rest.
    func slot(of key: ProfileKey) -> Int32 {
        book.withLock { book in
            if let slot = book.slots[key] { return slot }
            guard book.entries.count < Self.capacity else { return 0 }
            let slot = Int32(book.entries.count)
            book.entries.append(Entry(key: key))
            book.slots[key] = slot
            return slot
        }
    }

    // MARK: For a choice

    /// Whether the profile may serve a request for the model.
    @inline(__always)
    func availability(_ slot: Int32, model: UInt64, now: Int64) -> Availability {
        let word = words[slot]
        return word == 0 ? .ready : read(word, slot, model: model, now: now)
    }

    @inline(__always)
    private func read(_ word: Int64, _ slot: Int32, model: UInt64, now: Int64) -> Availability {
        if word < 0 { return .ready }
        let until = word >> 3
        switch Kind(rawValue: word & 7) ?? .inBook {
        case .sound: return .ready
        case .stated: return now < until ? .cooling(until: until, early: until, isStated: true) : .halfOpen
        case .guessed: return now < until ? .cooling(until: until, early: earlies[slot], isStated: false) : .halfOpen
        case .inBook: return lookUp(slot, model: model, now: now)
        }
    }

    @inline(never)
    private func lookUp(_ slot: Int32, model: UInt64, now: Int64) -> Availability {
        book.withLock { $0.entries[Int(slot)].health.availability(model: model, now: now) }
    }

    /// Whether so many were sent to it in another's place, or return to it, that the next had better go elsewhere.
    @inline(__always)
    func isCrowded(_ slot: Int32, isDiverted: Bool, now: Int64) -> Bool {
        let word = words[slot]
        guard isDiverted || word < 0 else { return false }
        return isFull(slot, word, isDiverted, now)
    }
    private func isFull(_ slot: Int32, _ word: Int64, _ isDiverted: Bool, _ now: Int64) -> Bool {
        if word < 0, now >= -word { words.replace(slot, word, by: 0) }
        return !Ramp(word: UInt64(bitPattern: ramps[slot])).mayTake(now: now)
    }

    /// The first place from `start` on whose profile does not surely rest at `now`.
    func firstOpen(_ slots: [Int32], from start: Int, now: Int64) -> Int {
        words.first(atMost: now << 3 | 7, among: slots, from: start)
    }

    /// The place that `strategy` prefers, where that can be told at a glance: all are sound, or surely rest.
    func least(_ slots: [Int32], by strategy: AuthSettings.Strategy, now: Int64) -> Int? {
        switch strategy {
        case .leastUsed: words.least(of: pressures, among: slots, limit: now << 3 | 7)
        case .roundRobin: words.least(of: used, among: slots, limit: now << 3 | 7)
        // An unknown reset is 0 there, and comes last.
        case .order, .drainSoonest: nil
        }
    }

    /// What the strategy ranks it by; the least goes first.
    func rank(_ slot: Int32, by strategy: AuthSettings.Strategy) -> Int64 {
        switch strategy {
        case .order: 0
        case .leastUsed: pressures[slot]
        // Those of whom no reset is known come last.
        case .drainSoonest: resets[slot] == 0 ? .max : resets[slot]
        case .roundRobin: used[slot]
        }
    }

    /// It was chosen. False: it may not be used now, since another request finds out already whether its rest is over.
    func take(_ slot: Int32, model: UInt64, isDiverted: Bool, now: Int64) -> Bool {
        let word = words[slot]
        if isDiverted || word < 0 {
            ramps[slot] = Int64(bitPattern: Ramp(word: UInt64(bitPattern: ramps[slot])).taking(now: now).word)
        }
        guard word > 0 else { return true }
        return book.withLock { book in
            if book.entries[Int(slot)].health.availability(model: model, now: now) == .ready { return true }
            let isTaken = book.entries[Int(slot)].health.beginProbe(model: model, now: now)
            if isTaken { publish(book.entries[Int(slot)].health, slot) }
            return isTaken
        }
    }

    // MARK: What became of it

    /// A request was sent with it.
    @inline(__always)
    func wasUsed(_ slot: Int32, now: Int64) { used[slot] = now }

    /// A refusal that says something of it.
    func failed(_ slot: Int32, _ failure: Health.Failure, now: Int64) {
        let rules = rules.withLock { $0 }
        change(slot) { $0.health.failed(failure, at: now, rules: rules) }
    }

    /// It was accepted. Costs one load where it has not rested.
    @inline(__always)
    func succeeded(_ slot: Int32, model: UInt64, sentAt: Int64, now: Int64) {
        guard words[slot] > 0 else { return }
        recovered(slot, model: model, sentAt: sentAt, now: now)
    }
    @inline(never)
    private func recovered(_ slot: Int32, model: UInt64, sentAt: Int64, now: Int64) {
        change(slot) { $0.health.succeeded(model: model, sentAt: sentAt) }
        guard words[slot] == 0 else { return }
        ramps[slot] = 0
        words.replace(slot, 0, by: -(now + Self.returnTime))
    }

    /// Money was spent with it in place of a subscription.
    func spent(_ slot: Int32, insteadOf profile: String, reason: String, now: Int64) {
        change(slot) { entry in
            let count = (entry.paid?.count ?? 0) + 1
            entry.paid = ProfileUsage.PaidFallback(count: count, lastAt: now, insteadOf: profile, reason: reason)
            return true
        }
    }

    /// What its provider says of its quota.
    func told(_ slot: Int32, _ report: QuotaReport, now: Int64) {
        guard slot != 0 else { return }
        let merged = quotas.withLock { quotas in
            quotas[slot, default: QuotaReport()].merge(report)
            return (quotas[slot]?.pressure(now: now) ?? 0, quotas[slot]?.nextReset(now: now) ?? .max)
        }
        pressures[slot] = merged.0
        resets[slot] = merged.1 == .max ? 0 : merged.1
    }

    private func change(_ slot: Int32, _ body: (inout Entry) -> Bool) {
        guard slot != 0 else { return }
        let isChanged = book.withLock { book in
            guard body(&book.entries[Int(slot)]) else { return false }
            book.entries[Int(slot)].version += 1
            publish(book.entries[Int(slot)].health, slot)
            return true
        }
        if isChanged { bell.post(()) }
    }

    /// Makes the numbers say what the book says. Under the lock.
    private func publish(_ health: Health, _ slot: Int32) {
        guard let cooldown = health.cooldown else {
            words[slot] = health.models.isEmpty ? 0 : Kind.inBook.rawValue
            return
        }
        earlies[slot] = cooldown.early
        let kind: Kind = cooldown.probeUntil > 0 || !health.models.isEmpty ? .inBook : cooldown.isStated ? .stated : .guessed
        words[slot] = cooldown.until << 3 | kind.rawValue
    }

    // MARK: For people

    /// How it has fared.
    func health(_ slot: Int32) -> Health { book.withLock { $0.entries[Int(slot)].health } }
    /// What is known of its quota.
    func quota(_ slot: Int32) -> QuotaReport? { quotas.withLock { $0[slot] } }
    /// Money that was spent with it.
    func paid(_ slot: Int32) -> ProfileUsage.PaidFallback? { book.withLock { $0.entries[Int(slot)].paid } }
}

// MARK: - The store

extension Standings {
    /// A profile's entry that is to be written.
    struct Unwritten {
        let profileID: String
        let usage: ProfileUsage
        fileprivate let slot: Int32
        fileprivate let version: Int
    }

    /// Takes over what the store says where it is not what was seen there last: another process, or a person, has changed it.
    ///
    /// Called by the thread that writes the store, which alone knows which of the two is newer.
    func adopt(_ snapshot: StoreSnapshot, of agentID: String, now: Int64) {
        for (id, usage) in snapshot.usage { adopt(usage, ProfileKey(agentID: agentID, profileID: id), now: now) }
        book.withLock { book in
            for (key, slot) in book.slots where key.agentID == agentID && snapshot.usage[key.profileID] == nil {
                Self.adopt(ProfileUsage(), &book.entries[Int(slot)], now: now)
                publish(book.entries[Int(slot)].health, slot)
            }
        }
        // A key that was refused may have been replaced.
        for profile in snapshot.profiles {
            guard let fingerprint = profile.secret?.fingerprint else { continue }
            change(slot(of: ProfileKey(agentID: agentID, profileID: profile.id))) { $0.health.holds(fingerprint: fingerprint) }
        }
    }

    private func adopt(_ usage: ProfileUsage, _ key: ProfileKey, now: Int64) {
        let slot = slot(of: key)
        guard slot != 0 else { return }
        book.withLock { book in
            Self.adopt(usage, &book.entries[Int(slot)], now: now)
            publish(book.entries[Int(slot)].health, slot)
        }
        if let last = usage.lastUsed, last > used[slot] { used[slot] = last }
    }

    private static func adopt(_ usage: ProfileUsage, _ entry: inout Entry, now: Int64) {
        guard usage != entry.stored else { return }
        let isFirst = entry.stored == ProfileUsage()
        let restsChanged = usage.withoutUse != entry.stored.withoutUse
        entry.stored = usage
        if isFirst { entry.paid = usage.paidFallback ?? entry.paid }
        // What is not written yet is newer than what was read.
        if restsChanged, entry.version == entry.writtenVersion { entry.health = Health(usage, now: now) }
    }

    /// What the store does not know yet, by agent. `all`: also when something was used last, which alone is worth no writing.
    func unwritten(all: Bool) -> [String: [Unwritten]] {
        let quotas = quotas.withLock { $0 }
        return book.withLock { book in
            var found: [String: [Unwritten]] = [:]
            for (number, entry) in book.entries.enumerated().dropFirst() {
                let slot = Int32(number)
                let isStale = all && (used[slot] > entry.stored.lastUsed ?? 0 || (quotas[slot]?.at ?? 0) > entry.stored.quotaAt ?? 0)
                // One without an agent is not of the store: a key of the environment.
                guard entry.version != entry.writtenVersion || isStale, !entry.key.agentID.isEmpty else { continue }
                var usage = entry.stored
                entry.health.write(to: &usage)
                usage.paidFallback = entry.paid
                if used[slot] > 0 { usage.lastUsed = used[slot] }
                if let quota = quotas[slot] { usage.take(quota) }
                found[entry.key.agentID, default: []].append(
                    Unwritten(profileID: entry.key.profileID, usage: usage, slot: slot, version: entry.version))
            }
            return found
        }
    }

    /// The store holds them now.
    func written(_ items: [Unwritten]) {
        book.withLock { book in
            for item in items {
                book.entries[Int(item.slot)].stored = item.usage
                book.entries[Int(item.slot)].writtenVersion = item.version
            }
        }
    }
}

extension ProfileUsage {
    /// What it says of rests alone.
    fileprivate var withoutUse: ProfileUsage {
        var usage = self
        (usage.lastUsed, usage.quota, usage.quotaAt, usage.paidFallback) = (nil, [], nil, nil)
        return usage
    }

    fileprivate mutating func take(_ report: QuotaReport) {
        quotaAt = report.at
        quota = report.all.map { window in
            Quota(
                window: window.name.text, usedPermille: window.used, limit: window.limit < 0 ? nil : window.limit,
                remaining: window.remaining < 0 ? nil : window.remaining, resetsAt: window.resetsAt == 0 ? nil : window.resetsAt)
        }
    }
}
