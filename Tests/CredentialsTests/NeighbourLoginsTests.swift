import CSQLite
import Glibc
import JSON
import Testing

@testable import Credentials

/// A Moltbot's or OpenClaw's logins, read in each of its forms and never changed.
@Suite struct NeighbourLoginsTests {
    private let theirs = TemporarySink()
    private let ours = TemporarySink()
    private var database: String { theirs.store.directory + "/openclaw-agent.sqlite" }

    private static let store = """
        {"version":1,"profiles":{
          "openai-codex:work":{"type":"oauth","provider":"openai-codex","access":"at","refresh":"rt","expires":1900000000000,"accountId":"acc"},
          "openai:default":{"type":"api_key","provider":"openai","key":"sk-1"},
          "openai:env":{"type":"api_key","provider":"openai","keyRef":{"source":"file","provider":"vault","id":"/a"}},
          "anthropic:setup":{"type":"token","provider":"anthropic","token":"tok","futureMember":{"x":1}}},
         "order":{"openai":["openai:default"]}}
        """

    /// A database of theirs. `keep`: left open and unfinished, so that the rows are in its log.
    private func make(_ path: String, _ statements: String, keep: Bool = false) -> OpaquePointer? {
        var handle: OpaquePointer?
        precondition(sqlite3_open(path, &handle) == SQLITE_OK)
        chmod(path, 0o600)
        precondition(sqlite3_exec(handle, statements, nil, nil, nil) == SQLITE_OK, String(cString: sqlite3_errmsg(handle)))
        if keep { return handle }
        sqlite3_close(handle)
        return nil
    }

    private static func agentTables(_ json: String) -> String {
        """
        CREATE TABLE auth_profile_store(store_key TEXT PRIMARY KEY, store_json TEXT, updated_at INTEGER);
        CREATE TABLE auth_profile_state(state_key TEXT PRIMARY KEY, state_json TEXT, updated_at INTEGER);
        INSERT INTO auth_profile_store VALUES('primary', '\(json)', 1);
        """
    }

    private func ids(_ agent: String = "main") throws -> [String] {
        try NeighbourLogins.of(agent: agent, in: theirs.path).profiles.map(\.id)
    }

