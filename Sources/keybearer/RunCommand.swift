internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import Glibc
internal import Tools

/// `keybearer run`
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Start a tool that uses Keybearer.",
        discussion: """
            Starts the server if none answers (it stays, for the next one; its log is logs/serve.log in the state directory), adds a \
            profile at the terminal if there is none that the tool could use, points the \
            tool at it, and becomes the tool: process id, exit code and signals are the tool's own. Keys in the environment that would \
            lead it past Keybearer are taken away from it. A program that is not known gets the variables of the providers' libraries.

            EXAMPLES
              keybearer run -- claude
              keybearer run --profile work -- codex exec "say hi"
              keybearer run --provider groq -- python agent.py
            """)

    @Option(help: ArgumentHelp("Profile that every request is to use, and no other.", valueName: "id"), completion: Completions.profiles)
    var profile: String?

    @Option(
        help: ArgumentHelp("Provider to send the tool to, in place of its usual one.", valueName: "provider"),
        completion: Completions.providers)
    var provider: String?

    @Option(help: ArgumentHelp("Name of the session that the requests belong to.", valueName: "name"))
    var session: String?

    @OptionGroup var options: GlobalOptions

    @Argument(
        parsing: .captureForPassthrough, help: ArgumentHelp("The program and its arguments.", valueName: "command"),
        completion: Completions.programs)
    var command: [String] = []

    func validate() throws {
        // Passing through, the library passes these through as well.
        if let first = command.first, ["-h", "--help"].contains(first) { throw CleanExit.helpRequest(self) }
        guard !words.isEmpty else { throw ValidationError("Name the program to start: keybearer run -- claude") }
        guard words[0].first != "-" else {
            throw ValidationError("\(words[0]) is no option of `keybearer run`; the program comes after --.")
        }
    }

    /// Without the `--` that parts our options from the program's.
    private var words: [String] { command.first == "--" ? Array(command.dropFirst()) : command }

    func run() throws {
        let environment = ProcessEnvironment.all
        // Before anything is started: a name mistyped needs no server.
        guard ProcessEnvironment.program(words[0], path: environment["PATH"]) != nil else { throw Self.notFound(words[0]) }
        let tool = ToolCatalogue.tool(program: words[0]) ?? ToolCatalogue.anyProgram
        var target = try ToolTarget(options)
        var choice = try target.choice(for: tool, provider: provider, profile: profile, session: session)
        if let missing = missing(choice, target, tool), LoginTerminal.isThere {
            try logIn(missing, target.installation)
            target = try ToolTarget(options)
            choice = try target.choice(for: tool, provider: provider, profile: profile, session: session)
        }
        if let missing = missing(choice, target, tool) {
            throw Failure.failed("\(words[0]) could not be answered: \(missing.sentence); add one: \(ToolTarget.remedy(missing.provider))")
        }
        if tool.way == .settings { for note in tool.notes { Output.error("note: \(note)") } }
        if let notice = target.installation.places.notice { Output.error("note: \(notice)") }
        try LocalServer(try target.address).ensureRunning(target.installation, options)
        try Self.become(words[0], choice.plan.arguments + words.dropFirst(), choice.plan)
    }

    /// Providers of which a tool needs one, when none of them has a profile that can be used.
    private struct Missing {
        let provider: Provider
        /// Whose credentials would do.
        let owners: [String]
        let sentence: String
    }

    private func missing(_ choice: ToolTarget.Choice, _ target: ToolTarget, _ tool: Tool) -> Missing? {
        let unready = target.unready(choice.routes)
        guard unready.count == choice.routes.count, let first = unready.first else { return nil }
        let usual = provider == nil && profile == nil ? tool.dialects.filter { $0.only == nil }.flatMap(\.shape.preferredProviders) : []
        var owners: [String] = []
        for id in unready.map(\.id) + usual {
            guard let owner = target.installation.settings.provider(id)?.credentialsFrom, !owners.contains(owner) else { continue }
            owners.append(owner)
        }
        let sentence = "there is no profile of \(unready.map(\.id).joined(separator: ", ")) that can be used"
        return Missing(provider: first, owners: owners, sentence: sentence)
    }

    /// At a terminal what is missing is added at once: at most two questions, what there is and then the thing itself.
    private func logIn(_ missing: Missing, _ installation: Installation) throws {
        Output.error("\(missing.sentence), so one is added first.")
        let choices = AuthChoice.each(installation.settings, of: missing.owners)
        let place = choices.count == 1 ? 0 : try OnboardPrompt.choose("What do you have?", choices.map(\.text))
        // The tool inherits what signals are blocked: they must be as they were.
        let signals = OnboardSignals()
        defer { signals.restore() }
        try choices[place].command(["--provider", choices[place].providers[0]] + options.passedOn)
    }

    /// Replaces this process by the tool.
    private static func become(_ program: String, _ arguments: [String], _ plan: ToolPlan) throws {
        for name in plan.removed { unsafe unsetenv(name) }
        for variable in plan.variables { unsafe setenv(variable.name, variable.value, 1) }
        var argv = unsafe ([program] + arguments).map { unsafe strdup($0) } + [nil]
        unsafe execvp(program, &argv)
        let code = errno
        guard code != ENOENT else { throw notFound(program) }
        Output.error("keybearer: cannot start \(program): \(unsafe String(cString: strerror(code)))")
        throw ExitCode(126)
    }

    /// 127, as shells have it.
    private static func notFound(_ program: String) -> ExitCode {
        Output.error("keybearer: there is no program \"\(program)\"; is it installed, and its folder on the PATH?")
        return ExitCode(127)
    }
}
