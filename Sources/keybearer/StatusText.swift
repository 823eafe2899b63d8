internal import Credentials

/// The words for what profiles are and how they stand.
enum StatusText {
    /// What a profile holds.
    static func kind(_ kind: Profile.Kind) -> String {
        switch kind {
        case .apiKey: "an API key"
        case .token: "a token"
        case .oauth: "a login"
        }
    }

    /// Where an order comes from.
    static func source(_ source: Ranked.Source) -> String {
        switch source {
        case .store: "the order set by command"
        case .configuration: "the order of the settings (auth.order)"
        case .derived: "the derived order (oauth, token, api_key)"
        }
    }

    /// Whether a profile may be used, and if not, why and what to do.
    static func eligibility(_ eligibility: Eligibility) -> String {
        switch eligibility {
        case .ok: "usable"
        case .hostNotAllowed: "not used: its allowedHosts do not have the provider's host"
        case .excludedByAuthOrder: "not used: the order does not list it"
        case .missingCredential: "not used: it holds no credential"
        case .invalidExpires: "not used: its expiry is no time"
        case .expired: "not used: it has expired and cannot be refreshed; paste a new one"
        case .unresolvedReference: "not used: its credential is a reference that leads nowhere"
        case .overlayExpired: "not used: it is another program's login, which that program has not renewed"
        case .overlayUnreadable: "not used: it is another program's login, and that program's file gives none"
        case .needsLogin: "not used: the provider has ended this login; log in again"
        case .providerMismatch: "not used: it belongs to another provider"
        case .modeMismatch: "not used: the settings (auth.profiles) declare another kind"
        case .unknownProfile: "not used: the store has no such profile"
        }
    }

    /// How a profile stands, in one phrase.
    static func standing(_ profile: Profile?, _ eligibility: Eligibility, _ mark: NeedsLogin?, now: Int64) -> String {
        if let profile, let overlay = profile.overlay { return standing(profile, overlay, eligibility, now: now) }
        guard let profile, eligibility == .ok else {
            guard eligibility == .needsLogin, let mark else { return self.eligibility(eligibility) }
            return "\(self.eligibility(eligibility)) (\(mark.code), \(ExpiryText.span(now - mark.at)) ago)"
        }
        if profile.awaitsProgram { return "its secret is asked of a program when it is used" }
        if profile.isOnDemand { return "asked for whenever it is needed" }
        let expiry = ExpiryText.sentence(profile.expiry(now: now), now: now)
        guard profile.kind == .oauth else { return expiry }
        if mark != nil { return "access token \(expiry), then log in again: the provider has refused to refresh it" }
        guard profile.refresh != nil else { return "access token \(expiry); it cannot be refreshed" }
        return profile.isUsable(now: now) ? "access token \(expiry); refreshed by itself" : "access token \(expiry); refreshed when used"
    }

    /// A line a profile, for scripts that would rather not read JSON: provider, place in the order or `-`, profile, kind, state, and when it
    /// ends in ms since 1970 or `-`; tabs between them.
    static func plain(_ report: StatusReport) -> [String] {
        report.providers.flatMap { provider in
            var place = 0
            return provider.entries.map { entry in
                if entry.isUsable { place += 1 }
                let ends = entry.profile?.kind == .apiKey ? nil : entry.profile?.expires
                let state = entry.eligibility == .needsLogin ? Eligibility.needsLogin.rawValue : entry.state(now: report.now).rawValue
                return [
                    provider.id, entry.isUsable ? "\(place)" : "-", entry.id, entry.profile?.kind.rawValue ?? "-", state,
                    ends.map { "\($0)" } ?? "-",
                ].joined(separator: "\t")
            }
        }
    }

    /// How another program's login stands.
    private static func standing(_ profile: Profile, _ overlay: Overlay, _ eligibility: Eligibility, now: Int64) -> String {
        let what = "overlay: \(overlay.owner.name)'s own, read from \(overlay.path)"
        switch eligibility {
        case .ok: return "\(what); \(ExpiryText.sentence(profile.expiry(now: now), now: now)), renewed by \(overlay.owner.name) alone"
        case .overlayExpired: return "\(what); not used: \(overlay.expiredSentence)"
        case .overlayUnreadable: return "\(what); not used: the file gives no login (see below)"
        default: return "\(what); \(self.eligibility(eligibility))"
        }
    }
}
