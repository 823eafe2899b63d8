internal import ArgumentParser
internal import Credentials
internal import JSON

/// `keybearer import`
struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Use a login that another program has made.",
        discussion: """
            --overlay, the usual mode, keeps the login where it is. Its file is read whenever it changes; the program alone renews it, and \
            stays logged in. When its token has expired, run the program once.

            With moltbot (or OpenClaw: its JSON files, old and new, and its SQLite) that is done with each profile; profiles that are here \
            already stay as they are.

            --adopt, for codex and claude-code, makes the login Keybearer's own, all or nothing: the program is pointed at Keybearer, \
            its copy is retired, and from then on Keybearer alone renews it. It is refused where the program would go on renewing it. \
            --undo gives it back, as long as it was not renewed since.

            With moltbot, --adopt copies API keys and tokens that nobody renews. Logins are not copied: two programs that renew one login \
            end it.

            EXAMPLES
              keybearer import codex
              keybearer import claude-code --profile-id anthropic:max
              keybearer import codex --adopt
              keybearer import codex --undo
              keybearer import moltbot --from ~/.openclaw --dry-run
              keybearer import moltbot --adopt --profile-id openai:default

            EXIT CODES
              0 imported, or there already; 1 refused, the message says why; 64 wrong use; 78 settings
            """)

    @Argument(
        help: ArgumentHelp("codex, claude-code, qwen or moltbot.", valueName: "program"),
        completion: .list(LoginOwner.allCases.map(\.rawValue)))
    var program: String

    @Flag(help: "How the login is used; --overlay is the usual mode.")
    var mode: ImportMode?

    @Option(
        help: ArgumentHelp("The program's file, or moltbot's state directory, in place of the usual one.", valueName: "path"),
        completion: .file())
    var from: String?

    @Option(
        name: .customLong("profile-id"),
        help: ArgumentHelp("The profile's name here; with moltbot, the one profile to import.", valueName: "id"))
    var profileID: String?

    @Flag(name: .customLong("dry-run"), help: "Say what would be done, and change nothing.")
    var dryRun = false

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: GlobalOptions

    func run() throws {
        if !Surroundings.current.allowsDebugging { ProcessLimits.forbidDumps() }
        guard let owner = LoginOwner(rawValue: program) else {
            let known = LoginOwner.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure.usage("\"\(program)\" is no program to import from; there are \(known)")
        }
        let installation = try Installation(options)
        let report: ImportReport
        switch (owner, mode ?? .overlay) {
        case (.moltbot, .undo):
            throw Failure.usage("what was imported from moltbot is taken out with `keybearer models auth logout`")
        case (.moltbot, let mode):
            report = try NeighbourImport(installation, folder: try from.map(absolute), only: profileID, mode, dryRun: dryRun).run()
        case (_, .overlay):
            report = try OverlayImport(installation, owner, path: try from.map(absolute), profileID: profileID, dryRun: dryRun).run()
        case (_, .adopt):
            report = try AdoptImport(installation, owner, path: try from.map(absolute), profileID: profileID, dryRun: dryRun).run()
        case (_, .undo):
            report = try AdoptionUndo(installation: installation, owner: owner, profileID: profileID, dryRun: dryRun).run()
        }
        if json { Output.json(report.document) } else { report.print() }
        if let notice = installation.places.notice, !json { Output.error(notice) }
        if report.isRefused { throw ExitCode.failure }
    }

    private func absolute(_ path: String) throws -> String {
        let surroundings = Surroundings.current
        let inputs = StatePlaces.Inputs(
            environment: [:], home: surroundings.home ?? "", currentDirectory: surroundings.currentDirectory)
        guard let path = inputs.path(path) else { throw Failure.usage("--from is a path") }
        return path
    }
}

/// How a login that another program has made is used.
enum ImportMode: String, EnumerableFlag {
    case overlay, adopt, undo
}

/// What became of an import.
struct ImportReport {
    enum Outcome: String {
        case imported, unchanged, refused, undone
        /// With --dry-run.
        case would = "would_import"
    }

    struct Item {
        let profileID: String
        let provider: String
        let outcome: Outcome
        /// A sentence without its end.
        let detail: String
    }

    let owner: LoginOwner
    let mode: ImportMode
    let path: String
    var items: [Item] = []
    /// What else is to be known.
    var notes: [String] = []

    /// Whether what was asked for was not done, for any profile.
    var isRefused: Bool { !items.isEmpty && items.allSatisfy { $0.outcome == .refused } }

    var document: Value {
        [
            "tool": .string(owner.rawValue), "mode": .string(mode.rawValue), "path": .string(path),
            "profiles": .array(
                items.map {
                    [
                        "id": .string($0.profileID), "provider": .string($0.provider), "outcome": .string($0.outcome.rawValue),
                        "detail": .string($0.detail),
                    ]
                }),
            "notes": .array(notes.map { .string($0) }),
        ]
    }

    func print() {
        for item in items {
            let line = "\(item.outcome == .would ? "would import" : item.outcome.rawValue) \(item.profileID): \(item.detail)"
            if item.outcome == .refused { Output.error("keybearer: \(line)") } else { Output.line(line) }
        }
        for note in notes { Output.error("note: \(note)") }
    }
}
