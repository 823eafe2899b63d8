internal import Credentials

/// A static token that is about to end: said louder as the end comes nearer.
struct TokenWarning: Equatable {
    let profileID: String
    /// The threshold that was passed: 30, 7 or 1 day before the end.
    let days: Int
    let text: String

    private static let day: Int64 = 86_400_000
    /// Days before the end, lowest first.
    private static let thresholds = [1, 7, 30]

    /// The warning about `profile` at `now`; nil more than 30 days before its end, and after it, when its standing says so.
    init?(profile: Profile, now: Int64) {
        guard case .valid(let until) = profile.expiry(now: now),
            let days = Self.thresholds.first(where: { until - now <= Int64($0) * Self.day })
        else { return nil }
        profileID = profile.id
        self.days = days
        let weight = days == 30 ? "note" : "warning"
        let command = profile.provider == "anthropic" ? "setup-token" : "paste-token"
        let left = ExpiryText.span(until - now)
        let remedy = "`keybearer models auth \(command) --provider \(profile.provider) --profile-id \(profile.id)`"
        text = "\(weight): the token \(profile.id) ends in \(left)\(days == 1 ? " and nothing renews it" : ""); renew it by \(remedy)"
    }

    /// How long it is until `profile` passes its next threshold, in ms; nil when none is ahead.
    static func untilNext(_ profile: Profile, now: Int64) -> Int64? {
        guard case .valid(let until) = profile.expiry(now: now) else { return nil }
        return thresholds.map { until - Int64($0) * day - now }.filter { $0 > 0 }.min()
    }
}
