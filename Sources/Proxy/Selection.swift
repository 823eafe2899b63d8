internal import Configuration
internal import Credentials
internal import HTTP
internal import Routing
internal import Sockets

// MARK: - Steps 2 and 3: which provider, which agent, which profiles

extension Worker {
    /// Where the request goes, by its target, its host and two telling fields.
    func routed(_ id: Int32, _ bytes: RawSpan) -> RouteOutcome {
        var hints: HeaderHints = []
        if exchanges[id].head.contains(.anthropicVersion) { hints.insert(.anthropicVersion) }
        if exchanges[id].head.contains(.xGoogAPIKey) { hints.insert(.googleKey) }
        if rosters.main.onlyCodexHasProfiles { hints.insert(.onlyCodexHasProfiles) }
        let target = bytes.extracting(exchanges[id].head.target)
        let host = bytes.extracting(exchanges[id].head.host)
        return unsafe exchanges[id].setup.routes.route(
            target: target._unsafeView(as: UInt8.self), host: host._unsafeView(as: UInt8.self), hints: hints)
    }

    /// The agent, and a pin if there is one. False when the request has been refused.
    mutating func select(_ id: Int32, _ route: Route, _ bytes: RawSpan) -> Bool {
        let target = bytes.extracting(exchanges[id].head.target)
        guard let roster = roster(id, named: route.agent, target, bytes) else { return false }
        let lineup = lineup(id, roster, exchanges[id].provider)
        exchanges[id].lineup = lineup
        exchanges[id].agent = roster.agentID
        guard exchanges[id].setup.settings.providers[exchanges[id].provider].baseURL != nil else {
            let advice = exchanges[id].setup.settings.providers[exchanges[id].provider].addressAdvice
            refuse(id, Refusal(.noAddress, naming: advice))
            return false
        }
        if exchanges[id].wantsWebSocket, !exchanges[id].setup.settings.providers[exchanges[id].provider].webSocket {
            refuse(id, Refusal(.upgradeNotServed))
            return false
        }
        guard pinByKey(id, lineup), readSession(id, bytes) else { return false }
        if route.profile == nil, !exchanges[id].head.contains(.keybearerProfile) { return true }
        return pin(id, path: route.profile, lineup, target, bytes)
    }

    /// The roster of the agent that the path or the field names; when neither does, of the one in whose workspace the caller works, or of
    /// the default agent.
    private mutating func roster(_ id: Int32, named path: Range<Int>?, _ target: RawSpan, _ bytes: RawSpan) -> Roster? {
        if path == nil, !exchanges[id].head.contains(.keybearerAgent) {
            if let agent = exchanges[id].key?.agent { return roster(id, of: agent) }
            return downstreams[exchanges[id].downstream].caller.agent.flatMap { rosters.roster(of: $0) } ?? rosters.main
        }
        guard let header = name(id, .keybearerAgent, bytes), let path = name(path, target) else {
            refuse(id, Refusal(.malformedPin))
            return nil
        }
        if let header = header.value, let path = path.value, AgentID.normalised(header) != AgentID.normalised(path) {
            refuse(id, Refusal(.contradictingPins))
            return nil
        }
        let agent = AgentID.normalised(header.value ?? path.value ?? AgentID.main)
        if let policy = exchanges[id].key, let fixed = policy.agent, fixed != agent {
            refuse(id, Self.outside(policy, "agent", "its agent is \(fixed)"))
            return nil
        }
        return roster(id, of: agent)
    }

    private mutating func roster(_ id: Int32, of agent: String) -> Roster? {
        if let roster = rosters.roster(of: agent) { return roster }
        refuse(id, Refusal(.unknownAgent, naming: agent))
        return nil
    }

    private mutating func pin(_ id: Int32, path: Range<Int>?, _ lineup: Lineup, _ target: RawSpan, _ bytes: RawSpan) -> Bool {
        guard let header = name(id, .keybearerProfile, bytes), let path = name(path, target) else {
            refuse(id, Refusal(.malformedPin))
            return false
        }
        switch Pin.decide(header: header.value, path: path.value, provider: lineup.credentialProvider) {
        case .none: return true
        case .conflict:
            refuse(id, Refusal(.contradictingPins))
            return false
        case .pinned(let name):
            if let policy = exchanges[id].key, !policy.profiles.isEmpty {
                // A key's own pin goes before all others, which may only say the same.
                guard lineup.named(name) != nil else {
                    refuse(id, Self.outside(policy, "profiles", "\(name.prefix(80)) is not one of them"))
                    return false
                }
                if exchanges[id].isPinned { return true }
            }
            exchanges[id].isPinned = true
            exchanges[id].reason = header.value != nil ? .headerPin : .pathPin
            guard let candidate = lineup.named(name) else {
                refuse(id, Refusal(.unknownProfile, naming: name, profile: name, candidates: lineup.explanation))
                return false
            }
            exchanges[id].candidate = candidate
            return true
        }
    }

    /// A name given once in a field of ours. Nil: malformed, or given twice.
    private func name(_ id: Int32, _ field: FieldName, _ bytes: RawSpan) -> GivenName? {
        guard let line = exchanges[id].head.first(field) else { return GivenName(value: nil) }
        guard !exchanges[id].head.containsTwice(field) else { return nil }
        return name(line.valueRange, bytes)
    }

    private func name(_ range: Range<Int>?, _ bytes: RawSpan) -> GivenName? {
        guard let range else { return GivenName(value: nil) }
        guard let text = unsafe PercentText.decode(bytes.extracting(range)._unsafeView(as: UInt8.self)) else { return nil }
        return GivenName(value: text)
    }

    /// Why no profile can serve: the store's state in one refusal.
    func nobody(_ id: Int32) -> Refusal {
        let provider = exchanges[id].setup.settings.providers[exchanges[id].provider]
        guard let lineup = exchanges[id].lineup else { return Refusal(.noProfile) }
        let named = exchanges[id].isPinned ? exchanges[id].candidate.map { [$0] } ?? [] : lineup.others
        if !named.isEmpty, named.allSatisfy({ $0.eligibility == .overlayExpired }), let overlay = named[0].overlay {
            return Refusal(
                .overlayExpired, naming: overlay.expiredSentence, profile: named[0].key.profileID, candidates: lineup.explanation)
        }
        if let pinned = exchanges[id].candidate, exchanges[id].isPinned {
            let unusable: RefusalCode = exchanges[id].reason == .stored ? .keeperUnusable : .profileUnusable
            let reason = pinned.eligibility == .ok ? Eligibility.expired : pinned.eligibility
            var refusal = Refusal(
                pinned.eligibility == .needsLogin ? .needsLogin : unusable, naming: "\(pinned.key.profileID): \(reason.rawValue)",
                profile: pinned.key.profileID, candidates: explanation(id))
            if exchanges[id].reason == .sessionPin { refusal.message += Self.unpinAdvice }
            return refusal
        }
        if let problem = lineup.storeProblem { return Refusal(.storeUnreadable, naming: problem) }
        if lineup.others.isEmpty { return Refusal(.noProfile, naming: "provider \(provider.credentialsFrom)") }
        let allNeedLogin = lineup.others.allSatisfy { $0.eligibility == .needsLogin }
        return Refusal(allNeedLogin ? .needsLogin : .profileUnusable, candidates: explanation(id))
    }
}

/// A name that a client gave, or did not.
private struct GivenName {
    let value: String?
}
