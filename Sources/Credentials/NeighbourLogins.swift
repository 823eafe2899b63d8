public import JSON
import Files

/// What Moltbot or OpenClaw keeps for one agent, in whichever form its version uses: read, and never changed.
public struct NeighbourLogins: Sendable {
    /// Where the profiles are: the file or the database.
    public let path: String
    /// The profiles, references resolved by the neighbour's own settings.
    public let profiles: [Profile]
    /// What cannot be used of them.
    public let problems: [StoreProblem]
    /// Those whose secret is somewhere else, by the neighbour's settings.
    public let referring: Set<String>

    /// The logins of `agentID` in the state directory `sink`.
    ///
    /// - Throws: why there are none, as the end of a sentence about ``FileFailure/path``.
    public static func of(agent agentID: String, in sink: String) throws(FileFailure) -> NeighbourLogins {
        let path = place(agent: agentID, in: sink)
        return try named(path) { () throws(ExternalLoginFlaw) in try read(path) }
    }

    /// A neighbour's file that gives nothing.
    public struct FileFailure: Error, Sendable, CustomStringConvertible {
        /// The file.
        public let path: String
        /// The end of a sentence about it.
        public let reason: String

        /// The sentence.
        public var description: String { "\(path) \(reason)" }
    }

    /// Where this agent's profiles are by now: the database that all agents share when the main agent's have moved there, the agent's
    /// own, else the JSON file.
    private static func place(agent agentID: String, in sink: String) -> String {
        let store = AgentStore(sink: sink, agentID: agentID)
        if let database = store.retiringDatabase { return database }
        // What a version without a store left behind, if there has been none with one.
        let old = [store.legacyAuthPath, store.legacyOAuthPath].compactMap(\.self)
        guard PrivateFile.identity(of: store.profilesPath) == nil else { return store.profilesPath }
        return old.first { PrivateFile.identity(of: $0) != nil } ?? store.profilesPath
    }

    /// One profile of the store at `path`.
    static func profile(_ id: String, at path: String) throws(ExternalLoginFlaw) -> Profile {
        let logins = try read(path)
        if let profile = logins.profiles.first(where: { $0.id == id }) { return profile }
        throw ExternalLoginFlaw("has no profile \(ProfileEntry.printable(id)) that can be used")
    }

    /// The store's root at `path`, whichever form it has.
    public static func root(at path: String) throws(ExternalLoginFlaw) -> Value {
        guard NeighbourDatabase.isDatabase(path) else { return try OverlaySource.root(at: path) }
        let place: NeighbourDatabase.Place = path.hasSuffix(NeighbourDatabase.sharedName) ? .sharedStore : .agentStore
        guard let text = try NeighbourDatabase.text(at: place, in: path) else { throw ExternalLoginFlaw("holds no profiles") }
        do throws(SyntaxError) {
            return try Reader.parse(text)
        } catch {
            throw ExternalLoginFlaw("holds profiles that are no JSON (line \(error.line), column \(error.column))")
        }
    }

    static func read(_ path: String) throws(ExternalLoginFlaw) -> NeighbourLogins {
        let root = try root(at: path)
        let store = root["profiles"] == nil ? nil : StoreDocument(root)
        guard let document = store ?? legacy(root, isOAuth: path.hasSuffix("/oauth.json")) else {
            throw ExternalLoginFlaw("is no store of profiles")
        }
        var resolver = SecretResolver(places: { SecretPlaces(neighbour: Neighbour.settings(in: sink(of: path))?["secrets"]) })
        let raw = document.read()
        let read = document.resolving(raw, with: &resolver)
        // Nothing is read through two files: what this store borrows itself is to be imported from its owner.
        return NeighbourLogins(
            path: path, profiles: read.profiles.filter { $0.overlay == nil }, problems: read.problems,
            referring: Set(raw.profiles.filter(\.hasUnresolvedReference).map(\.id)))
    }

    /// An `auth.json` or `oauth.json` of the time before there were stores; nil when it is none.
    private static func legacy(_ root: Value, isOAuth: Bool) -> StoreDocument? {
        guard let root = root.object else { return nil }
        let entries = isOAuth ? LegacyFiles.entries(ofOAuth: root) : LegacyFiles.entries(ofAuth: root).entries
        guard !entries.isEmpty else { return nil }
        var document = StoreDocument()
        for (id, entry) in entries { document.setEntry(id, entry) }
        return document
    }

    /// The state directory that holds the store at `path`.
    private static func sink(of path: String) -> String {
        let names = path.split(separator: "/")
        let depth = path.hasSuffix(NeighbourDatabase.sharedName) || path.hasSuffix("/credentials/oauth.json") ? 2 : 4
        return "/" + names.dropLast(depth).joined(separator: "/")
    }

    private static func named<Result>(
        _ path: String, _ body: () throws(ExternalLoginFlaw) -> Result
    ) throws(FileFailure) -> Result {
        do { return try body() } catch { throw FileFailure(path: path, reason: error.reason) }
    }
}

extension Profile {
    /// The same under our name, without what its owner renews it with.
    func asOverlay(id: String, _ overlay: Overlay) throws(ExternalLoginFlaw) -> Profile {
        guard let secret else { throw ExternalLoginFlaw("has no credential for \(ProfileEntry.printable(self.id))") }
        return Profile(
            id: id, provider: provider, kind: kind == .oauth ? .token : kind, secret: secret, expires: expires,
            hasInvalidExpires: kind != .oauth && hasInvalidExpires, accountID: accountID, email: email, overlay: overlay)
    }
}
