internal import Configuration
internal import Credentials
internal import Glibc
internal import HTTP
internal import Routing
internal import Sockets

/// What a request says about its client key.
enum KeyFound {
    /// None of ours: nothing, a placeholder, or a provider's own key, which is removed and thrown away.
    case none
    case key(KeyPolicy)
    case refused(Refusal)
}

extension Worker {
    /// The client key that a request shows, if it is good now.
    func clientKey(_ id: Int32, _ bytes: RawSpan) -> KeyFound {
        let found = exchanges[id].setup.keys.shown(in: exchanges[id].head, bytes)
        if case .key(let key) = found, let expires = key.expiresAt, wall >= expires {
            return .refused(Refusal(.keyRefused, naming: "the key \(key.name) has expired"))
        }
        return found
    }
}

extension ClientKeys {
    /// Looks for a client key wherever a tool puts its key. Allocates nothing where there is none, or one that is right.
    func shown(in head: borrowing RequestHead, _ bytes: RawSpan) -> KeyFound {
        var found: KeyPolicy?
        for index in 0..<head.fieldCount {
            guard let range = Self.keyPlace(head[index], bytes) else { continue }
            guard add(bytes.extracting(range), to: &found) else { return Self.refused(found) }
        }
        if let range = QueryKey.find(in: bytes, head.target), !range.isEmpty {
            guard add(bytes.extracting(range), to: &found) else { return Self.refused(found) }
        }
        return found.map { .key($0) } ?? .none
    }

    /// Where a key would stand in the field's value; nil in a field that holds none.
    private static func keyPlace(_ field: FieldLine, _ bytes: RawSpan) -> Range<Int>? {
        switch field.name {
        case .authorization:
            guard FieldText.begins(bytes, field.valueRange, with: bearer) else { return nil }
            return FieldText.trimmed(bytes, field.valueRange.lowerBound + bearer.count..<field.valueRange.upperBound)
        case .xAPIKey, .xGoogAPIKey, .apiKey: return field.valueRange
        case .secWebSocketProtocol: return WebSocket.key(in: field, of: bytes)
        default: return nil
        }
    }
    private static let bearer = Array("bearer ".utf8)

    /// False when it is a key of ours that is not right, or another one than was found before.
    private func add(_ text: RawSpan, to found: inout KeyPolicy?) -> Bool {
        guard let parts = unsafe ClientKeyText.parts(of: text._unsafeView(as: UInt8.self)) else { return true }
        guard let policy = find(text, parts), found == nil || found === policy else { return false }
        found = policy
        return true
    }

    private static func refused(_ other: KeyPolicy?) -> KeyFound {
        .refused(Refusal(.keyRefused, naming: other == nil ? nil : "the request has two keys"))
    }
}

extension Worker {
    // MARK: Step 1, its second half

    /// Whether the caller may go on, with the key it has or without one. False when the request has been refused.
    mutating func admitCaller(_ id: Int32, _ bytes: RawSpan) -> Bool {
        switch clientKey(id, bytes) {
        case .refused(let refusal):
            refuse(id, refusal)
            return false
        case .none:
            let (door, owner) = (downstreams[exchanges[id].downstream].caller.door, downstreams[exchanges[id].downstream].caller.owner)
            if let code = exchanges[id].setup.callers.refusal(of: owner, at: door, thereAreKeys: !exchanges[id].setup.keys.isEmpty) {
                refuse(id, Refusal(code))
                return false
            }
            return true
        case .key(let policy):
            exchanges[id].key = policy
            if let seconds = policy.meter.take(now: wall) {
                var refusal = Refusal(.keyRate, naming: "key \(policy.name)")
                refusal.retryAfterSeconds = seconds
                refuse(id, refusal)
                return false
            }
            if let seconds = policy.meter.exhausted(now: wall) {
                var refusal = Self.outside(policy, "budget-tokens", "its tokens of the day are used up; the next day begins at 00:00 UTC")
                refusal.retryAfterSeconds = seconds
                refuse(id, refusal)
                return false
            }
            return true
        }
    }

    // MARK: The policy

    /// What the key does not allow.
    static func outside(_ policy: KeyPolicy, _ rule: String, _ why: String) -> Refusal {
        var refusal = Refusal(.keyPolicy, naming: "key \(policy.name), \(rule): \(why)")
        refusal.detail = rule
        return refusal
    }

    /// False when the request has been refused.
    mutating func keyAllowsProvider(_ id: Int32) -> Bool {
        guard let policy = exchanges[id].key, !policy.allows(provider: exchanges[id].provider) else { return true }
        let name = exchanges[id].setup.settings.providers[exchanges[id].provider].id
        refuse(id, Self.outside(policy, "providers", "\(name) is not one of them"))
        return false
    }

