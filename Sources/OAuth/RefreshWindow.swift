/// When to refresh: early, in the background, or because the token has expired. A pure function (DESIGN §7, step 1).
public enum RefreshWindow {
    /// Where an access token stands.
    public enum State: Sendable, Equatable {
        /// Nothing to do.
        case fresh
        /// It works, and is to be refreshed in the background.
        case early
        /// It does not work any more.
        case expired
    }

    /// The longest time before expiry at which a token is refreshed.
    public static let longestLead: Int64 = 5 * 60 * 1000

    /// Where a token stands at `now`. All times are ms since 1970.
    ///
    /// The window opens 5 min or a tenth of the token's life before `expires`, whichever is less (5 min when `issuedAt` is not known);
    /// `jitter`, 0 to 1, shortens it by up to 20 %, so that processes and profiles do not all refresh at one moment. Nil `expires`: the
    /// token has no known end.
    public static func state(expires: Int64?, issuedAt: Int64?, now: Int64, jitter: Double) -> State {
        guard let expires else { return .fresh }
        guard now < expires else { return .expired }
        var lead = Double(longestLead)
        if let issuedAt, issuedAt < expires { lead = min(lead, Double(expires - issuedAt) / 10) }
        lead *= 1 - 0.2 * min(max(jitter, 0), 1)
        return Double(expires - now) <= lead ? .early : .fresh
    }
}
