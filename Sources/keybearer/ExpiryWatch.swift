internal import Credentials

/// Tokens that nothing renews, watched while a server runs: each threshold of ``TokenWarning`` is told once. Pure.
struct ExpiryWatch {
    /// One warning about one agent's token.
    struct News: Equatable {
        let agent: String
        let warning: TokenWarning
    }

    /// The lowest threshold that was told, by agent, profile and end: a token that was replaced is another one.
    private var told: [String: Int] = [:]

    /// The longest time between two looks, in ms: stores change, and a clock is set or a machine sleeps.
    static let longestPause: Int64 = 3_600_000

    /// What has to be said of an agent's tokens now.
    mutating func look(_ agent: String, _ report: StatusReport) -> [News] {
        report.tokens.compactMap { profile in
            guard let warning = TokenWarning(profile: profile, now: report.now) else { return nil }
            let key = "\(agent)\n\(profile.id)\n\(profile.expires ?? 0)"
            guard warning.days < told[key] ?? .max else { return nil }
            told[key] = warning.days
            return News(agent: agent, warning: warning)
        }
    }

    /// How long to wait before the next look, in ms: until the first threshold that is ahead, and never long.
    static func pause(_ reports: [StatusReport]) -> Int64 {
        let ahead = reports.flatMap { report in report.tokens.compactMap { TokenWarning.untilNext($0, now: report.now) } }
        return max(min(ahead.min() ?? longestPause, longestPause), 1000)
    }
}