    @Test func theCombinedAndTheSplitFileAreRead() throws {
        theirs.write(Self.store, to: theirs.store.profilesPath)
        let logins = try NeighbourLogins.of(agent: "main", in: theirs.path)
        #expect(logins.path == theirs.store.profilesPath && logins.profiles.count == 4)
        #expect(logins.referring == ["openai:env"])
        #expect(logins.profiles.first { $0.id == "openai:env" }?.secret == nil, "the settings do not describe its place")
        theirs.write(#"{"version":1,"order":{"openai":["openai:default"]}}"#, to: theirs.store.statePath)
        #expect(try ids().count == 4)
        #expect(theirs.profiles == Self.store)
    }

    @Test func aReferenceIsFollowedByTheirSettings() throws {
        theirs.write(Self.store, to: theirs.store.profilesPath)
        theirs.write(#"{"a":"sk-from-vault"}"#, to: theirs.path + "/vault.json")
        theirs.write(
            #"{ secrets: { providers: { vault: { source: "file", path: "\#(theirs.path)/vault.json" } } } }"#,
            to: theirs.path + "/openclaw.json")
        let overlay = Overlay(owner: .moltbot, path: theirs.store.profilesPath, profileID: "openai:env")
        _ = try ours.store.add(overlay, provider: "openai", isKey: true, id: "openai:env")
        #expect(try ours.store.load().profile("openai:env")?.secret?.revealed == "sk-from-vault")
    }

    @Test func theFilesBeforeThereWereStoresAreReadAndLeft() throws {
        theirs.write(#"{"openai":{"type":"api_key","key":"sk-old"}}"#, to: theirs.store.directory + "/auth.json")
        #expect(try ids() == ["openai:default"])
        #expect(theirs.names(in: theirs.store.directory) == ["auth.json"], "nothing of theirs is imported in their place")
        unlink(theirs.store.directory + "/auth.json")
        mkdir(theirs.path + "/credentials", 0o700)
        theirs.write(#"{"anthropic":{"access":"a","refresh":"r","expires":1}}"#, to: theirs.path + "/credentials/oauth.json")
        #expect(try ids() == ["anthropic:default"])
        theirs.write(Self.store, to: theirs.store.profilesPath)
        #expect(try ids().count == 4, "a store goes before what is older")
    }

    @Test func aDatabaseIsReadWithoutATraceWhetherItsRowsAreInItsLogOrNot() throws {
        theirs.write(#"{"version":1,"profiles":{"stale:json":{"type":"token","provider":"p","token":"t"}}}"#, to: theirs.store.profilesPath)
        _ = make(database, Self.agentTables(Self.store))
        var before = stat()
        stat(database, &before)
        #expect(try ids().count == 4, "the JSON beside it is stale")
        var after = stat()
        stat(database, &after)
        #expect(before.st_mtim.tv_nsec == after.st_mtim.tv_nsec && before.st_ino == after.st_ino)
        #expect(theirs.names(in: theirs.store.directory) == ["auth-profiles.json", "openclaw-agent.sqlite"])
    }

    @Test func rowsThatAreInTheLogAloneAreRead() throws {
        let writer = make(database, "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;" + Self.agentTables(Self.store), keep: true)
        defer { sqlite3_close(writer) }
        let names = theirs.names(in: theirs.store.directory)
        #expect(names.contains("openclaw-agent.sqlite-wal"))
        #expect(try ids().count == 4)
        #expect(theirs.names(in: theirs.store.directory) == names)

        // The overlay sees what is written next, and that there is something to see.
        let overlay = Overlay(owner: .moltbot, path: database, profileID: "openai-codex:work")
        _ = try ours.store.add(overlay, provider: "openai-codex", isKey: false, id: "openai-codex:work")
        let snapshot = try ours.store.load()
        let profile = try #require(snapshot.profile("openai-codex:work"))
        #expect(profile.secret?.revealed == "at" && profile.refresh == nil && profile.accountID == "acc")
        let update = "UPDATE auth_profile_store SET store_json = replace(store_json, '\"at\"', '\"at2\"')"
        #expect(sqlite3_exec(writer, update, nil, nil, nil) == SQLITE_OK)
        #expect(!ours.store.isCurrent(snapshot))
        #expect(try ours.store.load().profile("openai-codex:work")?.secret?.revealed == "at2")
    }

    @Test func theSharedStoreIsUsedWhenTheMainAgentsHasMovedThere() throws {
        mkdir(theirs.path + "/state", 0o700)
        _ = make(database, Self.agentTables(#"{"version":1,"profiles":{"p:old":{"type":"token","provider":"p","token":"t"}}}"#))
        let shared = theirs.path + "/state/openclaw.sqlite"
        _ = make(
            shared,
            """
            CREATE TABLE config_machine_state(state_key TEXT PRIMARY KEY, value_json TEXT, updated_at_ms INTEGER);
            INSERT INTO config_machine_state VALUES('authProfiles.store', '\(Self.store)', 1);
            """)
        #expect(try ids() == ["p:old"], "absent: the main agent's own")
        #expect(theirs.store.retiringDatabase == database)
        let handle = make(shared, #"INSERT INTO config_machine_state VALUES('auth.sharedStore', '{"location":"state-db"}', 1)"#)
        #expect(handle == nil)
        #expect(try ids().count == 4)
        #expect(theirs.store.retiringDatabase == shared)
        #expect(throws: StoreError.self, "leftover JSON is not used, with the agent's own database or without") { try theirs.store.load() }
        unlink(database)
        #expect(throws: StoreError.self) { try theirs.store.load() }
        #expect(AgentStore(sink: theirs.path, agentID: "other").retiringDatabase == nil)
        _ = make(shared, #"UPDATE config_machine_state SET value_json = '{"location":"legacy-main"}' WHERE state_key = 'auth.sharedStore'"#)
        #expect(try theirs.store.load().profiles.isEmpty)
        theirs.write("no database", to: shared)
        #expect(theirs.store.retiringDatabase == shared, "what cannot be asked counts as moved")
    }

    @Test(arguments: ["no database", "no table", "no row", "no JSON", "fifo", "no store", "writable by others"])
    func whatIsNoneSaysSo(kind: String) throws {
        switch kind {
        case "no database": theirs.write(String(repeating: "x", count: 5000), to: database)
        case "no table": _ = make(database, "CREATE TABLE other(a)")
        case "no row": _ = make(database, Self.agentTables("{}") + "DELETE FROM auth_profile_store")
        case "no JSON": _ = make(database, Self.agentTables("{"))
        case "fifo": mkfifo(database, 0o600)
        case "no store": _ = make(database, Self.agentTables(#"{"some":"thing"}"#))
        default:
            _ = make(database, Self.agentTables(Self.store))
            chmod(database, 0o666)
        }
        let failure = #expect(throws: NeighbourLogins.FileFailure.self) { try NeighbourLogins.of(agent: "main", in: theirs.path) }
        #expect(failure?.description.hasPrefix(database + " ") == true)
    }

    @Test func aProfileThatIsGoneThereIsNamedHere() throws {
        theirs.write(Self.store, to: theirs.store.profilesPath)
        let overlay = Overlay(owner: .moltbot, path: theirs.store.profilesPath, profileID: "openai:gone")
        _ = try ours.store.add(overlay, provider: "openai", isKey: true, id: "openai:gone")
        let snapshot = try ours.store.load()
        #expect(snapshot.profile("openai:gone")?.secret == nil && snapshot.problems[0].message.contains("has no profile openai:gone"))
    }
}
