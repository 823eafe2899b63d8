internal import Configuration
internal import Credentials
internal import Files
internal import JSON
internal import OAuth
internal import Sockets
internal import Tools

/// `import codex --adopt`: the login changes its owner, in one transaction (``Adoption``). The program is pointed at Keybearer, its copy is
/// retired, and the login is stored; a crash in between leaves it with one of the two.
struct AdoptImport {
    private let installation: Installation
    private let owner: LoginOwner
    private let path: String
    private let profileID: String
    private let dryRun: Bool
    private var store: AgentStore { installation.store }

    init(_ installation: Installation, _ owner: LoginOwner, path: String?, profileID: String?, dryRun: Bool) throws {
        self.installation = installation
        self.owner = owner
        let path = try path ?? OverlayImport.usualPath(of: owner)
        self.path = PrivateFile.realPath(of: path) ?? path
        self.profileID = profileID ?? owner.usualProfileID ?? owner.rawValue
        self.dryRun = dryRun
    }

    func run() throws -> ImportReport {
        try clearAbandoned()
        let file = try checkedFile()
        let provider = try checkedProvider(file.login)
        let pointing = try Pointing(owner, file: path, provider: provider.id, installation)
        try refuseWhileRunning()
        var report = ImportReport(owner: owner, mode: .adopt, path: path)
        guard !dryRun else {
            report.items = [item(.would, provider, "point \(owner.name) at \(pointing.base), take the login out of \(path), own it")]
            return report
        }
        let adoption = Adoption(profileID: profileID, owner: owner, path: path, wasPointed: pointing.wasThere, now: Clock.wall())
        // Ctrl-C waits: it is done, or undone, in a moment.
        try SignalShield.during {
            try store.adopting { try transfer(adoption, pointing) }
            try renewIfExpired(adoption, provider, pointing, &report)
        }
        report.items = [
            item(
                .imported, provider,
                "\(owner.name) is pointed at \(pointing.base), and the login is Keybearer's alone; what \(path) held is kept in "
                    + "\(adoption.backup); undo, as long as it was not renewed: keybearer import \(owner.rawValue) --undo")
        ]
        if !pointing.isServed { report.notes.append("no server answers there now; start it: keybearer serve") }
        return report
    }

    // MARK: Before anything is changed

    /// An adoption that ended before the file was taken has only pointed the program here.
    private func clearAbandoned() throws {
        for (adoption, stage) in store.adoptions() where stage == .pending && !adoption.isTaken && adoption.path == path {
            if !adoption.wasPointed { try Pointing.undo(owner, file: path) }
            try store.forget(adoption)
        }
    }

    private func checkedFile() throws -> ExternalFile {
        let file = try OverlayImport.file(of: owner, at: path)
        guard ToolSettings.Kind(owner) != nil else {
            throw refusal("\(owner.name) cannot be pointed at Keybearer, and would go on renewing the login; use it as an overlay")
        }
        guard file.login.kind == .oauth else {
            throw refusal("\(path) holds \(StatusText.kind(file.login.kind)), which nobody renews; use it as an overlay, or paste it")
        }
        guard file.isOursAlone else {
            throw refusal("\(path) is another user's or has a second name, so that it cannot be taken from everyone; use it as an overlay")
        }
        if let holder = HeldLogins(installation).holder(of: file.login.refresh) {
            throw refusal("\(holder) holds this very login already; log in with \(owner.program) anew, so that each has its own")
        }
        if let held = try store.load().profile(profileID), held.overlay?.owner != owner {
            throw refusal("there is a profile \(profileID) already, which stays; name this one with --profile-id")
        }
        return file
    }

    private func checkedProvider(_ login: ExternalLogin) throws -> Provider {
        guard let provider = installation.settings.provider(login.provider), provider.oauth != nil else {
            throw refusal("no provider \(login.provider) with a token endpoint is in the settings, so that nobody could renew the login")
        }
        return provider
    }

    private func refuseWhileRunning() throws {
        guard let found = RunningTools(owner, path: path).first else { return }
        throw refusal("\(found.name) runs now (process \(found.id)) and may renew the login from its memory; end it first")
    }

    private func refusal(_ reason: String) -> Failure { .failed("\(path) is not taken over: \(reason)") }

    // MARK: The transaction

    private func transfer(_ adoption: Adoption, _ pointing: Pointing) throws {
        try store.prepare(adoption)
        do {
            try pointing.install()
            try refuseWhileRunning()
            try store.take(adoption)
            // One that was started in between has read it.
            try refuseWhileRunning()
            try store.own(adoption)
        } catch {
            let isOwned = try store.document().entry(adoption.profileID)?["refresh"] != nil
            guard !isOwned else { throw error }
            // The login first: a configuration that cannot be mended must not keep it.
            try store.giveBack(adoption)
            if !adoption.wasPointed { try Pointing.undo(owner, file: path) }
            throw error
        }
    }

    /// A login whose token has expired is renewed at once: only that tells whether it is alive. One that is not goes back.
    private func renewIfExpired(_ adoption: Adoption, _ provider: Provider, _ pointing: Pointing, _ report: inout ImportReport) throws {
        guard let client = provider.oauth, let profile = try store.load().profile(profileID), !profile.isUsable(now: Clock.wall()) else {
            return
        }
        switch Refresher(store: store).refresh(profileID: profileID, client: client, cause: .expired) {
        case .refreshed, .adopted, .unchanged: return
        case .transient(let failure, _): report.notes.append("it has expired and could not be renewed yet: \(failure)")
        case .needsLogin(let failure):
            try store.adopting { try store.undo(adoption, client: client) }
            if !adoption.wasPointed { try Pointing.undo(owner, file: path) }
            throw refusal("its provider has ended the login (\(failure)); log in with \(owner.program) anew")
        }
    }

