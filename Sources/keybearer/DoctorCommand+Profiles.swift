internal import Configuration
internal import Credentials
internal import Files
internal import Glibc
internal import JSON
internal import Sockets
internal import Tools

/// Profiles that need a person, and refresh tokens that someone else holds as well.
struct DoctorProfiles {
    private let installation: Installation
    private let now = Clock.wall()

    init(_ installation: Installation) { self.installation = installation }

    var findings: [Finding] {
        let agents = Agents(installation)
        var findings: [Finding] = []
        var held: [HeldToken] = []
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
                held += snapshot.profiles.compactMap { profile in profile.refresh.map { HeldToken(profile, agent: id, $0) } }
            } catch {
                findings.append(Finding(.problem, "store", error.description, advice: "mend the file, or move it away and log in again"))
            }
        }
        return findings + shared(held)
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
        case .unknownProfile:
            return [
                Finding(
                    .problem, "unknown-profile", "an order of \(provider.id) names \(name), which the store does not have",
                    advice: "keybearer models auth order set --provider \(provider.id) …, or change auth.order in the settings")
            ]
        case .unresolvedReference, .modeMismatch, .providerMismatch:
            return [
                Finding(.warning, "not-used", "\(name): \(StatusText.eligibility(entry.eligibility))", advice: "keybearer models status")
            ]
        case .ok, .excludedByAuthOrder, .needsLogin: break
        }
        // A year-long token ends without a word from anyone else: 30 days are time to make another.
        guard !entry.isRefreshable, case .valid(let until)? = entry.profile?.expiry(now: now), until - now < 30 * 86_400_000 else {
            return []
        }
        return [Finding(.warning, "expiring", "\(name) ends in \(ExpiryText.span(until - now)), and cannot be refreshed", advice: remedy)]
    }

    private func missing(_ id: String) -> Finding? {
        installation.settings.provider(id).map {
            Finding(.problem, "missing", "the settings use \(id), and no profile of it can be used", advice: ToolTarget.remedy($0))
        }
    }

    // MARK: One token, two holders

    /// A refresh token of ours, by fingerprint.
    private struct HeldToken {
        let profileID: String
        let provider: String
        let agent: String
        let fingerprint: String

        init(_ profile: Profile, agent: String, _ refresh: Secret) {
            profileID = profile.id
            provider = profile.provider
            self.agent = agent
            fingerprint = refresh.fingerprint
        }
    }

    private func shared(_ held: [HeldToken]) -> [Finding] {
        var findings: [Finding] = []
        for (index, token) in held.enumerated() {
            for other in held[..<index] where other.fingerprint == token.fingerprint {
                findings.append(
                    Finding(
                        .problem, "shared-token",
                        "\(token.profileID) of agent \(token.agent) and \(other.profileID) of agent \(other.agent) "
                            + "hold the same refresh token: whichever refreshes first ends the other's login",
                        advice: "remove one: keybearer models auth logout \(token.profileID) --agent \(token.agent); then log in there anew"
                    ))
            }
        }
        for file in OtherHolders.files(besides: installation.places.sink) {
            let fingerprints = OtherHolders.refreshTokens(in: file.path)
            for token in held where fingerprints.contains(token.fingerprint) {
                findings.append(
                    Finding(
                        .problem, "shared-token",
                        "\(token.profileID) and \(file.owner) (\(file.path)) hold the same refresh token: whichever "
                            + "refreshes first ends the other's login",
                        advice: "log in again here, so that each has a session of its own: keybearer models auth login --provider "
                            + "\(token.provider)"))
            }
        }
        return findings
    }
}

/// Other programs' files of logins: read, compared by fingerprint, never shown or changed.
private enum OtherHolders {
    static func files(besides sink: String) -> [(owner: String, path: String)] {
        guard let home = Surroundings.current.home else { return [] }
        let environment = ProcessEnvironment.all
        var files = ToolSettings.Kind.allCases.compactMap { kind in
            kind.loginPath(home: home, environment: environment).map { (kind.toolName, $0) }
        }
        files += [
            ("Qwen Code", home + "/.qwen/oauth_creds.json"), ("Gemini CLI", home + "/.gemini/oauth_creds.json"),
            ("MiniMax", home + "/.minimax/oauth_creds.json"), ("pi", home + "/.pi/agent/auth.json"),
        ]
        for name in [".openclaw", ".moltbot", ".clawdbot", ".keybearer"] where "\(home)/\(name)" != sink {
            for agent in Directory.names(in: "\(home)/\(name)/agents").sorted() {
                files.append(
                    (name == ".keybearer" ? "another Keybearer" : "OpenClaw", "\(home)/\(name)/agents/\(agent)/agent/auth-profiles.json"))
            }
        }
        return files
    }

    /// The fingerprints of all refresh tokens in a JSON file, wherever in it they stand.
    static func refreshTokens(in path: String) -> Set<String> {
        guard let bytes = (try? TrustedFile.read(path)) ?? nil, let value = try? Reader.parse(bytes) else { return [] }
        var found: Set<String> = []
        collect(value, into: &found)
        return found
    }

    private static func collect(_ value: Value, into found: inout Set<String>) {
        for element in value.array ?? [] { collect(element, into: &found) }
        for (name, member) in value.object ?? Object() {
            if names.contains(name), let secret = member.string.flatMap({ Secret($0) }) { found.insert(secret.fingerprint) }
            collect(member, into: &found)
        }
    }

    private static let names: Set<String> = ["refresh", "refresh_token", "refreshToken"]
}