    /// A request whose model nobody can read may ask for any: it is outside a policy that limits them. False when it has been refused.
    mutating func keyAllowsModel(_ id: Int32) -> Bool {
        guard let policy = exchanges[id].key, policy.limitsModels else { return true }
        guard let why = whyModelIsOutside(id, policy) else { return true }
        refuse(id, Self.outside(policy, "models", why))
        return false
    }

    private func whyModelIsOutside(_ id: Int32, _ policy: KeyPolicy) -> String? {
        if exchanges[id].wantsWebSocket { return "the models of a WebSocket cannot be read" }
        let bytes = unsafe RawSpan(_unsafeBytes: exchanges[id].headBytes.bytes)
        let target = unsafe bytes.extracting(exchanges[id].head.target)._unsafeView(as: UInt8.self)
        // A provider may go by its path and not by its body: all that are named have to be allowed.
        guard let named = NamedModels.inPath(target, from: exchanges[id].restStart) else { return "the path cannot be read" }
        let hasMethod = !exchanges[id].head.method.mayBeRepeated
        let names = named.map { hasMethod ? $0.prefix { $0 != ":" } : $0[...] }
        if let other = names.first(where: { !policy.allows(String($0)) }) { return "\(other.prefix(80)) is not one of them" }
        guard exchanges[id].request.framing.mayHaveBytes else { return nil }
        guard exchanges[id].request.isComplete, !exchanges[id].look.namesFurtherModels else {
            return "no single model can be read in this request's body"
        }
        if exchanges[id].modelKey == 0 { return "no model can be read in this request" }
        return policy.allows(exchanges[id].model, key: exchanges[id].modelKey) ? nil : "this model is not one of them"
    }

    /// The candidates that the key leaves of a roster's.
    mutating func lineup(_ id: Int32, _ roster: Roster, _ provider: Int) -> Lineup {
        let whole = roster.lineups[provider]
        guard let policy = exchanges[id].key, !policy.profiles.isEmpty else { return whole }
        return rosters.lineup(whole, for: policy)
    }

    /// A key that leaves one profile of the provider's is a pin to it. False when the request has been refused.
    mutating func pinByKey(_ id: Int32, _ lineup: Lineup) -> Bool {
        guard let policy = exchanges[id].key, !policy.profiles.isEmpty else { return true }
        let all = lineup.candidates.count + lineup.others.count
        guard all > 0 else {
            refuse(id, Self.outside(policy, "profiles", "none of them is one of this provider's"))
            return false
        }
        if all == 1, let only = lineup.candidates.first ?? lineup.others.first {
            exchanges[id].isPinned = true
            exchanges[id].reason = .keyPin
            exchanges[id].candidate = only
        }
        return true
    }

    // MARK: What it costs

    /// The answer's tokens are the key's to answer for.
    mutating func settleTokens(_ id: Int32) {
        guard exchanges[id].tokens.isHeld, let policy = exchanges[id].key else { return }
        let count = exchanges[id].tokens.value
        let octets = exchanges[id].request.byteCount + exchanges[id].answer.byteCount
        policy.meter.spent(count.isTold ? count.tokens : TokenCount.estimate(octets: octets), now: wall)
    }
}

extension WebSocket {
    private static let apiKey = Array("openai-insecure-api-key.".utf8)

    /// The key that a page's script puts among the subprotocols.
    static func key(in field: FieldLine, of bytes: RawSpan) -> Range<Int>? {
        var start = field.valueRange.lowerBound
        while start < field.valueRange.upperBound {
            var end = start
            while end < field.valueRange.upperBound, FieldText.byte(bytes, end) != UInt8(ascii: ",") { end += 1 }
            let member = FieldText.trimmed(bytes, start..<end)
            if FieldText.begins(bytes, member, with: apiKey) { return member.lowerBound + apiKey.count..<member.upperBound }
            start = end + 1
        }
        return nil
    }
}

/// The member `key` of a query.
enum QueryKey {
    /// Where its value stands; nil when there is none. The name may be percent-encoded, as `UpstreamTarget`, which removes it, reads it.
    static func find(in bytes: RawSpan, _ target: Range<Int>) -> Range<Int>? {
        let whole = bytes.extracting(target)
        let question = unsafe whole.withUnsafeBytes { bytes -> Int? in
            guard let start = bytes.baseAddress, let found = unsafe memchr(start, 0x3f, bytes.count) else { return nil }
            return unsafe UnsafeRawPointer(found) - start
        }
        guard let question else { return nil }
        return UpstreamTarget.key(in: unsafe whole._unsafeView(as: UInt8.self), from: question).map {
            $0.lowerBound + target.lowerBound..<$0.upperBound + target.lowerBound
        }
    }
}
