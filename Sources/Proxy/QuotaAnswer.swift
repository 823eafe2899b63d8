internal import Credentials
internal import JSON
internal import Routing

/// `/-/quota`: what each profile's provider last said of its quota, as this server heard it or the store remembers it.
enum QuotaAnswer {
    /// `{"now", "quotas": [{"agent", "profile", "provider", "at", "windows": [{"window", "usedPermille", "limit", "remaining", "resetsAt"}]}]}`;
    /// times in ms since 1970, `usedPermille` in thousandths, members that nobody knows left out.
    static func document(_ rosters: [Roster], _ standings: Standings, now: Int64) -> Value {
        var seen: Set<ProfileKey> = []
        var quotas: [Value] = []
        for lineup in rosters.flatMap(\.lineups) {
            for candidate in lineup.candidates + lineup.others where seen.insert(candidate.key).inserted {
                guard let report = standings.quota(candidate.slot), report.count > 0 else { continue }
                quotas.append([
                    "agent": .string(candidate.key.agentID), "profile": .string(candidate.key.profileID),
                    "provider": .string(lineup.credentialProvider), "at": .integer(report.at),
                    "windows": .array(report.all.map(window)),
                ])
            }
        }
        return ["now": .integer(now), "quotas": .array(quotas)]
    }

    private static func window(_ window: QuotaWindow) -> Value {
        var members: Object = ["window": .string(window.name.text)]
        if let used = window.used { members["usedPermille"] = .integer(used) }
        if window.limit >= 0 { members["limit"] = .integer(window.limit) }
        if window.remaining >= 0 { members["remaining"] = .integer(window.remaining) }
        if window.resetsAt > 0 { members["resetsAt"] = .integer(window.resetsAt) }
        return .object(members)
    }
}
