internal import Configuration
internal import Credentials
internal import Files
internal import Sockets

/// `import moltbot`: the profiles of a Moltbot or OpenClaw, one by one. Its files are read and never written.
struct NeighbourImport {
    private let installation: Installation
    private let folder: String
    private let only: String?
    private let mode: ImportMode
    private let dryRun: Bool

    init(_ installation: Installation, folder: String?, only: String?, _ mode: ImportMode, dryRun: Bool) throws {
        self.installation = installation
        self.folder = try folder ?? Self.usualFolder(besides: installation)
        self.only = only
        self.mode = mode
        self.dryRun = dryRun
    }

    /// The state directory of the neighbour on this machine.
    private static func usualFolder(besides installation: Installation) throws -> String {
        let surroundings = Surroundings.current
        let named = ["OPENCLAW_STATE_DIR", "MOLTBOT_STATE_DIR", "CLAWDBOT_STATE_DIR"].compactMap { surroundings.environment[$0] }
        let usual = [".openclaw", ".moltbot", ".clawdbot"].compactMap { name in surroundings.home.map { "\($0)/\(name)" } }
        guard let found = (named.filter { $0.hasPrefix("/") } + usual).first(where: { PrivateFile.identity(of: $0 + "/agents") != nil })
        else {
            throw Failure.failed("there is no Moltbot and no OpenClaw in \(usual.joined(separator: ", ")); name its folder with --from")
        }
        return found
    }

    func run() throws -> ImportReport {
        guard PrivateFile.realPath(of: folder) != PrivateFile.realPath(of: installation.places.sink) || installation.store.isRetired else {
            throw Failure.usage("\(folder) is the very folder whose credentials Keybearer uses; there is nothing to import")
        }
        let logins: NeighbourLogins
        do throws(NeighbourLogins.FileFailure) {
            logins = try NeighbourLogins.of(agent: installation.agentID, in: folder)
        } catch {
            throw Failure.failed("\(error.description); name another folder with --from, or another agent with --agent")
        }
        var report = ImportReport(owner: .moltbot, mode: mode, path: logins.path)
        let wanted = logins.profiles.filter { only == nil || $0.id == only }
        if let only, wanted.isEmpty {
            let reason = logins.problems.first { $0.profileID == only }?.message ?? "\(logins.path) has no profile \(only)"
            throw Failure.failed(reason)
        }
        for profile in wanted { report.items.append(try item(profile, logins)) }
        report.notes += logins.problems.filter { only == nil || $0.profileID == only }.map(\.message)
        if report.items.isEmpty { report.notes.append("\(logins.path) holds no profile that can be used") }
        return report
    }

    private func item(_ profile: Profile, _ logins: NeighbourLogins) throws -> ImportReport.Item {
        if let reason = refusal(of: profile, logins) { return item(profile, .refused, reason) }
        if dryRun {
            let isThere = try installation.store.load().profile(profile.id) != nil
            return isThere ? item(profile, .unchanged, "is there already, and stays") : item(profile, .would, words(profile, logins))
        }
        switch try add(profile, logins) {
        case .added: return item(profile, .imported, words(profile, logins))
        case .unchanged: return item(profile, .unchanged, "is there already, just so")
        case .taken: return item(profile, .unchanged, "there is a profile of that name already, and it stays")
        }
    }

    private func add(_ profile: Profile, _ logins: NeighbourLogins) throws -> AgentStore.Addition {
        guard mode == .adopt, let secret = profile.secret else {
            let overlay = Overlay(owner: .moltbot, path: logins.path, profileID: profile.id)
            return try installation.store.add(
                overlay, provider: profile.provider, isKey: profile.kind == .apiKey, id: profile.id)
        }
        let credential: Credential =
            profile.kind == .apiKey
            ? .apiKey(secret, provider: profile.provider) : .token(secret, provider: profile.provider, expires: profile.expires)
        return try installation.store.add(credential, id: profile.id)
    }

    /// Why this profile is not imported in this way; nil when it is.
    private func refusal(of profile: Profile, _ logins: NeighbourLogins) -> String? {
        if profile.secret == nil { return "it has no credential there" }
        if let holder = HeldLogins(installation).holder(of: profile.refresh) {
            return "\(holder) holds this very login: whichever renews it first ends it for the other; remove one (keybearer doctor)"
        }
        guard mode == .adopt else { return nil }
        if profile.kind == .oauth {
            return "it is a login that OpenClaw renews, and two programs that renew one login end it; leave it to OpenClaw (--overlay), or "
                + "log in here as well (keybearer models auth login)"
        }
        if logins.referring.contains(profile.id) {
            return "it is a reference in OpenClaw's settings, which a copy could not follow; use --overlay"
        }
        return nil
    }

    private func words(_ profile: Profile, _ logins: NeighbourLogins) -> String {
        if mode == .adopt { return "\(StatusText.kind(profile.kind)), copied from \(logins.path)" }
        let renewal = profile.kind == .oauth ? "; OpenClaw alone renews it" : ""
        return "\(StatusText.kind(profile.kind)), read from \(logins.path) whenever that changes\(renewal)"
    }

    private func item(_ profile: Profile, _ outcome: ImportReport.Outcome, _ detail: String) -> ImportReport.Item {
        ImportReport.Item(profileID: profile.id, provider: profile.provider, outcome: outcome, detail: detail)
    }
}
