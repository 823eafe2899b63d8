internal import Credentials
internal import JSON
internal import Routing

/// The rests that the store knows of: what `cooldown list` and `models status` show. Pure.
struct RestReport {
    /// One profile, or one model of it, that rests.
    struct Rest: Equatable {
        let profileID: String
        /// Nil when the store has no such profile any more.
        let provider: String?
        /// Nil: the whole profile.
        let model: String?
        let reason: FailureReason
        /// ms since 1970.
        let until: Int64
        let errorCount: Int
    }

    /// By profile, in stored order; what is known of profiles that are gone comes last.
    let rests: [Rest]
    let now: Int64

    init(_ snapshot: StoreSnapshot, now: Int64) {
        let stored = snapshot.profiles.map(\.id)
        let gone = snapshot.usage.keys.filter { snapshot.profile($0) == nil }.sorted()
        rests = (stored + gone).flatMap { id -> [Rest] in
            guard let usage = snapshot.usage[id] else { return [] }
            return Self.rests(of: id, snapshot.profile(id)?.provider, Health(usage, now: now), now)
        }
        self.now = now
    }

    private static func rests(of id: String, _ provider: String?, _ health: Health, _ now: Int64) -> [Rest] {
        var rests: [Rest] = []
        if let rest = health.cooldown, rest.until > now {
            rests.append(
                Rest(profileID: id, provider: provider, model: nil, reason: rest.reason, until: rest.until, errorCount: health.errorCount))
        }
        for model in health.models where model.cooldown.until > now {
            rests.append(
                Rest(
                    profileID: id, provider: provider, model: model.name.isEmpty ? "(unnamed)" : model.name, reason: model.cooldown.reason,
                    until: model.cooldown.until, errorCount: model.errorCount))
        }
        return rests
    }

    /// The rests of one profile.
    func of(_ profileID: String) -> [Rest] { rests.filter { $0.profileID == profileID } }

    /// `rests 4 min more: rate_limit (model opus)`, or nil when the profile does not rest.
    func text(of profileID: String) -> String? {
        let parts = of(profileID).map { rest in
            "\(rest.reason.name) for \(Self.span(rest, now))" + (rest.model.map { " (model \($0))" } ?? "")
        }
        return parts.isEmpty ? nil : "rests: " + parts.joined(separator: ", ")
    }

    /// How long it still is.
    static func span(_ rest: Rest, _ now: Int64) -> String {
        rest.until - now > 60 * 86_400_000 ? "as long as the key is this one" : ExpiryText.span(rest.until - now)
    }

    /// Moltbot's members (spec/credential-formats.md §7.2), and ours behind them.
    static func document(_ rest: Rest, now: Int64) -> Value {
        var members: Object = [
            "profileId": .string(rest.profileID), "provider": rest.provider.map { .string($0) } ?? nil,
            "kind": .string(rest.reason.disables ? "disabled" : "cooldown"), "reason": .string(rest.reason.name),
            "until": .integer(rest.until), "remainingMs": .integer(rest.until - now),
        ]
        members["model"] = rest.model.map { .string($0) }
        members["errorCount"] = .integer(Int64(rest.errorCount))
        return .object(members)
    }
}
