import Digest
import Files
import JSON

/// The credentials of one agent on disk. A value without state of its own: every call reads what is there, and every change re-reads
/// under the store's lock, so that any number of threads and processes may use one sink at once. Calls block on files.
public struct AgentStore: Sendable, Hashable {
    /// The folder that holds `agents/` (DESIGN §6), absolute.
    public let sink: String
    /// The agent, normalised (``AgentID/normalised(_:)``).
    public let agentID: String

    /// The store of an agent in a sink. Nothing is touched before the first call.
    public init(sink: String, agentID: String = AgentID.main) {
        self.sink = sink.count > 1 && sink.hasSuffix("/") ? String(sink.dropLast()) : sink
        self.agentID = AgentID.normalised(agentID)
    }

    /// The agent's folder.
    public var directory: String { "\(sink)/agents/\(agentID)/agent" }
    /// The file of secrets.
    public var profilesPath: String { directory + "/auth-profiles.json" }
    /// The file of state.
    public var statePath: String { directory + "/auth-state.json" }
    /// The folder in which a change of the profiles makes its file: another than ``directory`` where the store is a link.
    public var writtenDirectory: String {
        guard let path = PrivateFile.realPath(of: profilesPath), let end = path.lastIndex(of: "/") else { return directory }
        return String(path[..<end])
    }
    /// The folder of lock files.
    public var locksDirectory: String { sink + "/keybearer/locks" }
    /// The folder of refresh journals.
    public var journalDirectory: String { sink + "/keybearer/journal" }

    /// How long a change waits for another process's: changes are milliseconds long.
    static let lockWait = Duration.seconds(10)

    /// What the store holds now. An absent file is an empty store; a file that cannot be understood throws, naming path, line and
    /// column, and a copy of it is kept. A broken `auth-state.json` is only a problem: logins work without it.
    public func load() throws(StoreError) -> StoreSnapshot {
        try refuseRetired()
        let store = try StoreFile.read(profilesPath, as: { StoreDocument($0) }, otherwise: Self.notAStore)
        var problems: [StoreProblem] = store.problems
        do {
            let state = try StoreFile.read(statePath, as: { StateDocument($0) }, otherwise: Self.notAState)
            return Self.snapshot(of: store, state, problems + state.problems)
        } catch {
            problems.append(StoreProblem(profileID: nil, code: .unreadableState, message: error.description))
            return Self.snapshot(of: store, StoreFile(document: nil, identity: PrivateFile.identity(of: statePath), problems: []), problems)
        }
    }

    /// `auth-profiles.json` as it stands, with everything others wrote.
    public func document() throws(StoreError) -> StoreDocument {
        try refuseRetired()
        return try StoreFile.read(profilesPath, as: { StoreDocument($0) }, otherwise: Self.notAStore).document ?? StoreDocument()
    }

    /// Which versions of the files are there now: two cheap stats, to tell whether a snapshot is still what the store holds.
    public func identity() -> StoreIdentity {
        StoreIdentity(profiles: PrivateFile.identity(of: profilesPath), state: PrivateFile.identity(of: statePath))
    }

    /// Changes `auth-profiles.json` under the store's lock: re-reads it, lets `change` edit it, and replaces the file atomically if
    /// `change` says that it did. A file that cannot be understood is never replaced.
    @discardableResult
    public func update(_ change: (inout StoreDocument) throws(StoreError) -> Bool) throws(StoreError) -> StoreSnapshot {
        try locked { () throws(StoreError) in
            var document = try document()
            if try change(&document) { try StoreFile<StoreDocument>.replace(profilesPath, with: document.root) }
            return try load()
        }
    }

    /// Changes `auth-state.json` in the same way, under the same lock; `change` is given the snapshot read under it.
    @discardableResult
    public func updateState(_ change: (inout StateDocument, StoreSnapshot) throws(StoreError) -> Bool) throws(StoreError) -> StoreSnapshot {
        try locked { () throws(StoreError) in
            var document = try StoreFile.read(statePath, as: { StateDocument($0) }, otherwise: Self.notAState).document ?? StateDocument()
            let snapshot = try load()
            guard try change(&document, snapshot) else { return snapshot }
            try StoreFile<StateDocument>.replace(statePath, with: document.root)
            return try load()
        }
    }

