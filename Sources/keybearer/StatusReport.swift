internal import Configuration
internal import Credentials

/// What `models status` has to say, before it is put into words or JSON. Pure.
struct StatusReport {
    /// One profile.
    struct Entry {
        let id: String
        /// nil when an order names one that the store does not have.
        let profile: Profile?
        let eligibility: Eligibility
        let mark: NeedsLogin?
        /// The provider cannot be sent this kind of credential.
        let isUnsendable: Bool
        /// What the store remembers of how it fared.
        let usage: ProfileUsage?

        /// Whether requests may be sent with it, at once or after a refresh.
        var isUsable: Bool { eligibility == .ok && !isUnsendable }
    }

    /// One provider with profiles, or one that the settings speak of.
    struct ProviderEntry {
        let id: String
        /// Other providers that use these profiles.
        let alsoFor: [String]
        /// False for one of a neighbour's that Keybearer does not know.
        let isKnown: Bool
        let needsCredential: Bool
        /// Routes, an order or a declaration name it.
        let isInUse: Bool
        let source: Ranked.Source
        let entries: [Entry]
        /// What the environment of this command holds for it; the server has its own.
        let environmentKey: EnvironmentKey?
        /// Whether that stands in for a profile.
        let usesEnvironment: Bool

        var hasUsable: Bool { entries.contains(where: \.isUsable) }
    }

    /// In the order of the catalogue, then neighbours' by name.
    let providers: [ProviderEntry]
    let problems: [StoreProblem]
    /// What rests after refusals.
    let rests: RestReport
    /// ms since 1970.
    let now: Int64

    /// The report on `snapshot` under `settings`.
    init(settings: Settings, snapshot: StoreSnapshot, environmentKeys: [EnvironmentKey] = [], now: Int64) {
        let stored = Swift.Set(snapshot.profiles.map(\.provider))
        let inUse = Self.providersInUse(settings)
        let mentioned = stored.union(inUse).union(snapshot.order.keys).union(environmentKeys.map(\.provider))
        let catalogue = settings.providers.map(\.id)
        let ids = catalogue.filter(mentioned.contains) + mentioned.subtracting(catalogue).sorted()
        providers = ids.map { id in
            let provider = settings.provider(id)
            let ranked = ProfileOrder.resolve(
                provider: id, snapshot: snapshot, configured: settings.auth.order[id], declared: settings.auth.profiles, now: now)
            let source = ProfileOrder.explicitOrder(provider: id, snapshot: snapshot, configured: settings.auth.order[id]).source
            let entries = ranked.map { Self.entry($0, provider, snapshot) }
            let key = environmentKeys.first { $0.provider == id }
            return ProviderEntry(
                id: id, alsoFor: settings.providers.filter { $0.credentialsFrom == id && $0.id != id }.map(\.id), isKnown: provider != nil,
                needsCredential: provider?.needsCredential ?? true, isInUse: inUse.contains(id), source: source,
                entries: entries, environmentKey: key,
                usesEnvironment: Self.uses(key, provider, entries, settings))
        }
        problems = snapshot.problems
        rests = RestReport(snapshot, now: now)
        self.now = now
    }

    /// The proxy's rule: a key stands in where no profile can be used, but not unasked for a subscription.
    private static func uses(_ key: EnvironmentKey?, _ provider: Provider?, _ entries: [Entry], _ settings: Settings) -> Bool {
        guard let key, let provider, !entries.contains(where: \.isUsable) else { return false }
        return key.mayReplace(entries.compactMap(\.profile?.kind), of: provider, allowPaidFallback: settings.auth.allowPaidFallback)
    }

    private static func entry(_ ranked: Ranked, _ provider: Provider?, _ snapshot: StoreSnapshot) -> Entry {
        let isSendable = ranked.profile.map { provider?.injection(for: $0.kind) != nil } ?? true
        return Entry(
            id: ranked.profileID, profile: ranked.profile, eligibility: ranked.eligibility, mark: snapshot.needsLogin[ranked.profileID],
            isUnsendable: !isSendable, usage: snapshot.usage[ranked.profileID])
    }

    /// Providers that the settings count on.
    private static func providersInUse(_ settings: Settings) -> Swift.Set<String> {
        var named = Swift.Set(settings.routes.hosts.values).union(settings.auth.order.keys)
        named.formUnion(settings.auth.profiles.values.map { ProviderName.normalised($0.provider) })
        if let provider = settings.routes.default { named.insert(provider) }
        return Swift.Set(named.map { settings.provider($0)?.credentialsFrom ?? $0 })
    }

    /// Providers in use without a profile that can be sent.
    var missing: [String] { providers.filter { $0.isInUse && $0.needsCredential && !$0.hasUsable && !$0.usesEnvironment }.map(\.id) }

    /// Profiles that nobody renews by themselves.
    var tokens: [Profile] { providers.flatMap(\.entries).compactMap(\.profile).filter { $0.kind == .token && $0.overlay == nil } }

    /// Those of them that end within 30 days.
    var tokenWarnings: [TokenWarning] { tokens.compactMap { TokenWarning(profile: $0, now: now) } }

    /// What `--check` answers: 1 when a person has to act, 2 when one has to within a day, else 0.
    ///
    /// An access token that will be refreshed by itself asks nothing of a person, expired or not (spec/credential-formats.md §9, row 7).
    var checkCode: Int32 {
        let all = providers.flatMap(\.entries)
        let needsPerson = all.contains {
            !$0.isRefreshable && [.expired, .missing].contains($0.state(now: now)) || $0.eligibility == .needsLogin
        }
        if needsPerson || !missing.isEmpty { return 1 }
        return all.contains { !$0.isRefreshable && $0.state(now: now) == .expiring } ? 2 : 0
    }
}

extension StatusReport.Entry {
    /// How a credential stands in time; the raw values are those of Moltbot's JSON (spec/credential-formats.md §7.2).
    enum State: String {
        case ok, expiring, expired, missing
        /// It has no expiry.
        case fixed = "static"
    }

    /// From when on an expiry is announced.
    static let warnAfter: Int64 = 24 * 3_600_000

    /// Whether it is renewed without a person.
    var isRefreshable: Bool { profile?.isOnDemand == true || profile?.refresh != nil && mark == nil }

    /// Where it stands at `now`.
    func state(now: Int64) -> State {
        guard let profile, profile.secret != nil || profile.refresh != nil || profile.awaitsProgram || profile.isOnDemand else {
            return .missing
        }
        switch profile.expiry(now: now) {
        case .never: return .fixed
        // What another program renews is not announced: that it will end is how it is.
        case .valid(let until): return profile.overlay == nil && until - now < Self.warnAfter ? .expiring : .ok
        case .expired, .invalid: return .expired
        }
    }
}
