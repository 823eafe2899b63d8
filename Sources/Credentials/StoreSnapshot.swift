public import Files

/// What the store held at one moment: an immutable value to share between threads.
public struct StoreSnapshot: Sendable {
    /// The profiles that can be understood, in stored order.
    public let profiles: [Profile]
    /// The order set for a provider (normalised name); `auth-state.json` wins over the combined file.
    public let order: [String: [String]]
    /// Why a profile, by its id, must be logged in again. Only marks that fit the stored refresh token count, so that a new login
    /// clears them.
    public let needsLogin: [String: NeedsLogin]
    /// How profiles fared, by their ids: also of those that are gone.
    public let usage: [String: ProfileUsage]
    /// What is wrong with single entries or files, for people.
    public let problems: [StoreProblem]
    /// Which versions of the files were read.
    public let identity: StoreIdentity
    /// Whose the profiles are that another agent's file holds, by id.
    private let owners: [String: String]
    /// The files of other programs that profiles are read from, and which versions of them were.
    public let overlayFiles: [String: FileIdentity?]

    /// Short-lived tokens that were minted of profiles' credentials (``Mint/key(of:)``).
    public let minted: [String: MintedToken]

    /// Positions in `profiles` by id.
    private let positions: [String: Int]

    /// A snapshot from its parts.
    public init(
        profiles: [Profile], order: [String: [String]] = [:], needsLogin: [String: NeedsLogin] = [:],
        usage: [String: ProfileUsage] = [:], problems: [StoreProblem] = [],
        identity: StoreIdentity = StoreIdentity(profiles: nil, state: nil), overlayFiles: [String: FileIdentity?] = [:],
        minted: [String: MintedToken] = [:]
    ) {
        self.init(
            profiles: profiles, order: order, needsLogin: needsLogin, usage: usage, problems: problems, identity: identity,
            overlayFiles: overlayFiles, minted: minted, owners: [:])
    }

    private init(
        profiles: [Profile], order: [String: [String]], needsLogin: [String: NeedsLogin], usage: [String: ProfileUsage],
        problems: [StoreProblem], identity: StoreIdentity, overlayFiles: [String: FileIdentity?], minted: [String: MintedToken],
        owners: [String: String]
    ) {
        self.profiles = profiles
        self.order = order
        self.needsLogin = needsLogin
        self.usage = usage
        self.problems = problems
        self.identity = identity
        self.owners = owners
        self.overlayFiles = overlayFiles
        self.minted = minted
        positions = Dictionary(profiles.indices.map { (profiles[$0].id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The same with more problems.
    func adding(_ more: [StoreProblem]) -> StoreSnapshot {
        StoreSnapshot(
            profiles: profiles, order: order, needsLogin: needsLogin, usage: usage, problems: problems + more, identity: identity,
            overlayFiles: overlayFiles, minted: minted)
    }

    /// The token that was issued for the profile; nil where there is none.
    public func issued(for profile: Profile, by issuance: Issuance) -> MintedToken? {
        issuance.key(for: profile).flatMap { minted[$0] }
    }

    /// The profile with this id.
    public func profile(_ id: String) -> Profile? { positions[id].map { profiles[$0] } }

    /// What an agent may use that inherits the profiles of `other`, the agent `owner`: its own, then those that it has none of the same
    /// name of. They stay the other's: nothing is written here that would copy them. An order of its own goes before the other's.
    public func inheriting(from other: StoreSnapshot, of owner: String) -> StoreSnapshot {
        let inherited = other.profiles.filter { profile($0.id) == nil }
        let fared = inherited.compactMap { profile in other.usage[profile.id].map { (profile.id, $0) } }
        let marks = inherited.compactMap { profile in other.needsLogin[profile.id].map { (profile.id, $0) } }
        return StoreSnapshot(
            profiles: profiles + inherited, order: other.order.merging(order) { $1 },
            needsLogin: needsLogin.merging(marks) { own, _ in own }, usage: usage.merging(fared) { $1 }, problems: problems,
            identity: identity, overlayFiles: overlayFiles, minted: minted.merging(other.minted) { own, _ in own },
            owners: Dictionary(uniqueKeysWithValues: inherited.map { ($0.id, owner) }))
    }

    /// The agent whose file holds the profile; nil: the one that this is the snapshot of.
    public func owner(of id: String) -> String? { owners[id] }
}

/// Which versions of the two files a snapshot was read from; a file that changes gets another identity.
public struct StoreIdentity: Sendable, Equatable {
    /// `auth-profiles.json`; nil when absent.
    public let profiles: FileIdentity?
    /// `auth-state.json`; nil when absent.
    public let state: FileIdentity?

    /// An identity from the two files'.
    public init(profiles: FileIdentity?, state: FileIdentity?) {
        self.profiles = profiles
        self.state = state
    }
}

/// The mark of a refresh token that its provider has definitely refused.
public struct NeedsLogin: Sendable, Equatable {
    /// The fingerprint of that refresh token.
    public let fingerprint: String
    /// The provider's error code, or ours.
    public let code: String
    /// The HTTP status of the refusal; nil when it was our decision.
    public let status: Int?
    /// When, in ms since 1970.
    public let at: Int64
    /// The access token was refused too, so that it is not used for the rest of its life.
    public let accessRejected: Bool

    /// A mark from its parts.
    public init(fingerprint: String, code: String, status: Int?, at: Int64, accessRejected: Bool) {
        self.fingerprint = fingerprint
        self.code = code
        self.status = status
        self.at = at
        self.accessRejected = accessRejected
    }
}

/// Something in the store that is not used, and why.
public struct StoreProblem: Sendable, Equatable, CustomStringConvertible {
    /// What kind of problem, for scripts.
    public enum Code: String, Sendable {
        /// The entry is no object.
        case notAnObject = "non_object"
        /// `type` is none of api_key, token, oauth.
        case invalidType = "invalid_type"
        /// `provider` is missing or blank.
        case missingProvider = "missing_provider"
        /// The profile id is empty, longer than 256 octets, or holds a control character.
        case invalidID = "invalid_id"
        /// A secret or account id holds a byte that cannot go on a request, or is no string.
        case unusableSecret = "unusable_secret"
        /// The secret is a reference that leads to none.
        case unresolvedReference = "unresolved_ref"
        /// The profile is another program's login, and that program's file gives none.
        case unreadableOverlay = "unreadable_overlay"
        /// `auth-state.json` cannot be read; the store is used without it.
        case unreadableState = "unreadable_state"
        /// Something in an older version's file that could not be taken over.
        case notImported = "not_imported"
        /// A file could be read by others; its mode was repaired.
        case repairedMode = "repaired_mode"
    }

    /// The profile concerned; nil when it is a file.
    public let profileID: String?
    /// The kind of problem.
    public let code: Code
    /// One sentence for people; never a value from the file.
    public let message: String

    /// The sentence.
    public var description: String { message }

    /// A file or folder whose mode let others in.
    static func repaired(_ path: String, from mode: UInt32, to: String) -> StoreProblem {
        StoreProblem(
            profileID: nil, code: .repairedMode,
            message: "\(path) had mode 0\(String(mode & 0o7777, radix: 8)), open to others; it was set to \(to).")
    }
}
