internal import Configuration
internal import Credentials
internal import JSON
internal import Routing
internal import Sockets

/// What a person asks about a choice: which request is meant.
public struct ExplainQuestion: Sendable {
    /// The provider's id; nil: every provider that has profiles.
    public var provider: String?
    /// The model as a client would send it, with `@profile` if it has one.
    public var model: String?
    /// The session's id as a client would send it.
    public var session: String?
    /// The profile that a field or a path would name.
    public var profile: String?
    /// The agent; nil: the default one.
    public var agent: String?

    /// A question that asks about nothing in particular.
    public init() {}

    /// The members' names, as in the query of `/-/explain`.
    public static let members: [(name: String, path: any WritableKeyPath<ExplainQuestion, String?> & Sendable)] = [
        ("provider", \.provider), ("model", \.model), ("session", \.session), ("profile", \.profile), ("agent", \.agent),
    ]
}

/// Why a question cannot be answered: it names what is not there.
public struct ExplainFlaw: Error, Sendable, CustomStringConvertible {
    /// For a person.
    public let description: String
}

/// Says who would serve a request, who would come next, and why everybody else would not: the very choice that requests take, looked at
/// without taking it.
struct Explainer {
    let settings: Settings
    let standings: Standings
    let affinities: Affinities
    /// The default agent's first.
    let rosters: [Roster]
    /// Milliseconds since 1970.
    let now: Int64

    /// `{"agent", "explanations": [one a provider]}`.
    func answer(_ question: ExplainQuestion) throws(ExplainFlaw) -> Value {
        let name = question.agent.map(AgentID.normalised) ?? rosters.first?.agentID ?? AgentID.main
        guard let roster = rosters.first(where: { $0.agentID == name }) else {
            throw ExplainFlaw(description: "there is no agent \"\(name)\"; there are \(rosters.map(\.agentID).joined(separator: ", "))")
        }
        let indices = try self.indices(question, roster)
        return ["agent": .string(name), "explanations": .array(indices.map { explanation(question, $0, roster.lineups[$0], agent: name) })]
    }

    private func indices(_ question: ExplainQuestion, _ roster: Roster) throws(ExplainFlaw) -> [Int] {
        guard let given = question.provider else {
            return settings.providers.indices.filter { index in
                let lineup = roster.lineups[index]
                return settings.providers[index].needsCredential && !(lineup.candidates.isEmpty && lineup.others.isEmpty)
            }
        }
        let id = ProviderName.normalised(given)
        guard let index = settings.providers.firstIndex(where: { $0.id == id }) else {
            throw ExplainFlaw(description: "there is no provider \"\(given)\"; `keybearer config show` lists them")
        }
        return [index]
    }

    // MARK: One provider

    private func explanation(_ question: ExplainQuestion, _ index: Int, _ lineup: Lineup, agent: String) -> Value {
        let provider = settings.providers[index]
        let (model, suffix) = Self.split(question.model, lineup, settings)
        let session = session(question.session, provider, agent)
        var wish = SurveyWish(model: ModelKey.of(Self.unaliased(model, settings)))
        var document = Object()
        document["provider"] = .string(provider.id)
        document["model"] = question.model.map { .string($0) } ?? .null
        document["strategy"] = .string(settings.auth.strategy.rawValue)
        if let problem = lineup.storeProblem { document["storeProblem"] = .string(problem) }
        let pin = pin(question, suffix: suffix, session, lineup)
        document["pin"] = pin.map { ["profile": .string($0.name), "by": .string("\($0.reason.text)")] } ?? .null
        if pin == nil, let session {
            let places = SessionPlaces(session, lineup)
            (wish.preferred, wish.alternate) = (places.preferred, places.alternate)
        }
        let rows = pin.map { pinned($0, lineup, wish.model) } ?? ranked(lineup, wish)
        document["outcome"] = rows.outcome
        document["candidates"] = .array(rows.rows)
        return .object(document)
    }

    /// The profile that nothing can stand in for, and what named it.
    private func pin(
        _ question: ExplainQuestion, suffix: ModelSuffix, _ session: Affinity?, _ lineup: Lineup
    ) -> (name: String, candidate: Candidate?, reason: ChoiceReason)? {
        if let profile = question.profile { return (profile, lineup.named(profile), .headerPin) }
        if case .profile(let name) = suffix { return (name, lineup.named(name), .modelPin) }
        guard suffix != .auto, let number = session?.pin, number >= 0 else { return nil }
        let candidate = lineup.numbered(Int(number))
        return (candidate?.key.profileID ?? affinities.profile(Int(number))?.profileID ?? "?", candidate, .sessionPin)
    }

