import Files
import JSON

/// What older versions kept their credentials in, as entries of today's file (spec/credential-formats.md §1.5, steps 3 and 4).
enum LegacyFiles {
    /// An entry with the id that it gets.
    typealias Entry = (id: String, entry: Object)

    /// The entries of an old `auth.json`: providers by name. None when it is a store, or the runtime cache that `managedBy` marks as
    /// ours. Each becomes `<provider>:default`, with the members of its kind alone.
    static func entries(ofAuth root: Object) -> (entries: [Entry], skipped: [String]) {
        guard root["profiles"] == nil, root["managedBy"] == nil else { return ([], []) }
        var entries: [Entry] = []
        var skipped: [String] = []
        for (name, value) in root {
            guard let old = value.object else { continue }
            guard let type = old["type"]?.string, let kind = Profile.Kind(rawValue: type), !isCommand(old["key"]) else {
                skipped.append(name)
                continue
            }
            let provider = old["provider"]?.string.flatMap { $0.isBlank ? nil : $0 } ?? name
            var entry: Object = ["type": .string(type), "provider": .string(provider)]
            for member in members(of: kind) {
                if member == "expires", old[member]?.double == nil { continue }
                entry[member] = old[member]
            }
            entries.append((name + ":default", entry))
        }
        return (entries, skipped)
    }

    /// The entries of an old `credentials/oauth.json`: OAuth credentials by provider.
    static func entries(ofOAuth root: Object) -> [Entry] {
        root.compactMap { provider, value in
            guard let old = value.object else { return nil }
            return (provider + ":default", Object([("type", "oauth"), ("provider", .string(provider))] + old.map { ($0.name, $0.value) }))
        }
    }

    /// `!…` is a shell command to pi-coding-agent (§1.6), and no key.
    private static func isCommand(_ key: Value?) -> Bool { key?.string?.hasPrefix("!") == true }

    private static func members(of kind: Profile.Kind) -> [String] {
        switch kind {
        case .apiKey: ["key", "email"]
        case .token: ["token", "expires", "email"]
        // `clientId` went missing upstream for a while, and with it the refresh of such a login.
        case .oauth: ["access", "refresh", "expires", "enterpriseUrl", "projectId", "clientId", "accountId", "email"]
        }
    }
}

/// What an agent without a store may start from.
struct LegacyImport {
    /// The whole new store.
    let document: StoreDocument
    /// `auth.json` was used, and must not be read again: its tokens will have been spent.
    let usesAuthFile: Bool
    /// What could not be taken over.
    let problems: [StoreProblem]
}

extension AgentStore {
    /// The old per-agent file.
    var legacyAuthPath: String { directory + "/auth.json" }
    /// The old file of OAuth logins. It speaks of the main agent: given to each, single-use refresh tokens would have many owners.
    var legacyOAuthPath: String? { agentID == AgentID.main ? sink + "/credentials/oauth.json" : nil }

    /// Whether there is no store yet, but something to make one of, or something that cannot be read and is not to be walked past.
    public var hasLegacyProfiles: Bool {
        do throws(StoreError) { return try legacyImport() != nil } catch { return true }
    }

    /// What a first use imports; nil where there is a store already, or nothing to import.
    ///
    /// - Throws: when one of the files cannot be read. Then none is imported: the other's logins would hide this one's for good.
    func legacyImport() throws(StoreError) -> LegacyImport? {
        guard PrivateFile.identity(of: profilesPath) == nil else { return nil }
        let auth = LegacyFiles.entries(ofAuth: try legacyRoot(legacyAuthPath) ?? [:])
        let oauth = try legacyOAuthPath.flatMap { path throws(StoreError) in try legacyRoot(path) }.map(LegacyFiles.entries(ofOAuth:)) ?? []
        var document = StoreDocument()
        // Ids that are there win.
        for (id, entry) in auth.entries + oauth where document.entry(id) == nil { document.setEntry(id, entry) }
        guard !document.profileIDs.isEmpty else { return nil }
        let problems = auth.skipped.map { name in
            StoreProblem(
                profileID: name + ":default", code: .notImported,
                message: "The entry \(ProfileEntry.printable(name)) of \(legacyAuthPath) is no credential that can be imported.")
        }
        return LegacyImport(document: document, usesAuthFile: !auth.entries.isEmpty, problems: problems)
    }

    /// Makes the store of what older versions left, if there is none. `auth.json` is kept under another name: read again later, its
    /// tokens would bring back a login that is over. `oauth.json` stays, as it does upstream. Under the store's lock.
    ///
    /// What cannot be imported is a problem only: it must not stop a change, which may be a new login.
    func importLegacy(under hold: NeighbourHold?) throws(StoreError) -> [StoreProblem] {
        let found: LegacyImport?
        do throws(StoreError) {
            found = try legacyImport()
        } catch {
            return [StoreProblem(profileID: nil, code: .notImported, message: error.description)]
        }
        guard let legacy = found else { return [] }
        try StoreFile<StoreDocument>.replace(profilesPath, with: legacy.document.root, under: hold, keepsLastGood: true)
        guard legacy.usesAuthFile else { return legacy.problems }
        do throws(FileError) {
            try PrivateFile.setAside(legacyAuthPath, as: "auth.json.imported-\(WallTime.milliseconds())")
        } catch {
            return legacy.problems + [StoreProblem(profileID: nil, code: .notImported, message: error.description)]
        }
        return legacy.problems
    }

    private func legacyRoot(_ path: String) throws(StoreError) -> Object? {
        try StoreFile.read(path, as: { $0.object }, otherwise: "expected an object").document
    }
}
