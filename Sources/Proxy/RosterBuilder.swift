internal import Configuration
internal import Credentials
internal import Digest
internal import HTTP
internal import OAuth
internal import Routing
internal import Sockets
internal import Synchronization

/// Makes rosters of store snapshots: the place where credentials become header bytes.
struct RosterBuilder: Sendable {
    let settings: Settings
    /// What the environment says of outbound proxies.
    private let proxies: ProxyEnvironment
    let pools: PoolNumbers
    private let sightings: TokenSightings
    private let standings: Standings
    /// By provider, as they were when the server started.
    private let environmentKeys: [String: EnvironmentKey]

    init(
        settings: Settings, proxies: ProxyEnvironment = .empty, standings: Standings, environmentKeys: [EnvironmentKey] = []
    ) {
        self.init(settings, proxies, standings, environmentKeys, PoolNumbers(), TokenSightings())
    }
    private init(
        _ settings: Settings, _ proxies: ProxyEnvironment, _ standings: Standings, _ environmentKeys: [EnvironmentKey],
        _ pools: PoolNumbers,
        _ sightings: TokenSightings
    ) {
        self.settings = settings
        self.proxies = proxies
        self.standings = standings
        self.environmentKeys = Dictionary(environmentKeys.map { ($0.provider, $0) }, uniquingKeysWith: { first, _ in first })
        self.pools = pools
        self.sightings = sightings
    }

    /// A builder for other settings, which goes on with the numbers that this one has given.
    func following(_ settings: Settings, environmentKeys: [EnvironmentKey]?) -> RosterBuilder {
        RosterBuilder(settings, proxies, standings, environmentKeys ?? Array(self.environmentKeys.values), pools, sightings)
    }

    func roster(of agentID: String, _ snapshot: StoreSnapshot, problem: String?, now: Int64) -> Roster {
        let lineups = settings.providers.map { lineup(of: $0, agentID, snapshot, problem: problem, now: now) }
        func hasProfiles(_ id: String) -> Bool { snapshot.profiles.contains { $0.provider == id } }
        return Roster(agentID: agentID, lineups: lineups, onlyCodexHasProfiles: hasProfiles("openai-codex") && !hasProfiles("openai"))
    }

    private func lineup(of provider: Provider, _ agentID: String, _ snapshot: StoreSnapshot, problem: String?, now: Int64) -> Lineup {
        guard provider.needsCredential else {
            return Lineup(
                agentID: agentID, candidates: [anyone(provider, agentID)], others: [], credentialProvider: provider.id, storeProblem: nil)
        }
        let ranked = ProfileOrder.resolve(
            provider: provider.credentialsFrom, snapshot: snapshot, configured: settings.auth.order[provider.credentialsFrom],
            declared: settings.auth.profiles, now: now)
        var candidates: [Candidate] = []
        var others: [Candidate] = []
        var isAfterSubscription = false
        for entry in ranked {
            guard let profile = entry.profile else { continue }
            // A pin may name what the order leaves out, but nothing that cannot be used.
            let eligibility =
                entry.eligibility == .excludedByAuthOrder
                ? ProfileOrder.eligibility(
                    of: profile, provider: provider.credentialsFrom, declared: settings.auth.profiles[profile.id], snapshot: snapshot,
                    now: now)
                : entry.eligibility
            // Refreshes, and what they write, go to the file that holds the profile.
            let candidate = candidate(
                profile, eligibility, provider, snapshot, snapshot.owner(of: profile.id) ?? agentID, afterSubscription: isAfterSubscription,
                now: now)
            // A login that has ended is what the user meant to be served by: a metered key behind it needs leave as well.
            if candidate.billing == .subscription, Self.isMeantToServe(entry.eligibility) { isAfterSubscription = true }
            if candidate.eligibility == .ok, entry.eligibility == .ok { candidates.append(candidate) } else { others.append(candidate) }
        }
        // A store that cannot be read may hold a login: nothing steps in for that.
        if candidates.isEmpty, problem == nil, let key = environmentKeys[provider.credentialsFrom],
            key.mayReplace(ranked.compactMap(\.profile?.kind), of: provider, allowPaidFallback: settings.auth.allowPaidFallback)
        {
            candidates.append(
                candidate(key.profile, .ok, provider, snapshot, agentID, afterSubscription: isAfterSubscription, isStored: false, now: now))
        }
        return Lineup(
            agentID: agentID, candidates: candidates, others: others, credentialProvider: provider.credentialsFrom, storeProblem: problem)
    }