    private func item(_ outcome: ImportReport.Outcome, _ provider: Provider, _ detail: String) -> ImportReport.Item {
        ImportReport.Item(profileID: profileID, provider: provider.id, outcome: outcome, detail: detail)
    }
}

/// `import codex --undo`: gives an adopted login back.
struct AdoptionUndo {
    let installation: Installation
    let owner: LoginOwner
    let profileID: String?
    let dryRun: Bool

    func run() throws -> ImportReport {
        let store = installation.store
        // Whatever a crash has left is settled first.
        _ = try store.load()
        let found = store.adoptions().filter { $0.adoption.owner == owner && (profileID == nil || $0.adoption.profileID == profileID) }
        guard let (adoption, stage) = found.first else {
            let name = profileID.map { " as \($0)" } ?? ""
            throw Failure.failed("no login of \(owner.name) has been taken over\(name); there is nothing to undo")
        }
        guard found.count == 1 else {
            let names = found.map(\.adoption.profileID).joined(separator: ", ")
            throw Failure.usage("more than one login of \(owner.name) was taken over: say which with --profile-id (\(names))")
        }
        var report = ImportReport(owner: owner, mode: .undo, path: adoption.path)
        let detail = "\(adoption.path) is \(owner.name)'s own login again"
        let provider = (try? adoption.login())?.provider ?? ""
        guard !dryRun else {
            report.items = [ImportReport.Item(profileID: adoption.profileID, provider: provider, outcome: .would, detail: detail)]
            return report
        }
        try SignalShield.during {
            try store.adopting {
                if stage == .pending {
                    try store.giveBack(adoption)
                } else {
                    guard let profile = try store.load().profile(adoption.profileID),
                        let client = installation.settings.provider(profile.provider)?.oauth
                    else { throw Failure.failed("\(adoption.profileID) is here no more; log in with \(owner.program) anew") }
                    try store.undo(adoption, client: client)
                }
            }
            if !adoption.wasPointed { try Pointing.undo(owner, file: adoption.path) }
        }
        report.items = [ImportReport.Item(profileID: adoption.profileID, provider: provider, outcome: .undone, detail: detail)]
        return report
    }
}

/// A program's own configuration, which is to lead to Keybearer.
struct Pointing {
    private let settings: ToolSettings
    private let content: ToolFileContent
    /// Where it leads.
    let base: String
    /// It led to a Keybearer already.
    let wasThere: Bool
    /// Whether a server answers there.
    let isServed: Bool

    /// - Throws: `Failure` when the program would not use it.
    init(_ owner: LoginOwner, file: String, provider: String, _ installation: Installation) throws {
        settings = try Self.settings(of: owner, file: file)
        guard let tool = ToolCatalogue.tool(owner.program) else { throw Failure.failed("\(owner.name) cannot be pointed at Keybearer") }
        let target = try ToolTarget(installation)
        let choice = try target.choice(for: tool, provider: provider, profile: nil)
        guard let route = choice.routes.first else { throw Failure.failed("\(owner.name) cannot be sent to \(provider)") }
        content = ToolFileContent(choice.plan, routes: choice.routes, endpoint: choice.endpoint)
        base = choice.endpoint.base(route.provider, path: route.path)
        let settings = settings
        let (there, obstacles) = try Self.naming { (try settings.base() != nil, try settings.obstacles()) }
        wasThere = there
        if let obstacle = obstacles.first {
            throw Failure.failed("\(settings.path): \(obstacle), which goes before Keybearer; take it out first")
        }
        isServed = LocalServer(try target.address).health(of: installation) == .ours
    }

    func install() throws {
        let (settings, content) = (settings, content)
        _ = try Self.naming { try settings.install(content) }
    }

    /// Takes our part out again; nothing happens where there is none.
    static func undo(_ owner: LoginOwner, file: String) throws {
        let settings = try settings(of: owner, file: file)
        try naming { if try settings.base() != nil { _ = try settings.undo() } }
    }

    /// The configuration beside the login.
    private static func settings(of owner: LoginOwner, file: String) throws -> ToolSettings {
        guard let kind = ToolSettings.Kind(owner) else { throw Failure.failed("\(owner.name) cannot be pointed at Keybearer") }
        let folder = file.split(separator: "/").dropLast().map { "/" + $0 }.joined()
        // By the tool's own rules, as if its variable named the folder.
        let paths = kind.paths(home: folder, environment: ["CODEX_HOME": folder, "CLAUDE_CONFIG_DIR": folder])
        return ToolSettings(kind, path: paths.last ?? file)
    }

    private static func naming<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as ToolSettingsFailure {
            throw Failure.failed(error.description)
        } catch let error as ToolFileError {
            throw Failure.failed(error.description)
        }
    }
}

extension ToolSettings.Kind {
    /// The program whose login this is; nil when Keybearer does not edit its configuration.
    init?(_ owner: LoginOwner) {
        switch owner {
        case .codex: self = .codex
        case .claudeCode: self = .claude
        case .qwen, .moltbot: return nil
        }
    }
}
