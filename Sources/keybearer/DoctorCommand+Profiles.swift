internal import Configuration
internal import Credentials
internal import Sockets

/// Profiles that need a person.
struct DoctorProfiles {
    private let installation: Installation
    private let now = Clock.wall()

    init(_ installation: Installation) { self.installation = installation }

    var findings: [Finding] {
        let agents = Agents(installation)
        var findings: [Finding] = []
        for id in agents.ids {
            do throws(StoreError) {
                // References to programs are followed: one that leads nowhere is what a person asks about.
                let snapshot = try agents.store(id).following(nil)
                let report = StatusReport(
                    settings: installation.settings, snapshot: snapshot, environmentKeys: installation.environmentKeys, now: now)
                findings += report.providers.flatMap { provider in provider.entries.flatMap { judge($0, provider, agent: id) } }
                findings += snapshot.problems.filter { $0.code != .repairedMode }.map { problem in
                    let advice =
                        problem.code == .unresolvedReference
                        ? "correct it in the store, or the place it names under secrets.providers in the settings"
                        : "log in again, or remove it: keybearer models auth logout"
                    return Finding(.warning, "unusable-entry", problem.message, advice: advice)
                }
                if id == agents.defaultID { findings += report.missing.compactMap(missing) }
            } catch {
                findings.append(Finding(.problem, "store", error.description, advice: "mend the file, or move it away and log in again"))
            }
        }
        return findings
    }

    private func judge(_ entry: StatusReport.Entry, _ provider: StatusReport.ProviderEntry, agent: String) -> [Finding] {
        let name = agent == AgentID.main ? entry.id : "\(entry.id) (agent \(agent))"
        guard provider.isKnown, let known = installation.settings.provider(provider.id) else { return [] }
        let remedy = ToolTarget.remedy(known)
        if entry.mark != nil {
            return [Finding(.problem, "needs-login", "the provider has ended the login of \(name)", advice: "log in again: \(remedy)")]
        }
        switch entry.eligibility {
        case .expired, .invalidExpires, .missingCredential:
            return [Finding(.problem, "expired", "\(name): \(StatusText.eligibility(entry.eligibility))", advice: remedy)]
        case .overlayExpired, .overlayUnreadable:
            guard let overlay = entry.profile?.overlay else { return [] }
            let isExpired = entry.eligibility == .overlayExpired
            let state = isExpired ? "the token of \(overlay.path) has expired" : "\(overlay.path) gives no login"
            return [Finding(.problem, "overlay", "\(name) is \(overlay.owner.name)'s login: \(state)", advice: overlay.advice)]
        case .unknownProfile:
            return [
                Finding(
                    .problem, "unknown-profile", "an order of \(provider.id) names \(name), which the store does not have",
                    advice: "keybearer models auth order set --provider \(provider.id) …, or change auth.order in the settings")
            ]
        case .unresolvedReference, .modeMismatch, .providerMismatch, .hostNotAllowed:
            return [
                Finding(.warning, "not-used", "\(name): \(StatusText.eligibility(entry.eligibility))", advice: "keybearer models status")
            ]
        case .ok, .excludedByAuthOrder, .needsLogin: break
        }
        // A year-long token ends without a word from anyone else: 30 days are time to make another.
        guard !entry.isRefreshable, let profile = entry.profile, profile.overlay == nil, case .valid(let until) = profile.expiry(now: now),
            until - now < 30 * 86_400_000
        else { return [] }
        return [Finding(.warning, "expiring", "\(name) ends in \(ExpiryText.span(until - now)), and cannot be refreshed", advice: remedy)]
    }

    private func missing(_ id: String) -> Finding? {
        installation.settings.provider(id).map {
            Finding(.problem, "missing", "the settings use \(id), and no profile of it can be used", advice: ToolTarget.remedy($0))
        }
    }
}
