internal import CSQLite
import Files
import JSON

/// The store of an OpenClaw that keeps its logins in SQLite (spec/credential-formats.md §1.7): read where it is, never written, never
/// copied, and no file beside it is made.
///
/// A database whose log (`-wal`) is empty is opened as one that nobody changes, which takes no lock and makes no file; that nobody did is
/// checked afterwards. One with a log is opened with its shared memory (`-shm`) for reading only.
enum NeighbourDatabase {
    /// The database of one agent, behind its folder.
    static let agentName = "/openclaw-agent.sqlite"
    /// The one that all agents share, behind the state directory.
    static let sharedName = "/state/openclaw.sqlite"

    /// Whether the main agent's logins are in the shared database at `path`. Where it is there and does not say, they count as being there:
    /// using leftover JSON beside it could end a login for good, not using it costs a message.
    static func isSharedStore(_ path: String) -> Bool {
        guard PrivateFile.identity(of: path) != nil else { return false }
        do {
            guard let text = try text(at: .sharedStoreLocation, in: path) else { return false }
            return try Reader.parse(text)["location"]?.string != "legacy-main"
        } catch {
            return true
        }
    }

    /// Whether the file of this name is a database.
    static func isDatabase(_ path: String) -> Bool { path.hasSuffix(".sqlite") }

    /// Where a document is kept.
    struct Place {
        let table: String
        let keyColumn: String
        let valueColumn: String
        let key: String

        /// The logins of one agent.
        static let agentStore = Place(table: "auth_profile_store", keyColumn: "store_key", valueColumn: "store_json", key: "primary")
        /// The logins that all agents share.
        static let sharedStore = machineState("authProfiles.store")
        /// Where those are: `{"location":"legacy-main"|"state-db"}`.
        static let sharedStoreLocation = machineState("auth.sharedStore")

        private static func machineState(_ key: String) -> Place {
            Place(table: "config_machine_state", keyColumn: "state_key", valueColumn: "value_json", key: key)
        }
    }

    /// The text at `place` in the database at `path`; nil when there is no such row or table.
    static func text(at place: Place, in path: String) throws(ExternalLoginFlaw) -> [UInt8]? {
        for _ in 0..<5 {
            try check(path)
            let before = PrivateFile.identity(of: path)
            let hasLog = hasLog(path)
            let text = try SQLiteConnection.open(path, isImmutable: !hasLog).text(at: place)
            if hasLog || PrivateFile.identity(of: path) == before && !Self.hasLog(path) { return text }
        }
        throw ExternalLoginFlaw("changes too often to be read")
    }

    private static func hasLog(_ path: String) -> Bool { (PrivateFile.identity(of: path + "-wal")?.size ?? 0) > 0 }

    /// The rules for any other program's file; its content is SQLite's to read.
    private static func check(_ path: String) throws(ExternalLoginFlaw) {
        do throws(FileError) {
            if try TrustedFile.check(path) { return }
        } catch {
            throw ExternalLoginFlaw(error.rule == .notRegular ? "is not a regular file" : "cannot be read: \(error.description)")
        }
        throw ExternalLoginFlaw("is not there")
    }
}

/// An open database, for reading.
@safe
private struct SQLiteConnection: ~Copyable {
    private let handle: OpaquePointer

    private init(owning handle: OpaquePointer) { unsafe self.handle = handle }

    /// The database at `path`; immutable: nobody writes it meanwhile.
    static func open(_ path: String, isImmutable: Bool) throws(ExternalLoginFlaw) -> SQLiteConnection {
        var handle: OpaquePointer?
        let address = "file:\(escaped(path))?mode=ro&" + (isImmutable ? "immutable=1" : "readonly_shm=1")
        let code = unsafe sqlite3_open_v2(address, &handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_PRIVATECACHE, nil)
        guard let handle = unsafe handle else { throw ExternalLoginFlaw("cannot be opened as a database") }
        let connection = unsafe SQLiteConnection(owning: handle)
        guard code == SQLITE_OK else { throw ExternalLoginFlaw("cannot be opened as a database (\(words(code)))") }
        unsafe sqlite3_busy_timeout(handle, 2_000)
        // What the file itself defines is data, and nothing of it is run.
        unsafe sqlite3_exec(handle, "PRAGMA trusted_schema = OFF", nil, nil, nil)
        return connection
    }

    deinit { unsafe sqlite3_close_v2(handle) }

    func text(at place: NeighbourDatabase.Place) throws(ExternalLoginFlaw) -> [UInt8]? {
        guard try hasTable(place.table) else { return nil }
        return try first("SELECT \(place.valueColumn) FROM \(place.table) WHERE \(place.keyColumn) = ?1", place.key)
    }

    private func hasTable(_ name: String) throws(ExternalLoginFlaw) -> Bool {
        try first("SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?1", name) != nil
    }

    /// The first column of the first row.
    private func first(_ query: String, _ argument: String) throws(ExternalLoginFlaw) -> [UInt8]? {
        var statement: OpaquePointer?
        try check(unsafe sqlite3_prepare_v2(handle, query, -1, &statement, nil))
        defer { unsafe sqlite3_finalize(statement) }
        try check(unsafe kb_sqlite_bind_text(statement, 1, argument))
        let code = unsafe sqlite3_step(statement)
        if code == SQLITE_DONE { return nil }
        guard code == SQLITE_ROW else { throw ExternalLoginFlaw("cannot be read as a database (\(Self.words(code)))") }
        guard let bytes = unsafe sqlite3_column_blob(statement, 0) else { return [] }
        return unsafe Array(UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(statement, 0))))
    }

    private func check(_ code: Int32) throws(ExternalLoginFlaw) {
        guard code == SQLITE_OK else { throw ExternalLoginFlaw("cannot be read as a database (\(Self.words(code)))") }
    }

    /// SQLite's words for a code; never what a statement or a row holds.
    private static func words(_ code: Int32) -> String {
        guard let text = unsafe sqlite3_errstr(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }

    /// A path within a `file:` URI.
    private static func escaped(_ path: String) -> String {
        path.replacing("%", with: "%25").replacing("?", with: "%3f").replacing("#", with: "%23")
    }
}