    /// Whether the order counts on the profile, although it may not be able to serve now.
    private static func isMeantToServe(_ eligibility: Eligibility) -> Bool {
        switch eligibility {
        case .ok, .needsLogin, .expired, .unresolvedReference: true
        default: false
        }
    }

    /// A server that takes anyone (ollama) is a provider with one candidate that adds nothing.
    private func anyone(_ provider: Provider, _ agentID: String) -> Candidate {
        let key = ProfileKey(agentID: agentID, profileID: "\(provider.id):none")
        let way = way(to: provider, own: nil)
        return Candidate(
            key: key, encodedID: Array(PercentText.encode(key.profileID).utf8), poolKey: pools.number(provider.id, key),
            connectionKey: connectionKey(provider, key, way), way: way, billing: .subscription, slot: 0, followsSubscription: false,
            eligibility: .ok,
            client: nil, fingerprint: "", expires: nil,
            since: 0, jitter: 0, merges: [],
            replaced: provider.headers.map { Array($0.name.utf8) }, lines: SecretLines(Self.extraLines(provider)))
    }

    private func candidate(
        _ profile: Profile, _ given: Eligibility, _ provider: Provider, _ snapshot: StoreSnapshot, _ agentID: String,
        afterSubscription: Bool, isStored: Bool = true, now: Int64
    ) -> Candidate {
        let key = ProfileKey(agentID: agentID, profileID: profile.id)
        let marker = provider.bearerWhenKeyContains
        let keyIsBearer = profile.kind == .apiKey && marker.map { profile.secret?.contains($0) ?? false } ?? false
        let injection = provider.injection(for: profile.kind, keyIsBearer: keyIsBearer)
        var eligibility = given
        if injection == nil, eligibility == .ok { eligibility = .modeMismatch }
        let moved = provider.moved(by: profile)
        let place = moved ?? provider
        if let hosts = profile.allowedHosts, eligibility == .ok, !hosts.contains(place.baseURL?.host ?? "") {
            eligibility = .hostNotAllowed
        }
        // What its login says of where its requests go is no place they may go to.
        if moved == nil, profile.facts.baseURL != nil, provider.oauth?.answer.baseURL.isEmpty == false, eligibility == .ok {
            eligibility = .hostNotAllowed
        }
        let client = profile.kind == .oauth && profile.refresh != nil ? provider.oauth : nil
        // What requests carry: the credential itself, or what was issued for it.
        let issuance = provider.issuance(for: profile)
        if profile.isOnDemand, issuance == nil, eligibility == .ok { eligibility = .missingCredential }
        let issued = issuance.map { snapshot.issued(for: profile, by: $0) }
        let secret = issued.map { $0?.secret } ?? profile.secret
        let expires = issued.map { $0?.expires } ?? (profile.kind == .apiKey ? nil : profile.expires)
        let fingerprint = secret?.fingerprint ?? ""
        let sighting = sightings.sighting(of: fingerprint, key, now: now)
        let billing = injection?.billing ?? .metered
        let way = way(to: place, own: profile.proxy)
        return Candidate(
            key: key, encodedID: Array(PercentText.encode(profile.id).utf8), poolKey: pools.number(provider.id, key),
            connectionKey: connectionKey(place, key, way), way: way, moved: moved, billing: billing,
            slot: standings.slot(of: isStored ? key : ProfileKey(agentID: "", profileID: profile.id)),
            followsSubscription: afterSubscription && billing == .metered, eligibility: eligibility, client: client,
            issuance: issuance,
            isReference: profile.isReference, awaitsProgram: profile.awaitsProgram, overlay: profile.overlay, fingerprint: fingerprint,
            expires: expires, since: sighting.issued, jitter: sighting.jitter, merges: Self.merges(injection),
            replaced: Self.replacedNames(provider, injection), lines: Self.lines(profile, secret, injection, provider),
            secrets: Self.secrets(profile, secret))
    }

    /// What has to be equal for an idle connection to be used again (DESIGN §10).
    private func connectionKey(_ provider: Provider, _ key: ProfileKey, _ way: OutboundRoute) -> Int {
        let address = provider.baseURL.map { "\($0.scheme)://\($0.authority)" } ?? ""
        var proxy = ""
        if case .through(let between) = way { proxy = between.url.fingerprint }
        return pools.connection(provider.id, key, to: "\(address) \(settings.upstream.caFile ?? "") \(proxy)")
    }

