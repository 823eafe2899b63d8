internal import Digest
internal import Routing
internal import Synchronization

/// What is remembered from one request to the next: which profile serves a session, and which one made what a provider keeps.
///
/// In memory, shared by the workers; written to a file now and then by the keeper's thread, so that it survives a restart.
final class Affinities: Sendable {
    /// Of this installation: part of every key.
    let salt: UInt64
    private let sessions = AffinityTable()
    private let kept = AffinityTable()
    private let pools: PoolNumbers
    private let path: String?
    private let written = Mutex(0)

    /// Reads the file at `path`, if there is one.
    init(path: String?, pools: PoolNumbers) {
        self.path = path
        self.pools = pools
        let file = path.flatMap { AffinityFile.read($0) }
        salt = file?.salt ?? Self.newSalt()
        for entry in file?.entries ?? [] {
            func number(_ profile: AffinityFile.Profile?) -> Int32 {
                profile.map { Int32(pools.number($0.provider, ProfileKey(agentID: $0.agent, profileID: $0.id))) } ?? -1
            }
            let value = Affinity(home: number(entry.home), last: number(entry.last), pin: number(entry.pin), used: entry.used)
            (entry.kind == .session ? sessions : kept).update(entry.key, now: entry.used) { $0 = value }
        }
        written.withLock { $0 = changes }
    }

    private static func newSalt() -> UInt64 {
        Random.bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The profile that has this pool number.
    func profile(_ number: Int) -> ProfileKey? { pools.profile(number)?.key }

    /// The number of a profile with a provider.
    func number(_ provider: String, _ profile: ProfileKey) -> Int { pools.number(provider, profile) }
    /// Whose session it is, as far as the profiles that are known of it tell.
    func owner(of known: Affinity) -> (provider: String, key: ProfileKey)? {
        [known.last, known.home, known.pin].first { $0 >= 0 }.flatMap { pools.profile(Int($0)) }
    }

    // MARK: Sessions

    /// All of them, in no order.
    var allSessions: [(key: AffinityKey, value: Affinity)] { sessions.all() }

    /// What is known of a session. `now`: milliseconds since 1970.
    func session(_ key: AffinityKey, now: Int64) -> Affinity? { sessions.find(key, now: Self.seconds(now)) }

    /// A session has been served. `findsHome`: its first profile is gone, or it had none.
    func served(_ key: AffinityKey, by number: Int, findsHome: Bool, now: Int64) {
        sessions.update(key, now: Self.seconds(now)) { known in
            if known.home < 0 || findsHome { known.home = Int32(number) }
            known.last = Int32(number)
        }
    }

    /// Pins a session to a profile, or to none any more.
    func pin(_ key: AffinityKey, to number: Int?, now: Int64) {
        guard key != .none else { return }
        if number == nil, sessions.find(key, now: Self.seconds(now)) == nil { return }
        sessions.update(key, now: Self.seconds(now)) { $0.pin = Int32(number ?? -1) }
    }

    // MARK: What a provider keeps

    /// Whether anything is known to be kept. One load.
    var knowsKept: Bool { @inline(__always) get { !kept.isEmpty } }

    /// The profile that made it.
    func keeper(_ key: AffinityKey, now: Int64) -> Int? {
        kept.find(key, now: Self.seconds(now)).map { Int($0.home) }
    }

    /// Remembers who made it.
    func keep(_ key: AffinityKey, by number: Int, now: Int64) {
        kept.update(key, now: Self.seconds(now)) { $0.home = Int32(number) }
    }

    // MARK: The file

    private var changes: Int { sessions.changes &+ kept.changes }

    /// Writes the file if anything has changed since. Nil, or why it could not be written.
    func save(now: Int64) -> String? {
        guard let path, changes != written.withLock({ $0 }) else { return nil }
        let seen = changes
        let oldest = Self.seconds(now - Self.keptFor)
        let entries = entries(.session, sessions, since: oldest) + entries(.stored, kept, since: oldest)
        if let failure = AffinityFile(salt: salt, entries: entries).write(path) { return failure }
        written.withLock { $0 = seen }
        return nil
    }

    private func entries(_ kind: AffinityKey.Kind, _ table: AffinityTable, since oldest: UInt32) -> [AffinityFile.Entry] {
        table.all().filter { $0.value.used >= oldest }.map { key, value in
            AffinityFile.Entry(
                kind: kind, key: key, home: named(value.home), last: named(value.last), pin: named(value.pin), used: value.used)
        }
    }

    private func named(_ number: Int32) -> AffinityFile.Profile? {
        guard number >= 0, let profile = pools.profile(Int(number)) else { return nil }
        return AffinityFile.Profile(provider: profile.provider, agent: profile.key.agentID, id: profile.key.profileID)
    }

    /// 30 days: what providers keep answers for.
    private static let keptFor: Int64 = 30 * 24 * 3600 * 1000
    private static func seconds(_ milliseconds: Int64) -> UInt32 { UInt32(clamping: milliseconds / 1000) }
}
