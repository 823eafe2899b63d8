internal import ArgumentParser
internal import Configuration
internal import JSON
internal import Tools

/// `keybearer tools`
struct ToolsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tools", abstract: "See which tools can use Keybearer and how, and set them up.",
        subcommands: [List.self, Setup.self], defaultSubcommand: List.self)

    /// `keybearer tools list`
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the tools that Keybearer knows, and what each needs.",
            discussion: """
                EXAMPLES
                  keybearer tools
                  keybearer tools --json | jq -r '.tools[] | select(.installed) | .id'
                """)

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let entries = try Self.entries()
            guard !json else { return Output.json(["tools": .array(entries.map(\.document))]) }
            Output.table(entries.map(\.row))
            Output.line()
            for entry in entries { for note in entry.tool.notes { Output.line("\(entry.tool.id): \(note)") } }
        }

        private static func entries() throws -> [ToolEntry] {
            let environment = ProcessEnvironment.all
            return ToolCatalogue.tools.map { tool in
                ToolEntry(
                    tool: tool,
                    program: tool.programs.lazy.compactMap { ProcessEnvironment.program($0, path: environment["PATH"]) }.first,
                    settings: ToolSettings.Kind(rawValue: tool.id).flatMap { kind in ToolPlace.settings(kind) })
            }
        }
    }

    /// `keybearer tools setup`
    struct Setup: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "setup", abstract: "Write Keybearer into a tool's own configuration, or take it out again.",
            discussion: """
                For codex, claude, opencode, zed, aider and gptme. The rest of the file stays as it is, what it was is kept beside it as \
                …before-keybearer, and --undo takes everything out again, to the byte if nothing else has changed. The tool then needs a \
                running server: keybearer serve.

                EXAMPLES
                  keybearer tools setup codex
                  keybearer tools setup claude --profile work
                  keybearer tools setup claude --undo
                """)

        @Argument(help: ArgumentHelp("The tool.", valueName: "tool"), completion: Completions.fileTools)
        var tool: String

        @Flag(help: "Take it out again.")
        var undo = false

        @Option(
            help: ArgumentHelp("Provider to send the tool to, in place of its usual one.", valueName: "provider"),
            completion: Completions.providers)
        var provider: String?

        @Option(
            help: ArgumentHelp("Profile that every request is to use, and no other.", valueName: "id"), completion: Completions.profiles)
        var profile: String?

        @OptionGroup var options: GlobalOptions

        func validate() throws {
            guard !undo || provider == nil && profile == nil else { throw ValidationError("--undo takes no --provider and no --profile.") }
        }

        func run() throws {
            let tool = try EnvCommand.find(tool)
            guard let kind = ToolSettings.Kind(rawValue: tool.id) else {
                let advice =
                    tool.way == .environment ? "use `keybearer env --tool \(tool.id)`" : tool.notes.first ?? "see `keybearer tools`"
                throw Failure.usage("the configuration of \(tool.name) is not edited by Keybearer: \(advice)")
            }
            guard let settings = ToolPlace.settings(kind) else {
                throw Failure.configuration("this user has no home folder: set HOME")
            }
            do {
                if undo { try undoSetup(settings, tool) } else { try install(settings, tool) }
            } catch let error as ToolSettingsFailure {
                throw Failure.failed(error.description)
            } catch let error as ToolFileError {
                throw Failure.failed(error.description)
            }
        }

        private func install(_ settings: ToolSettings, _ tool: Tool) throws {
            let target = try ToolTarget(options)
            let choice = try target.choice(for: tool, provider: provider, profile: profile)
            let content = ToolFileContent(choice.plan, routes: choice.routes, endpoint: choice.endpoint)
            let bases = content.bases.joined(separator: ", ")
            switch try settings.install(content) {
            case .unchanged: Output.line("\(settings.path) points \(tool.name) at \(bases) already")
            case .written(let copy):
                Output.line("\(settings.path) now points \(tool.name) at \(bases)")
                if let copy { Output.line("what it was before is kept in \(copy)") }
                Output.line("undo: keybearer tools setup \(tool.id) --undo")
                if let afterwards = settings.kind.afterwards { Output.line("note: \(afterwards)") }
            case .restored: break
            }
            for obstacle in try settings.obstacles() { Output.error("warning: \(obstacle), which goes before Keybearer; take it out") }
            for provider in target.unready(choice.routes) {
                Output.error("note: there is no profile of \(provider.id) yet: \(ToolTarget.remedy(provider))")
            }
            if LocalServer(try target.address).health(of: target.installation) != .ours {
                Output.error("note: no server answers at \(choice.endpoint.origin) now; start it: keybearer serve")
            }
        }

        private func undoSetup(_ settings: ToolSettings, _ tool: Tool) throws {
            if case .restored(let isGone) = try settings.undo() {
                Output.line(isGone ? "removed \(settings.path), which held nothing else" : "\(settings.path) is without Keybearer again")
            }
        }
    }
}

/// Where tools keep their files on this machine.
enum ToolPlace {
    /// The settings file of a tool; nil for a user without a home folder.
    static func settings(_ kind: ToolSettings.Kind) -> ToolSettings? {
        Surroundings.current.home.map { ToolSettings(kind, home: $0, environment: ProcessEnvironment.all) }
    }
}

/// One tool as it is listed.
private struct ToolEntry {
    let tool: Tool
    /// The executable that was found.
    let program: String?
    /// Its configuration file, if Keybearer edits it.
    let settings: ToolSettings?

    /// Where its configuration points, when that is Keybearer. A file that cannot be read points nowhere we know.
    private var base: String? { settings.flatMap { (try? $0.base()) ?? nil } }

    private var way: String {
        switch tool.way {
        case .environment: "keybearer env --tool \(tool.id)"
        case .arguments: "keybearer run -- \(tool.programs.first ?? tool.id)"
        case .settings: settings == nil ? "its own settings" : "keybearer tools setup \(tool.id)"
        case .none: "cannot use Keybearer"
        }
    }

    var row: [String] {
        let state = base.map { "set up for \($0)" } ?? (program != nil ? "found" : "")
        return [tool.id, tool.name, way, state]
    }

    var document: Value {
        [
            "id": .string(tool.id), "name": .string(tool.name), "way": .string(tool.way.rawValue),
            "programs": .array(tool.programs.map { .string($0) }), "installed": .bool(program != nil),
            "program": program.map { .string($0) } ?? nil,
            "dialects": .array(tool.dialects.map { .string($0.shape.rawValue) }),
            "variables": .array(tool.dialects.flatMap { $0.addresses.map(\.name) + $0.keys }.map { .string($0) }),
            "settingsPath": settings.map { .string($0.path) } ?? nil, "setUpFor": base.map { .string($0) } ?? nil,
            "works": .bool(tool.way != .none), "notes": .array(tool.notes.map { .string($0) }),
        ]
    }
}