    private func way(to provider: Provider, own: OutboundProxy?) -> OutboundRoute {
        guard let url = provider.baseURL else { return .direct }
        return proxies.route(to: url.host, isLoopback: url.isLoopback, own: own)
    }

    /// Those that answers are searched for: each once, and none that could stand in a text by chance.
    private static func secrets(_ profile: Profile, _ injected: Secret?) -> [Secret] {
        var secrets: [Secret] = []
        for secret in [injected, profile.secret, profile.refresh] {
            guard let secret, secret.count >= EchoMask.shortest, !secrets.contains(where: { $0 === secret }) else { continue }
            secrets.append(secret)
        }
        return secrets
    }

    // MARK: Header bytes

    private static func lines(_ profile: Profile, _ secret: Secret?, _ injection: Injection?, _ provider: Provider) -> SecretLines {
        guard let injection, let secret else { return SecretLines([]) }
        let before = Array("\(injection.header): \(injection.prefix)".utf8)
        var after = Array("\r\n".utf8)
        if let header = injection.accountHeader, let account = profile.accountID { after += Array("\(header): \(account)\r\n".utf8) }
        after += extraLines(provider)
        var lines: [UInt8] = []
        // To its final size: growing would leave copies of the secret behind.
        lines.reserveCapacity(before.count + secret.count + after.count)
        defer { Memory.cleanse(&lines) }
        lines += before
        unsafe secret.withBytes { bytes in unsafe lines.append(contentsOf: bytes) }
        lines += after
        return SecretLines(lines)
    }

    private static func extraLines(_ provider: Provider) -> [UInt8] {
        provider.headers.flatMap { Array("\($0.name): \($0.value)\r\n".utf8) }
    }

    private static func replacedNames(_ provider: Provider, _ injection: Injection?) -> [[UInt8]] {
        var names = provider.headers.map { Array($0.name.utf8) }
        if let injection {
            names.append(Array(injection.header.utf8))
            if let account = injection.accountHeader { names.append(Array(account.utf8)) }
        }
        return names
    }

    private static func merges(_ injection: Injection?) -> [FieldMerge] {
        var merges: [FieldMerge] = []
        for field in injection?.merge ?? [] {
            let name = Array(field.name.utf8)
            let values = merges.first { $0.name == name }?.values ?? []
            merges.removeAll { $0.name == name }
            merges.append(FieldMerge(name: name, values: values + [Array(field.value.utf8)]))
        }
        return merges
    }
}

/// Small numbers, the same for as long as the process lives: of pairs of provider and profile, which sessions are remembered by; and of
/// those with the place they are sent to, which a pool of connections is kept by.
final class PoolNumbers: Sendable {
    private struct Pair: Hashable {
        let provider: String
        let profile: ProfileKey
    }
    private struct Destination: Hashable {
        let pair: Pair
        let place: String
    }
    private struct State {
        var numbers: [Pair: Int] = [:]
        var pairs: [Pair] = []
        var connections: [Destination: Int] = [:]
    }
    private let state = Mutex(State())

    func number(_ provider: String, _ profile: ProfileKey) -> Int {
        state.withLock { state in
            let pair = Pair(provider: provider, profile: profile)
            if let number = state.numbers[pair] { return number }
            state.numbers[pair] = state.pairs.count
            state.pairs.append(pair)
            return state.pairs.count - 1
        }
    }

    /// The number for connections of a profile to a place.
    func connection(_ provider: String, _ profile: ProfileKey, to place: String) -> Int {
        state.withLock { state in
            let destination = Destination(pair: Pair(provider: provider, profile: profile), place: place)
            if let number = state.connections[destination] { return number }
            state.connections[destination] = state.connections.count
            return state.connections.count - 1
        }
    }

    /// Whose number this is.
    func profile(_ number: Int) -> (provider: String, key: ProfileKey)? {
        state.withLock { state in
            state.pairs.indices.contains(number) ? (state.pairs[number].provider, state.pairs[number].profile) : nil
        }
    }
}

extension Secret {
    /// Whether the secret's text has `part` in it.
    fileprivate func contains(_ part: String) -> Bool {
        unsafe withBytes { bytes in
            let part = Array(part.utf8)
            guard bytes.count >= part.count else { return false }
            for start in 0...(bytes.count - part.count) where unsafe bytes[start..<start + part.count].elementsEqual(part) { return true }
            return false
        }
    }
}
