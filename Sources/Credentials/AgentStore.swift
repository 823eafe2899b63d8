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
    /// The neighbours' locks that are held already while this value is used; see `using(_:)`.
    var hold: NeighbourHold?
    /// What programs have said, for references to them; nil where no program is run.
    public let programs: SecretPrograms?

    /// The store of an agent in a sink. Nothing is touched before the first call.
    public init(sink: String, agentID: String = AgentID.main, programs: SecretPrograms? = nil) {
        self.sink = sink.count > 1 && sink.hasSuffix("/") ? String(sink.dropLast()) : sink
        self.agentID = AgentID.normalised(agentID)
        self.programs = programs
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
    /// column, and a copy of it is kept. A broken `auth-state.json` is only a problem: logins work without it. Where there is no store
    /// yet, what older versions left is imported first; if that cannot be done, it is a problem, too.
    public func load() throws(StoreError) -> StoreSnapshot {
        try refuseRetired()
        let unsettled = settleAdoptions()
        do throws(StoreError) {
            guard try legacyImport() != nil else { return try read(adding: unsettled) }
        } catch {
            return try read(adding: [StoreProblem(profileID: nil, code: .notImported, message: error.description)])
        }
        do throws(StoreError) {
            return try locked { _ throws(StoreError) in try read() }
        } catch {
            return try read(adding: [StoreProblem(profileID: nil, code: .notImported, message: error.description)])
        }
    }

    /// What the files hold, with `problems` that are known already.
    func read(adding known: [StoreProblem] = []) throws(StoreError) -> StoreSnapshot {
        let folder = try securedFolder()
        let store = try StoreFile.read(profilesPath, as: { StoreDocument($0) }, otherwise: Self.notAStore)
        var problems: [StoreProblem] = known + folder + store.problems
        do {
            let state = try StoreFile.read(statePath, as: { StateDocument($0) }, otherwise: Self.notAState)
            return snapshot(of: store, state, problems + state.problems)
        } catch {
            problems.append(StoreProblem(profileID: nil, code: .unreadableState, message: error.description))
            return snapshot(of: store, StoreFile(document: nil, identity: PrivateFile.identity(of: statePath), problems: []), problems)
        }
    }

    /// The agent's folder is closed to others, as its files are; what is to be told of that. One of another user's is refused.
    private func securedFolder() throws(StoreError) -> [StoreProblem] {
        do throws(FileError) {
            return try PrivateDirectory.secure(directory).map { [.repaired(directory, from: $0, to: "0700")] } ?? []
        } catch {
            // Behind a link its mode may be the wish of someone who never heard of us: a change refuses it, reading does not.
            guard error.rule == .notPrivate else { throw .file(error) }
            return []
        }
    }

    /// `auth-profiles.json` as it stands, with everything others wrote.
    public func document() throws(StoreError) -> StoreDocument {
        try refuseRetired()
        return try StoreFile.read(profilesPath, as: { StoreDocument($0) }, otherwise: Self.notAStore).document ?? StoreDocument()
    }

    /// `auth-state.json` as it stands.
    func stateDocument() throws(StoreError) -> StateDocument {
        try StoreFile.read(statePath, as: { StateDocument($0) }, otherwise: Self.notAState).document ?? StateDocument()
    }

    /// Whether a file of this name in ``directory`` is the store's: one of its own, or a copy that was made of one. All may hold secrets.
    public static func keeps(fileNamed name: String) -> Bool {
        let copies = ["auth-profiles.json.corrupt-", "auth-state.json.corrupt-", "auth.json.corrupt-", "auth.json.imported-"]
        return ["auth-profiles.json", "auth-profiles.json.last-good", "auth-state.json", "auth.json", AgentWorkspace.name].contains(name)
            || copies.contains(where: name.hasPrefix)
    }

    /// Which versions of the files are there now: two cheap stats, to tell whether a snapshot is still what the store holds.
    public func identity() -> StoreIdentity {
        StoreIdentity(profiles: PrivateFile.identity(of: profilesPath), state: PrivateFile.identity(of: statePath))
    }

    /// Whether `snapshot` is still what the store holds: the same two stats, and one for each file of another program's that it borrows
    /// a login from.
    public func isCurrent(_ snapshot: StoreSnapshot) -> Bool {
        snapshot.identity == identity() && snapshot.overlayFiles.allSatisfy { PrivateFile.identity(of: $0.key) == $0.value }
    }

    /// Changes `auth-profiles.json` under the store's lock: re-reads it, lets `change` edit it, and replaces the file atomically if
    /// `change` says that it did. A file that cannot be understood is never replaced.
    @discardableResult
    public func update(_ change: (inout StoreDocument) throws(StoreError) -> Bool) throws(StoreError) -> StoreSnapshot {
        try locked { hold throws(StoreError) in
            var document = try document()
            if try change(&document) {
                try StoreFile<StoreDocument>.replace(profilesPath, with: document.root, under: hold, keepsLastGood: true)
            }
            return try read()
        }
    }

    /// Changes `auth-state.json` in the same way, under the same lock; `change` is given the snapshot read under it.
    @discardableResult
    public func updateState(_ change: (inout StateDocument, StoreSnapshot) throws(StoreError) -> Bool) throws(StoreError) -> StoreSnapshot {
        try locked { hold throws(StoreError) in
            var document = try stateDocument()
            let snapshot = try read()
            guard try change(&document, snapshot) else { return snapshot }
            try StoreFile<StateDocument>.replace(statePath, with: document.root, under: hold)
            return try read()
        }
    }

    /// Runs `body` while this process alone may change the store: the neighbours' lock first, then ours, both after the lane's
    /// (DESIGN §6). Held for milliseconds.
    func locked(_ body: (NeighbourHold?) throws(StoreError) -> StoreSnapshot) throws(StoreError) -> StoreSnapshot {
        try refuseRetired()
        let folder: [StoreProblem]
        do throws(FileError) {
            folder = try PrivateDirectory.ensure(directory).map { [.repaired(directory, from: $0, to: "0700")] } ?? []
        } catch {
            throw .file(error)
        }
        return try excludingNeighbours { hold throws(StoreError) in
            try exclusively(storeLockPath, wait: Self.lockWait) { () throws(StoreError) in
                // What a killed process left half written holds secrets; under the lock nobody else is writing.
                for path in [profilesPath, statePath] { _ = try? PrivateFile.removeLeftovers(of: path) }
                let problems = folder + (try importLegacy(under: hold))
                let snapshot = try body(hold)
                return problems.isEmpty ? snapshot : snapshot.adding(problems)
            }
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
    public var isRetired: Bool { retiringDatabase != nil }

    /// The database in which a neighbour keeps this agent's logins by now; nil where it keeps none. The main agent's may be in the one that
    /// all agents share (spec/credential-formats.md §1.7).
    public var retiringDatabase: String? {
        let shared = sink + NeighbourDatabase.sharedName
        if agentID == AgentID.main, NeighbourDatabase.isSharedStore(shared) { return shared }
        let own = directory + NeighbourDatabase.agentName
        return PrivateFile.identity(of: own) == nil ? nil : own
    }

    private func refuseRetired() throws(StoreError) {
        if let database = retiringDatabase { throw .retired(path: database) }
    }

    private func snapshot(
        of store: StoreFile<StoreDocument>, _ state: StoreFile<StateDocument>, _ problems: [StoreProblem]
    ) -> StoreSnapshot {
        var resolver = self.resolver
        let (referring, entryProblems) = store.document.map { $0.resolving($0.read(), with: &resolver) } ?? ([], [])
        let (profiles, overlayProblems, overlayFiles) = store.document?.resolvingOverlays(referring) ?? ([], [], [:])
        var order = store.document.map { StoredOrder.read($0.root) } ?? [:]
        if let state = state.document { order.merge(StoredOrder.read(state.root)) { _, later in later } }
        let marks = state.document?.marks ?? [:]
        var needsLogin: [String: NeedsLogin] = [:]
        for profile in profiles where !marks.isEmpty {
            if let refresh = profile.refresh, let mark = marks[refresh.fingerprint] { needsLogin[profile.id] = mark }
        }
        return StoreSnapshot(
            profiles: profiles, order: order.filter { !$0.value.isEmpty }, needsLogin: needsLogin,
            usage: StoredUsage.read(store: store.document?.root, state: state.document?.root),
            problems: problems + entryProblems + overlayProblems,
            identity: StoreIdentity(profiles: store.identity, state: state.identity), overlayFiles: overlayFiles, minted: minted)
    }

    /// For one reading of the store.
    var resolver: SecretResolver {
        SecretResolver(
            places: {
                let theirs = SecretPlaces(neighbour: Neighbour.settings(in: sink)?["secrets"])
                guard let ours = programs?.places else { return theirs }
                return SecretPlaces(
                    defaults: theirs.defaults.merging(ours.defaults) { $1 }, places: theirs.places.merging(ours.places) { $1 })
            }, programs: programs)
    }

    private static let notAStore = "expected an object with `version` 1 and an object `profiles`"
    private static let notAState = "expected an object"
}

extension AgentStore {
    /// Two values for one store are equal, whatever is held.
    public static func == (left: AgentStore, right: AgentStore) -> Bool { left.sink == right.sink && left.agentID == right.agentID }

    /// As above.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(sink)
        hasher.combine(agentID)
    }
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
