internal import Configuration
internal import Credentials
public import JSON
internal import Routing
internal import Sockets

/// Seeing and changing what is remembered of sessions: on the running server's own affinities, or on the file when none runs.
public struct SessionBook {
    private let affinities: Affinities

    /// The file of sessions of a server that does not run.
    public init(path: String) { affinities = Affinities(path: path, pools: PoolNumbers()) }

    init(_ affinities: Affinities) { self.affinities = affinities }

    /// `{"sessions": […]}`, the last used first. A session is shown by its key: its id is kept nowhere.
    public var list: Value {
        let sessions = affinities.allSessions.sorted { $0.value.used > $1.value.used }
        return ["sessions": .array(sessions.map { document($0.key, $0.value) })]
    }

    private func document(_ key: AffinityKey, _ known: Affinity) -> Value {
        func profile(_ number: Int32) -> Value { affinities.profile(Int(number)).map { .string($0.profileID) } ?? .null }
        let owner = affinities.owner(of: known)
        return [
            "session": .string(key.description), "agent": owner.map { .string($0.key.agentID) } ?? .null,
            "provider": owner.map { .string($0.provider) } ?? .null, "profile": profile(known.last), "first": profile(known.home),
            "pin": profile(known.pin), "usedAt": .integer(Int64(known.used) * 1000),
        ]
    }

    /// Pins the session that `name` is the id or key of, with one provider. `owner`: the agent whose profile it is.
    public func pin(_ name: String, agent: String, provider: String, profile: String, owner: String) {
        pin(name, agent: agent, provider: provider, to: affinities.number(provider, ProfileKey(agentID: owner, profileID: profile)))
    }

    func pin(_ name: String, agent: String, provider: String, to number: Int) {
        affinities.pin(key(name, agent, provider), to: number, now: Clock.wall())
    }

    /// Lets the session go where it goes by itself again. How many pins there were.
    public func unpin(_ name: String, agent: String, providers: [String]) -> Int {
        let keys = Set(providers.map { key(name, agent, $0) })
        let pinned = keys.filter { affinities.session($0, now: Clock.wall()).map { $0.pin >= 0 } ?? false }
        for key in pinned { affinities.pin(key, to: nil, now: Clock.wall()) }
        return pinned.count
    }

    /// Writes the file. Nil, or why that failed.
    public func save() -> String? { affinities.save(now: Clock.wall()) }

    /// A key as `list` shows it, or the id that a client sends.
    private func key(_ name: String, _ agent: String, _ provider: String) -> AffinityKey {
        if let key = AffinityKey(name), affinities.session(key, now: Clock.wall()) != nil { return key }
        let id = Array(name.utf8)
        return AffinityKey(.session, salt: affinities.salt, agent: agent, provider: provider, id: id.span)
    }
}

// MARK: - `/-/sessions`

extension Worker {
    /// `POST /-/sessions/pin?session=…&profile=…[&agent=…]`
    func pinSession(_ request: OwnRequest) -> OwnAnswer {
        guard let session = request["session"], let profile = request["profile"] else { return .refusal(Refusal(.badTarget)) }
        let agent = AgentID.normalised(request["agent"] ?? rosters.main.agentID)
        guard let roster = rosters.roster(of: agent) else { return .refusal(Refusal(.unknownAgent, naming: agent)) }
        let book = SessionBook(shared.affinities)
        var count = 0
        for (index, lineup) in roster.lineups.enumerated() {
            guard let candidate = (lineup.candidates + lineup.others).first(where: { $0.key.profileID == profile }) else { continue }
            book.pin(session, agent: agent, provider: setup.settings.providers[index].id, to: candidate.poolKey)
            count += 1
        }
        guard count > 0 else { return .refusal(Refusal(.unknownProfile, naming: profile, profile: profile)) }
        return .json(["pinned": .integer(Int64(count))])
    }

    /// `POST /-/sessions/unpin?session=…[&agent=…]`
    func unpinSession(_ request: OwnRequest) -> OwnAnswer {
        guard let session = request["session"] else { return .refusal(Refusal(.badTarget)) }
        let agent = AgentID.normalised(request["agent"] ?? rosters.main.agentID)
        let providers = setup.settings.providers.map(\.id)
        return .json(["unpinned": .integer(Int64(SessionBook(shared.affinities).unpin(session, agent: agent, providers: providers)))])
    }
}
