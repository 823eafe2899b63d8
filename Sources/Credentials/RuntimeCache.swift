import Digest
import Files
import JSON

/// `auth.json` as ours: `{"version":1,"managedBy":"keybearer","minted":{…}}`. Nothing in it is lost by deleting it (DESIGN §6).
struct RuntimeCache {
    private(set) var root: Object

    /// A new one.
    init() { root = ["version": 1, "managedBy": "keybearer", "minted": [:]] }

    /// The one in a file; nil for a file that is not ours.
    init?(_ value: Value) {
        guard let root = value.object, root["managedBy"]?.string == "keybearer" else { return nil }
        self.root = root
    }

    /// The tokens by their keys (``Mint/key(of:)``). What cannot be understood is no token: it is minted again.
    var minted: [String: MintedToken] {
        (root["minted"]?.object ?? [:]).reduce(into: [:]) { tokens, member in
            guard let secret = member.value["token"]?.string.flatMap({ Secret($0) }), let expires = member.value["expires"]?.int64 else {
                return
            }
            tokens[member.name] = MintedToken(secret: secret, expires: expires)
        }
    }

    /// Adds one, and drops those that have ended.
    mutating func keep(_ token: MintedToken, as key: String, of profileID: String, now: Int64) {
        let held = (root["minted"]?.object ?? [:]).filter { ($0.value["expires"]?.int64 ?? 0) > now && $0.name != key }
        let entry: Value = ["profile": .string(profileID), "token": .string(token.secret.revealed), "expires": .integer(token.expires)]
        root["minted"] = .object(Object(held.map { ($0.name, $0.value) } + [(key, entry)]))
    }
}

extension AgentStore {
    /// The runtime cache: the path of a legacy file as well, which is told by the absence of `managedBy`.
    var cachePath: String { legacyAuthPath }

    /// What has been minted; nothing where the file is absent, not ours, or cannot be read: then it is minted anew, and whoever has to write
    /// it says what is wrong.
    var minted: [String: MintedToken] {
        guard var contents = (try? PrivateFile.read(cachePath)) ?? nil else { return [:] }
        defer { Memory.cleanse(&contents.bytes) }
        return (try? Reader.parse(contents.bytes)).flatMap(RuntimeCache.init)?.minted ?? [:]
    }

    /// Keeps a minted token for all processes.
    ///
    /// - Throws: also where the file is another program's, or an older version's that was not imported: it is left as it is.
    public func keep(_ token: MintedToken, as key: String, of profileID: String, now: Int64) throws(StoreError) -> StoreSnapshot {
        try locked { hold throws(StoreError) in
            let read = try StoreFile.read(cachePath, as: { $0.object }, otherwise: "it is no JSON object")
            var cache = RuntimeCache()
            if let root = read.document {
                guard let ours = RuntimeCache(.object(root)) else {
                    throw .invalid("\(cachePath) holds another program's logins, and tokens are to be kept there; move it away.")
                }
                cache = ours
            }
            cache.keep(token, as: key, of: profileID, now: now)
            try StoreFile<Object>.replace(cachePath, with: cache.root, under: hold)
            return try self.read()
        }
    }
}