    /// Runs `body` while this process alone may change the store. Taken after the lane's lock (DESIGN §6), held for milliseconds.
    private func locked(_ body: () throws(StoreError) -> StoreSnapshot) throws(StoreError) -> StoreSnapshot {
        try refuseRetired()
        do throws(FileError) {
            _ = try PrivateDirectory.ensure(directory)
        } catch {
            throw .file(error)
        }
        return try exclusively(storeLockPath, wait: Self.lockWait) { () throws(StoreError) in
            // What a killed process left half written holds secrets; under the lock nobody else is writing.
            for path in [profilesPath, statePath] { _ = try? PrivateFile.removeLeftovers(of: path) }
            return try body()
        }
    }

    /// One lock for one file, by whatever name the file is reached: a store that is a link to another agent's has that one's lock.
    /// Named relative to the sink, so that a sink mounted at two places still has one.
    private var storeLockPath: String {
        let root = PrivateFile.realPath(of: sink) ?? sink
        let target = PrivateFile.realPath(of: profilesPath) ?? "\(root)/agents/\(agentID)/agent/auth-profiles.json"
        let name = target.hasPrefix(root + "/") ? String(target.dropFirst(root.count + 1)) : target
        return "\(locksDirectory)/store-\(ShortHash.of(name)).lock"
    }

    /// Whether a neighbour keeps this agent's logins in SQLite, so that the JSON here is stale.
    public var isRetired: Bool { PrivateFile.identity(of: databasePath) != nil }

    private var databasePath: String { directory + "/openclaw-agent.sqlite" }

    private func refuseRetired() throws(StoreError) {
        if isRetired { throw .retired(path: databasePath) }
    }

    private static func snapshot(
        of store: StoreFile<StoreDocument>, _ state: StoreFile<StateDocument>, _ problems: [StoreProblem]
    ) -> StoreSnapshot {
        let (profiles, entryProblems) = store.document?.read() ?? ([], [])
        var order = store.document.map { StoredOrder.read($0.root) } ?? [:]
        if let state = state.document { order.merge(StoredOrder.read(state.root)) { _, later in later } }
        let marks = state.document?.marks ?? [:]
        var needsLogin: [String: NeedsLogin] = [:]
        for profile in profiles {
            if let refresh = profile.refresh, let mark = marks[refresh.fingerprint] { needsLogin[profile.id] = mark }
        }
        return StoreSnapshot(
            profiles: profiles, order: order.filter { !$0.value.isEmpty }, needsLogin: needsLogin, problems: problems + entryProblems,
            identity: StoreIdentity(profiles: store.identity, state: state.identity))
    }

    private static let notAStore = "expected an object with `version` 1 and an object `profiles`"
    private static let notAState = "expected an object"
}

/// The names agents go by.
public enum AgentID {
    /// The agent nobody had to name.
    public static let main = "main"

    /// Upstream's rule (spec/credential-formats.md §1.1): trimmed, lower case, runs of other characters than letters, digits, `_` and
    /// `-` become one `-`, none at either end, at most 64; `main` when nothing is left. The result is safe as a folder's name.
    public static func normalised(_ id: String) -> String {
        var name = ""
        for scalar in id.lowercased().unicodeScalars {
            let isSafe = ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar) || scalar == "_" || scalar == "-"
            if isSafe { name.unicodeScalars.append(scalar) } else if name.last != "-" { name.append("-") }
        }
        let trimmed = name.drop { $0 == "-" }.reversed().drop { $0 == "-" }.reversed().prefix(64)
        return trimmed.isEmpty ? main : String(trimmed)
    }
}

/// Short names for files, made from longer ones.
enum ShortHash {
    /// 32 hexadecimal digits (128 bits) of the SHA-256 of `text`.
    static func of(_ text: String) -> String {
        String(Hexadecimal.encode(SHA256.hash(Array(text.utf8))).prefix(32))
    }
}