    private func session(_ id: String?, _ provider: Provider, _ agent: String) -> Affinity? {
        guard let id, !id.isEmpty else { return nil }
        let key = AffinityKey(
            .session, salt: affinities.salt, agent: agent, provider: provider.id, id: Array(id.utf8).span)
        return affinities.session(key, now: now)
    }

    /// The model and what is written behind its first `@`, by the rule that requests are read by.
    private static func split(_ model: String?, _ lineup: Lineup, _ settings: Settings) -> (String, ModelSuffix) {
        guard let model, let at = model.dropFirst().firstIndex(of: "@") else { return (model ?? "", .none) }
        let suffix = ModelSuffix.read(
            String(model[model.index(after: at)...]), isProfile: { lineup.named($0) != nil },
            isProvider: { name in settings.providers.contains { $0.id == name || $0.credentialsFrom == name } })
        return suffix == .none ? (model, .none) : (String(model[..<at]), suffix)
    }

    /// What an alias stands for; in any case, as requests are read.
    private static func unaliased(_ model: String, _ settings: Settings) -> String {
        settings.models.aliases.first { $0.key.lowercased() == model.lowercased() }?.value ?? model
    }

    // MARK: Rows

    private typealias Rows = (outcome: Value, rows: [Value])

    private func pinned(_ pin: (name: String, candidate: Candidate?, reason: ChoiceReason), _ lineup: Lineup, _ model: UInt64) -> Rows {
        let others = (lineup.candidates + lineup.others).filter { $0.key != pin.candidate?.key }
        let rest = others.map { row($0.key.profileID, "dropped", "another profile is pinned, and a pin never falls back") }
        guard let candidate = pin.candidate else {
            return (["error": .string(RefusalCode.unknownProfile.rawValue)], rest)
        }
        let isUsable = candidate.eligibility == .ok
        // It is tried although it rests, and whatever it costs: somebody asked for it by name.
        let pause = standings.health(candidate.slot).resting(model: model, now: now).map { "; \($0.text(now: now))" } ?? ""
        let own = row(
            candidate.key.profileID, isUsable ? "chosen" : "dropped",
            isUsable ? "\(pin.reason.text)\(pause)" : candidate.eligibility.rawValue)
        let outcome: Value =
            isUsable
            ? ["profile": .string(candidate.key.profileID), "reason": .string("\(pin.reason.text)")]
            : ["error": .string(RefusalCode.profileUnusable.rawValue)]
        return (outcome, [own] + rest)
    }

    /// Asks the choice again and again, each time without those who were named: the order in which a request would meet them.
    private func ranked(_ lineup: Lineup, _ given: SurveyWish) -> Rows {
        var wish = given
        var rows: [Value] = []
        var outcome: Value?
        while case .use(let position, let reason) = standings.survey(lineup, settings.auth, wish, now: now).verdict {
            let id = lineup.candidates[position].key.profileID
            if outcome == nil { outcome = ["profile": .string(id), "reason": .string("\(reason.text)")] }
            rows.append(row(id, rows.isEmpty ? "chosen" : "next", "\(reason.text)"))
            wish.leavesSubscription = wish.leavesSubscription || lineup.candidates[position].billing == .subscription
            let before = wish.tried.count
            wish.tried.insert(position)
            if wish.tried.count == before { break }
        }
        for (position, candidate) in lineup.candidates.enumerated() where !wish.tried.contains(position) {
            let why = standing(candidate, wish.model)
            rows.append(row(candidate.key.profileID, "dropped", why == "ok" ? "metered; auth.allowPaidFallback is off" : why))
        }
        rows += lineup.dropped.map { row($0.profile, "dropped", $0.reason) }
        return (outcome ?? nobody(lineup, given), rows)
    }

    private func nobody(_ lineup: Lineup, _ wish: SurveyWish) -> Value {
        if lineup.storeProblem != nil { return ["error": .string(RefusalCode.storeUnreadable.rawValue)] }
        if case .wait(_, let until) = standings.survey(lineup, settings.auth, wish, now: now).verdict {
            return [
                "error": .string(RefusalCode.allCooling.rawValue), "retryAfterSeconds": .integer(max(1, (until - now + 999) / 1000)),
            ]
        }
        let code: RefusalCode = lineup.candidates.isEmpty && lineup.others.isEmpty ? .noProfile : .profileUnusable
        return ["error": .string(code.rawValue)]
    }

    private func standing(_ candidate: Candidate, _ model: UInt64) -> String {
        standings.text(of: candidate, settings.auth, model: model, now: now)
    }

    private func row(_ profile: String, _ state: String, _ rule: String) -> Value {
        ["profile": .string(profile), "state": .string(state), "rule": .string(rule)]
    }
}
