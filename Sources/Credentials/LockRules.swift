import Files
import JSON

/// When a lock of a neighbour's may be taken away from whoever left it (spec/credential-formats.md §2.1, §2.2): each form by the rules
/// of the program that makes it.
struct LockRules: Sendable {
    /// After how many ms without a sign of life a lock counts as left behind.
    let staleAfter: Int64
    /// Whether a process lives, and since when.
    var isAlive: @Sendable (Int32) -> Bool = ProcessMark.isAlive
    var startTime: @Sendable (Int32) -> Int64? = ProcessMark.startTime

    /// The store's.
    static let store = LockRules(staleAfter: 30_000)
    /// The neighbours' lock of a refresh, §2.5.
    static let refresh = LockRules(staleAfter: 180_000)

    init(staleAfter: Int64) { self.staleAfter = staleAfter }

    /// Whether what was seen at `now` (ms since 1970) is stale. What is no lock of either form never is: it is not ours to remove.
    func isStale(_ seen: LockName.Sighting, now: Int64) -> Bool {
        let isOld = seen.modified / 1_000_000 < now - staleAfter
        switch seen.form {
        case .directory: return isOld
        case .file: break
        case nil: return false
        }
        // Empty for a moment while it is made.
        guard let payload = LockPayload(seen.content) else { return isOld }
        guard isAlive(payload.process) else { return true }
        // The number has been given to another process.
        if let start = payload.startTime, let actual = startTime(payload.process), start != actual { return true }
        guard let created = payload.createdAt else { return true }
        return created < now - staleAfter || isOld
    }
}

/// What a lock in the form of a file says: `{"pid": …, "createdAt": "…", "startTime": …}`.
struct LockPayload: Equatable {
    /// The process that holds it.
    let process: Int32
    /// When it was last renewed, in ms since 1970; nil when the text cannot be understood.
    let createdAt: Int64?
    /// When the process was started; only newer versions say so.
    let startTime: Int64?

    init(process: Int32, createdAt: Int64, startTime: Int64?) {
        self.process = process
        self.createdAt = createdAt
        self.startTime = startTime
    }

    /// What this process writes at `now`.
    static func ours(at now: Int64) -> LockPayload {
        LockPayload(process: ProcessMark.own, createdAt: now, startTime: ProcessMark.startTime(of: ProcessMark.own))
    }

    /// The payload in a file's bytes; nil when they are none.
    init?(_ bytes: [UInt8]) {
        guard let value = try? Reader.parse(bytes), let process = value["pid"]?.int64.flatMap(Int32.init(exactly:)) else { return nil }
        self.process = process
        createdAt = value["createdAt"]?.string.flatMap(InstantText.milliseconds)
        startTime = value["startTime"]?.int64
    }

    /// The bytes as upstream lays them out.
    var bytes: [UInt8] {
        var object: Object = ["pid": .integer(Int64(process)), "createdAt": .string(InstantText.of(createdAt ?? 0))]
        object["startTime"] = startTime.map { .integer($0) }
        return Writer.pretty(.object(object)).dropLast()
    }

    /// Where in those bytes the text of `createdAt` stands, which a heartbeat writes anew.
    var createdAtOffset: Int { "{\n  \"pid\": \(process),\n  \"createdAt\": \"".utf8.count }
}
