internal import Configuration
internal import Credentials
internal import Sockets

/// `import codex`, `claude-code` and `qwen` as an overlay: one login of another program's, used where it is.
struct OverlayImport {
    private let installation: Installation
    private let owner: LoginOwner
    private let path: String
    private let profileID: String?
    private let dryRun: Bool

    init(_ installation: Installation, _ owner: LoginOwner, path: String?, profileID: String?, dryRun: Bool) throws {
        self.installation = installation
        self.owner = owner
        self.path = try path ?? Self.usualPath(of: owner)
        self.profileID = profileID
        self.dryRun = dryRun
    }

    /// Where the program keeps its login on this machine.
    static func usualPath(of owner: LoginOwner) throws -> String {
        guard let home = Surroundings.current.home, let path = owner.path(home: home, environment: ProcessEnvironment.all) else {
            throw Failure.configuration("this user has no home folder: set HOME, or name the file with --from")
        }
        return path
    }

    func run() throws -> ImportReport {
        let file = try Self.file(of: owner, at: path)
        let login = file.login
        let id = profileID ?? (login.provider == "openai" ? "openai:codex" : owner.usualProfileID ?? owner.rawValue)
        var report = ImportReport(owner: owner, mode: .overlay, path: path)
        guard let provider = installation.settings.provider(login.provider) else {
            throw Failure.failed(
                "\(path) holds a credential of \(login.provider), which is no provider here; add it to \(installation.settingsPath)")
        }
        if let holder = HeldLogins(installation).holder(of: login.refresh) {
            throw Failure.failed(
                "\(holder) holds this very login, and renews it: whichever renews it first ends it for the other; remove it first "
                    + "(keybearer models auth logout), or leave it and let \(owner.name) log in anew")
        }
        let overlay = Overlay(owner: owner, path: path)
        let isKey = login.kind == .apiKey
        let addition =
            dryRun
            ? try standing(overlay, id) : try installation.store.add(overlay, provider: login.provider, isKey: isKey, id: id)
        report.items.append(item(id, provider, addition, login))
        if file.isReadableByOthers { report.notes.append("others on this machine can read \(path): chmod 600 \(path)") }
        return report
    }

    /// The program's file.
    ///
    /// - Throws: `Failure`, saying what is wrong with it and what to do.
    static func file(of owner: LoginOwner, at path: String) throws -> ExternalFile {
        do throws(ExternalLoginFlaw) {
            return try ExternalFile(path, of: owner)
        } catch {
            throw Failure.failed("\(path) \(error.reason); log in with \(owner.program) first, or name its file with --from")
        }
    }

    /// What would become of it.
    private func standing(_ overlay: Overlay, _ id: String) throws -> AgentStore.Addition {
        guard let held = try installation.store.load().profile(id) else { return .added }
        return held.overlay == overlay ? .unchanged : .taken
    }

    private func item(_ id: String, _ provider: Provider, _ addition: AgentStore.Addition, _ login: ExternalLogin) -> ImportReport.Item {
        let now = Clock.wall()
        let expiry = login.expires.map { ", \(ExpiryText.sentence($0 > now ? .valid(until: $0) : .expired(since: $0), now: now))" } ?? ""
        let detail =
            switch addition {
            case .added: "read from \(path) whenever it changes\(expiry); \(owner.name) alone renews it"
            case .unchanged: "is there already, and read from \(path)\(expiry)"
            case .taken: "there is another profile of that name, which stays; name this one with --profile-id"
            }
        let outcome: ImportReport.Outcome =
            switch addition {
            case .added: dryRun ? .would : .imported
            case .unchanged: .unchanged
            case .taken: .refused
            }
        return ImportReport.Item(profileID: id, provider: provider.id, outcome: outcome, detail: detail)
    }
}

/// The refresh tokens that Keybearer owns, of all agents.
struct HeldLogins {
    private var holders: [String: String] = [:]

    init(_ installation: Installation) {
        let agents = Agents(installation)
        for id in agents.ids {
            for profile in (try? agents.store(id).load())?.profiles ?? [] {
                guard let refresh = profile.refresh else { continue }
                holders[refresh.fingerprint] = id == agents.defaultID ? profile.id : "\(profile.id) (agent \(id))"
            }
        }
    }

    /// The profile that holds `refresh`; nil when none does.
    func holder(of refresh: Secret?) -> String? { refresh.flatMap { holders[$0.fingerprint] } }
}
