/// Which profiles of a provider may be used, and in which order (DESIGN §5; spec/credential-formats.md §6.1, steps 1-5). A pure
/// function: cooldowns, sessions and pins are applied to its result by others.
public enum ProfileOrder {
    /// Every profile that is a candidate or could have been, each with its reason. The order is stable: an explicit one (store, else
    /// configuration) as it was given; else derived: oauth, token, api_key, each in stored order. Excluded profiles follow.
    ///
    /// - Parameters:
    ///   - provider: whose profiles are wanted.
    ///   - configured: `auth.order` of the settings for this provider; nil or empty when there is none.
    ///   - declared: `auth.profiles` of the settings, by id.
    ///   - now: ms since 1970.
    public static func resolve(
        provider: String, snapshot: StoreSnapshot, configured: [String]? = nil, declared: [String: DeclaredProfile] = [:], now: Int64
    ) -> [Ranked] {
        let provider = ProviderName.normalised(provider)
        let stored = snapshot.profiles.filter { $0.provider == provider }.map(\.id)
        let (source, explicit) = explicitOrder(provider: provider, snapshot: snapshot, configured: configured)
        let base = explicit ?? derivedOrder(provider: provider, stored: stored, snapshot: snapshot, declared: declared)
        var seen: Set<String> = []
        var ranked: [Ranked] = []
        for id in base where seen.insert(id).inserted {
            let profile = snapshot.profile(id)
            let reason = eligibility(of: profile, provider: provider, declared: declared[id], snapshot: snapshot, now: now)
            ranked.append(Ranked(profileID: id, profile: profile, eligibility: reason, source: source))
        }
        for id in stored where seen.insert(id).inserted {
            ranked.append(Ranked(profileID: id, profile: snapshot.profile(id), eligibility: .excludedByAuthOrder, source: source))
        }
        return ranked
    }

    /// The explicit order of `provider` and where it is from; `.derived` and nil when there is none.
    public static func explicitOrder(
        provider: String, snapshot: StoreSnapshot, configured: [String]?
    ) -> (source: Ranked.Source, ids: [String]?) {
        if let ids = snapshot.order[ProviderName.normalised(provider)], !ids.isEmpty { return (.store, ids) }
        if let configured, !configured.isEmpty { return (.configuration, configured) }
        return (.derived, nil)
    }

    /// Whether `profile` may be used for `provider` at `now`, whatever the order says: what a pin is checked against.
    public static func eligibility(
        of profile: Profile?, provider: String, declared: DeclaredProfile?, snapshot: StoreSnapshot, now: Int64
    ) -> Eligibility {
        guard let profile else { return .unknownProfile }
        let provider = ProviderName.normalised(provider)
        guard profile.provider == provider else { return .providerMismatch }
        if let declared {
            guard ProviderName.normalised(declared.provider) == provider else { return .providerMismatch }
            guard declared.accepts(profile.kind) else { return .modeMismatch }
        }
        return standing(of: profile, mark: snapshot.needsLogin[profile.id], now: now)
    }

    /// Whether the credential itself can be used, at once or after a refresh.
    private static func standing(of profile: Profile, mark: NeedsLogin?, now: Int64) -> Eligibility {
        if profile.awaitsProgram {
            // Its program is asked when the profile's turn comes; a token that has ended by what the store says needs no asking.
            switch profile.expiry(now: now) {
            case .never, .valid: return .ok
            case .expired: return .expired
            case .invalid: return .invalidExpires
            }
        }
        // Nothing is kept of it that could have ended.
        if profile.isOnDemand { return .ok }
        if profile.hasUnresolvedReference { return .unresolvedReference }
        let isUsable = profile.isUsable(now: now)
        if profile.overlay != nil, !isUsable { return profile.secret == nil ? .overlayUnreadable : .overlayExpired }
        // A refused refresh token does not end the access token that is still in its life, unless that was refused as well.
        if let mark, mark.accessRejected || !isUsable { return .needsLogin }
        if isUsable || profile.refresh != nil { return .ok }
        guard profile.secret != nil else { return .missingCredential }
        return profile.expiry(now: now) == .invalid ? .invalidExpires : .expired
    }

