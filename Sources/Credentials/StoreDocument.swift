public import JSON

/// `auth-profiles.json` as a document to change: everything that is not changed on purpose stays as it was, at every level, in its
/// order and in its own number text.
public struct StoreDocument: Sendable, Equatable {
    /// The whole file.
    public private(set) var root: Object

    /// The document an absent file stands for.
    public init() {
        root = ["version": 1, "profiles": .object([:])]
    }

    /// The document in `root`; nil when it is not a store: no object, `profiles` not an object, or a `version` other than 1.
    public init?(_ root: Value) {
        guard let root = root.object else { return nil }
        switch root["profiles"] {
        case nil, .object: break
        default: return nil
        }
        switch root["version"] {
        case nil, .null: break
        case .some(let version): guard version.int64 == 1 || version.string == "1" else { return nil }
        }
        self.root = root
    }

    /// Ids in stored order.
    public var profileIDs: [String] { profiles.names }

    /// The raw entry called `id`.
    public func entry(_ id: String) -> Object? { profiles[id]?.object }

    /// The profile called `id`, if it can be understood.
    public func profile(_ id: String) -> Profile? {
        profiles[id].flatMap { ProfileEntry.read(id: id, value: $0).profile }
    }

    /// Replaces the entry called `id` in its place, or adds it at the end.
    public mutating func setEntry(_ id: String, _ entry: Object) {
        setProfile(id, .object(entry))
    }

    /// Removes the entry called `id`; false when there is none.
    public mutating func removeEntry(_ id: String) -> Bool {
        guard profiles[id] != nil else { return false }
        setProfile(id, nil)
        return true
    }

    /// Sets the order of `provider`: for a file that holds the neighbour's state as well.
    mutating func setOrder(_ ids: [String], provider: String) { StoredOrder.set(ids, provider: provider, in: &root) }

    /// Removes it; false when there is none.
    mutating func removeOrder(provider: String) -> Bool { StoredOrder.remove(provider: provider, in: &root) }

    /// Every profile that can be understood, and what is wrong with the rest.
    func read() -> (profiles: [Profile], problems: [StoreProblem]) {
        var found: [Profile] = []
        var problems: [StoreProblem] = []
        for (id, value) in profiles {
            let (profile, problem) = ProfileEntry.read(id: id, value: value)
            if let profile { found.append(profile) }
            if let problem { problems.append(problem) }
        }
        return (found, problems)
    }

    private var profiles: Object { root["profiles"]?.object ?? [:] }

    private mutating func setProfile(_ id: String, _ value: Value?) {
        var changed = profiles
        changed[id] = value
        root["profiles"] = .object(changed)
    }
}

/// A credential to write.
public enum Credential: Sendable {
    /// A static key.
    case apiKey(Secret, provider: String)
    /// A static token; `expires` in ms since 1970.
    case token(Secret, provider: String, expires: Int64?)
    /// The result of a login; `expires` in ms since 1970.
    case oauth(
        access: Secret, refresh: Secret, expires: Int64, provider: String, accountID: String?, email: String?,
        facts: LoginFacts = LoginFacts())
    /// None: the provider's data says how one is had for a while.
    case onDemand(provider: String)

    /// The provider, normalised.
    public var provider: String {
        switch self {
        case .apiKey(_, let provider), .token(_, let provider, _), .oauth(_, _, _, let provider, _, _, _), .onDemand(let provider):
            ProviderName.normalised(provider)
        }
    }
}

extension StoreDocument {
    /// Makes `id` hold `credential`. An entry that is there keeps its place and every member that says nothing about the credential;
    /// what the old credential consisted of goes, also references, which would win over (or lose against) the new value elsewhere.
    public mutating func put(_ credential: Credential, id: String, proxy: OutboundProxy? = nil) {
        var entry = entry(id) ?? [:]
        for (name, value) in credential.members { entry[name] = value }
        for name in Self.credentialMembers where credential.members[name] == nil { entry[name] = nil }
        if let proxy { entry["proxy"] = .string(proxy.url.revealed) }
        setEntry(id, entry)
    }

    /// Puts a refreshed token into the profile `id` if it still holds the refresh token that was spent: whatever else was written
    /// meanwhile (a new login, a hand edit, another tool's refresh) wins. False when it did.
    public mutating func renew(_ id: String, spent fingerprint: String, with tokens: RenewedTokens) -> Bool {
        guard var entry = entry(id), let current = profile(id), current.kind == .oauth, current.refresh?.fingerprint == fingerprint else {
            return false
        }
        entry["access"] = .string(tokens.access.revealed)
        if let refresh = tokens.refresh { entry["refresh"] = .string(refresh.revealed) }
        entry["expires"] = .integer(tokens.expires)
        if let baseURL = tokens.baseURL { entry["baseUrl"] = .string(baseURL) }
        if let idToken = tokens.idToken, entry["idToken"] != nil { entry["idToken"] = .string(idToken.revealed) }
        setEntry(id, entry)
        return true
    }

    /// The members that make up a credential, in any of its kinds and spellings.
    static let credentialMembers = [
        "type", "mode", "provider", "key", "apiKey", "keyRef", "token", "tokenRef", "access", "refresh", "expires", "accountId", "idToken",
        "oauthRef", "email", "overlay", "onDemand", "clientId", "tokenEndpoint", "baseUrl",
    ]
}

/// What a refresh yields.
public struct RenewedTokens: Sendable {
    /// The new access token.
    public let access: Secret
    /// The new refresh token; nil when the old one stays valid (RFC 6749 §6).
    public let refresh: Secret?
    /// When the access token ends, in ms since 1970.
    public let expires: Int64
    /// The new id token, kept only where the profile already has one.
    public let idToken: Secret?
    /// What the answer says beside them: the account, whose it is, and where requests with these tokens go.
    public var accountID: String?
    /// Whose they are, for people.
    public var email: String?
    /// Where requests with these tokens go.
    public var baseURL: String?

    /// Tokens from their parts.
    public init(access: Secret, refresh: Secret?, expires: Int64, idToken: Secret? = nil) {
        self.access = access
        self.refresh = refresh
        self.expires = expires
        self.idToken = idToken
    }
}

extension Credential {
    /// The entry's members in upstream's order.
    fileprivate var members: Object {
        switch self {
        case .apiKey(let key, _):
            return ["type": "api_key", "provider": .string(provider), "key": .string(key.revealed)]
        case .token(let token, _, let expires):
            var entry: Object = ["type": "token", "provider": .string(provider), "token": .string(token.revealed)]
            entry["expires"] = expires.map { .integer($0) }
            return entry
        case .onDemand: return ["type": "token", "provider": .string(provider), "onDemand": true]
        case .oauth(let access, let refresh, let expires, _, let accountID, let email, let facts):
            var entry: Object = [
                "type": "oauth", "provider": .string(provider), "access": .string(access.revealed), "refresh": .string(refresh.revealed),
                "expires": .integer(expires),
            ]
            entry["accountId"] = accountID.map { .string($0) }
            entry["email"] = email.map { .string($0) }
            for (name, value) in facts.members { entry[name] = value }
            return entry
        }
    }
}
