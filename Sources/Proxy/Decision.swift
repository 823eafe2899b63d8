internal import Configuration
internal import HTTP
internal import JSON
internal import Routing
internal import Sockets

// MARK: - Step 3, its first half: what the request says about the profile (DESIGN §5)

extension Worker {
    /// All that may decide is known: the request's own word, then what is kept for an account, then its session; then the order.
    mutating func decide(_ id: Int32) {
        guard weighWishes(id) else { return }
        exchanges[id].decoded.release()
        exchanges[id].look.release(isComplete: exchanges[id].request.isComplete)
        guard choose(id) else { return }
        credential(id)
    }

    /// False when the request has been refused. A pin of its head is there already; one behind the model's name must be the same.
    private mutating func weighWishes(_ id: Int32) -> Bool {
        readSessionInBody(id)
        let keeper = keeper(id)
        switch readModel(id) {
        case .refused: return false
        case .profile(let candidate):
            guard pin(id, by: candidate) else { return false }
            shared.affinities.pin(exchanges[id].session, to: candidate.poolKey, now: wall)
        case .auto: shared.affinities.pin(exchanges[id].session, to: nil, now: wall)
        case .none: break
        }
        guard keyAllowsModel(id) else { return false }
        if exchanges[id].isPinned { return true }
        switch keeper {
        case .several:
            refuse(id, .severalKeepers)
            return false
        case .one(let number): return pin(id, to: number, .stored)
        case .none: return followSession(id)
        }
    }

    private mutating func pin(_ id: Int32, by candidate: Candidate) -> Bool {
        guard !exchanges[id].isPinned else {
            if exchanges[id].candidate?.key == candidate.key { return true }
            refuse(id, Refusal(.contradictingPins, naming: "the model's name says \(candidate.key.profileID)"))
            return false
        }
        pin(id, candidate, .modelPin)
        return true
    }

    private mutating func pin(_ id: Int32, _ candidate: Candidate, _ reason: ChoiceReason) {
        exchanges[id].isPinned = true
        exchanges[id].candidate = candidate
        exchanges[id].reason = reason
    }

    /// A profile that was remembered by its number. One that is gone is named, and nothing steps in for it.
    private mutating func pin(_ id: Int32, to number: Int, _ reason: ChoiceReason) -> Bool {
        guard let lineup = exchanges[id].lineup else { return false }
        if let candidate = lineup.numbered(number) {
            pin(id, candidate, reason)
            return true
        }
        let name = shared.affinities.profile(number)?.profileID ?? "?"
        let code: RefusalCode = reason == .stored ? .keeperUnusable : .unknownProfile
        var refusal = Refusal(code, naming: "\(name) is not there any more", profile: name, candidates: lineup.explanation)
        if reason == .sessionPin { refusal.message += Self.unpinAdvice }
        refuse(id, refusal)
        return false
    }

    static var unpinAdvice: String { " The session is pinned to it: send the model with @auto, or `keybearer sessions unpin`." }

    // MARK: The session

    /// The session's pin, or the profile that it has been served by. It comes back to its first one when that recovers.
    private mutating func followSession(_ id: Int32) -> Bool {
        let session = exchanges[id].session
        guard session != .none, let known = shared.affinities.session(session, now: wall) else { return true }
        if known.pin >= 0 { return pin(id, to: Int(known.pin), .sessionPin) }
        guard let lineup = exchanges[id].lineup else { return true }
        let places = SessionPlaces(known, lineup)
        exchanges[id].preferred = places.preferred
        exchanges[id].alternate = places.alternate
        exchanges[id].findsHome = places.findsHome
        return true
    }

    /// `Keybearer-Session`, or the first of the fields that tools send by themselves. False when the request has been refused.
    mutating func readSession(_ id: Int32, _ bytes: RawSpan) -> Bool {
        if let own = exchanges[id].head.first(.keybearerSession) {
            guard !exchanges[id].head.containsTwice(.keybearerSession), (1...Self.longestID).contains(own.valueRange.count) else {
                refuse(id, Refusal(.malformedPin))
                return false
            }
            exchanges[id].session = affinity(id, .session, bytes.extracting(own.valueRange))
            return true
        }
        for name in exchanges[id].setup.sessionFields {
            for index in 0..<exchanges[id].head.fieldCount {
                let field = exchanges[id].head[index]
                guard FieldText.equals(bytes, field.nameRange, name), (1...Self.longestID).contains(field.valueRange.count) else {
                    continue
                }
                exchanges[id].session = affinity(id, .session, bytes.extracting(field.valueRange))
                return true
            }
        }
        return true
    }
    private static var longestID: Int { 256 }

    /// `prompt_cache_key` names a conversation where no field does.
    private mutating func readSessionInBody(_ id: Int32) {
        guard exchanges[id].session == .none else { return }
        let found = exchanges[id].look[BodyLook.promptCacheKey]
        if exchanges[id].setup.settings.sessions.promptCacheKey, found.isString, (1...Self.longestID).contains(found.range.count) {
            exchanges[id].session = affinity(id, .session, unsafe RawSpan(_unsafeBytes: heldText(id)).extracting(found.range))
        } else if let key = exchanges[id].key {
            // Where nothing else tells, whoever has the key is the session.
            let name = key.idBytes
            exchanges[id].session = unsafe name.withUnsafeBytes { unsafe affinity(id, .session, RawSpan(_unsafeBytes: $0)) }
        }
    }

    func affinity(_ id: Int32, _ kind: AffinityKey.Kind, _ name: RawSpan) -> AffinityKey {
        let provider = exchanges[id].setup.settings.providers[exchanges[id].provider].id
        return unsafe AffinityKey(
            kind, salt: shared.affinities.salt, agent: exchanges[id].agent, provider: provider, id: name._unsafeView(as: UInt8.self))
    }

    // MARK: What is kept for an account

    private enum Keeper {
        case none
        case one(Int)
        case several
    }

    /// Whose the things are that path and body refer to, as far as we have seen them being made.
    private func keeper(_ id: Int32) -> Keeper {
        guard shared.affinities.knowsKept else { return .none }
        var keeper = Keeper.none
        let bytes = unsafe RawSpan(_unsafeBytes: exchanges[id].headBytes.bytes)
        let target = bytes.extracting(exchanges[id].head.target)
        if case .item(let range) = StoredPath.find(in: unsafe target._unsafeView(as: UInt8.self), from: exchanges[id].restStart) {
            add(id, target.extracting(range), to: &keeper)
        }
        let held = unsafe RawSpan(_unsafeBytes: heldText(id))
        for index in BodyLook.kept where exchanges[id].look[index].isString {
            add(id, held.extracting(exchanges[id].look[index].range), to: &keeper)
        }
        for index in 0..<exchanges[id].look.referenceCount {
            add(id, held.extracting(exchanges[id].look.reference(index)), to: &keeper)
        }
        return keeper
    }

    private func add(_ id: Int32, _ name: RawSpan, to keeper: inout Keeper) {
        guard let number = shared.affinities.keeper(affinity(id, .stored, name), now: wall) else { return }
        switch keeper {
        case .none: keeper = .one(number)
        case .one(number), .several: break
        case .one: keeper = .several
        }
    }
}