    /// The profiles the settings declare for the provider, else all stored ones; also all stored ones when none of those declared is
    /// in the store (they were renamed by a new login). Sorted by kind; `sorted` is stable, so stored order holds within a kind.
    private static func derivedOrder(
        provider: String, stored: [String], snapshot: StoreSnapshot, declared: [String: DeclaredProfile]
    ) -> [String] {
        let listed = declared.filter { ProviderName.normalised($0.value.provider) == provider }.keys
        let known = snapshot.profiles.map(\.id).filter { listed.contains($0) }
        let missing = listed.filter { snapshot.profile($0) == nil }.sorted()
        let base = known.isEmpty ? stored : known
        return base.sorted { rank(snapshot.profile($0)) < rank(snapshot.profile($1)) } + missing
    }

    private static func rank(_ profile: Profile?) -> Int {
        switch profile?.kind {
        case .oauth: 0
        case .token: 1
        case .apiKey: 2
        case nil: 3
        }
    }
}

/// A profile in an order, with the reason it may or may not be used.
public struct Ranked: Sendable, Equatable {
    /// Where an order is from.
    public enum Source: String, Sendable {
        /// Set by command, or by a neighbour in the store.
        case store
        /// `auth.order` of the settings.
        case configuration
        /// Nobody set one.
        case derived
    }

    /// Its id.
    public let profileID: String
    /// The profile; nil when an order names one that the store does not have.
    public let profile: Profile?
    /// Whether it may be used, and why not.
    public let eligibility: Eligibility
    /// Where the order it stands in is from.
    public let source: Source
}

/// Why a profile may be used or not. The raw values are stable; the first six are upstream's.
public enum Eligibility: String, Sendable, CaseIterable {
    /// Usable, at once or after a refresh.
    case ok
    /// An explicit order does not list it.
    case excludedByAuthOrder = "excluded_by_auth_order"
    /// It holds no secret.
    case missingCredential = "missing_credential"
    /// A static token whose `expires` is no positive number.
    case invalidExpires = "invalid_expires"
    /// Expired, and nothing to refresh it with.
    case expired
    /// Its secret is a reference that has not been resolved.
    case unresolvedReference = "unresolved_ref"
    /// It is another program's login, and that program has not renewed it.
    case overlayExpired = "overlay_expired"
    /// It is another program's login, and that program's file gives none.
    case overlayUnreadable = "overlay_unreadable"
    /// Its provider has definitely refused the refresh token.
    case needsLogin = "needs_login"
    /// It, or its declaration in the settings, belongs to another provider.
    case providerMismatch = "provider_mismatch"
    /// The settings declare another kind of credential.
    case modeMismatch = "mode_mismatch"
    /// Its own list of hosts (`allowedHosts`) does not have the provider's.
    case hostNotAllowed = "host_not_allowed"
    /// An order names it, the store does not have it.
    case unknownProfile = "unknown_profile"
}

/// What the settings say about a profile (`auth.profiles`).
public struct DeclaredProfile: Sendable, Equatable {
    /// Its provider.
    public let provider: String
    /// `api_key`, `token` or `oauth`; nil when not stated.
    public let mode: String?

    /// A declaration.
    public init(provider: String, mode: String? = nil) {
        self.provider = provider
        self.mode = mode
    }

    /// Whether `mode` fits a profile of `kind`; oauth and token stand for each other.
    func accepts(_ kind: Profile.Kind) -> Bool {
        guard let mode else { return true }
        let isBearer: (String) -> Bool = { $0 == Profile.Kind.oauth.rawValue || $0 == Profile.Kind.token.rawValue }
        return mode == kind.rawValue || isBearer(mode) && isBearer(kind.rawValue)
    }
}
