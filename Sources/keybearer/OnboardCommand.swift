internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import Tools

/// `keybearer onboard`
struct OnboardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "onboard", abstract: "Set Keybearer up, step by step, from the first login to a first answer.",
        discussion: """
            Looks for tools and logins on this machine, logs in by what you have, sets the order, offers a systemd service and the set-up \
            of your tools, and ends with a real request through the proxy and its answer. Every step can be left out, and Ctrl-C ends it \
            anywhere: what was stored until then stays, and nothing is half written.

            Choices for --auth-choice: openai-codex (a login), setup-token, token, apiKey, <provider>-api-key, skip.

            EXAMPLES
              keybearer onboard
              pass show openai | keybearer onboard --non-interactive --auth-choice apiKey --provider openai --token-stdin
              keybearer onboard --non-interactive --auth-choice skip --setup-tool claude --install-daemon
            """)

    @Flag(help: "Ask nothing; do what the flags say and no more.")
    var nonInteractive = false

    @Option(
        help: ArgumentHelp("What you have to log in with.", valueName: "choice"),
        completion: .list(["openai-codex", "setup-token", "token", "apiKey", "skip"]))
    var authChoice: String?

    @Option(help: ArgumentHelp("Whose login, token or key it is.", valueName: "provider"), completion: Completions.providers)
    var provider: String?

    @Option(name: .customLong("profile-id"), help: ArgumentHelp("The profile's name.", valueName: "id"), completion: Completions.profiles)
    var profileID: String?

    @Flag(help: "Read the token or key from standard input.")
    var tokenStdin = false

    @Option(help: ArgumentHelp("When a token stops working, such as 30d.", valueName: "duration"))
    var expiresIn: String?

    @Option(
        help: ArgumentHelp("Tool to set up, such as codex or claude; may be repeated.", valueName: "tool"),
        completion: Completions.fileTools)
    var setupTool: [String] = []

    @Flag(help: "Write the systemd user service.")
    var installDaemon = false

    @Flag(help: "End without a request.")
    var skipRequest = false

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        if nonInteractive, authChoice == nil {
            throw ValidationError("--non-interactive needs --auth-choice: openai-codex, setup-token, token, apiKey or skip.")
        }
        guard nonInteractive || !tokenStdin else { throw ValidationError("--token-stdin goes with --non-interactive.") }
        if authChoice == nil, provider != nil || profileID != nil || expiresIn != nil {
            throw ValidationError("--provider, --profile-id and --expires-in go with --auth-choice.")
        }
        if let expiresIn, LifetimeText.milliseconds(expiresIn) == nil {
            throw ValidationError("--expires-in is a number with ms, s, m, h or d, such as 30d or 12h.")
        }
        try ProfileName.check(profileID)
    }

    func run() throws {
        guard nonInteractive || LoginTerminal.isThere else {
            throw Failure.usage("onboard asks at a terminal; in a script use --non-interactive with --auth-choice")
        }
        let signals = OnboardSignals()
        let first = try Installation(options)
        // Before anything is stored: a choice or tool mistyped.
        let choice = try authChoice.map {
            try OnboardLogin($0, provider: provider, of: first, isScript: nonInteractive, hasInput: tokenStdin)
        }
        for name in setupTool where ToolSettings.Kind(rawValue: name) == nil {
            let known = ToolSettings.Kind.allCases.map(\.rawValue)
            throw Failure.usage("--setup-tool is one of \(known.joined(separator: ", ")), not \(name)")
        }
        let scan = try OnboardScan(first)
        for line in scan.lines { Output.line(line) }
        if let notice = first.places.notice { Output.line(notice) }
        try logIn(choice, first, signals)

        // Once more: the first profile may have decided which folder is used.
        let installation = try Installation(options, overrides: ProbeRun.overrides)
        let steps = OnboardSteps(
            installation: installation, options: options, isAsked: !nonInteractive, known: Set(scan.profiles.map(\.id)), signals: signals)
        try steps.setOrder()
        try steps.offerUnit(wanted: installDaemon)
        try steps.offerTools(scan.tools, wanted: setupTool)
        let isAnswered = skipRequest ? true : try steps.ask()
        try steps.tellWhatIsNext(Installation(options), scan.tools)
        if !isAnswered { throw ExitCode.failure }
    }

    private func logIn(_ choice: OnboardLogin?, _ installation: Installation, _ signals: OnboardSignals) throws {
        if let choice {
            defer { signals.restore() }
            return try choice.run(arguments)
        }
        let choices = AuthChoice.all(installation.settings)
        while true {
            let texts = choices.map(\.text) + ["nothing more: go on"]
            let place = try OnboardPrompt.choose("\nWhat do you want to add?", texts)
            guard choices.indices.contains(place) else { return }
            let providers = choices[place].providers
            let provider = providers.count == 1 ? providers[0] : providers[try OnboardPrompt.choose("Whose is it?", providers)]
            defer { signals.restore() }
            do {
                try choices[place].command(["--provider", provider] + options.passedOn)
            } catch {
                // A wrong paste is no reason to begin again; a signal is one to end.
                guard let failure = Failure(error) else { throw error }
                Output.error("keybearer: \(failure.description)")
            }
        }
    }

    private var arguments: [String] {
        let own = [("--profile-id", profileID), ("--expires-in", expiresIn)].flatMap { name, value in value.map { [name, $0] } ?? [] }
        return own + options.passedOn
    }
}

/// One of `--auth-choice`, and the command that does it.
struct OnboardLogin {
    private let command: ([String]) throws -> Void
    private let provider: String

    /// - Parameters:
    ///   - isScript: nobody can be asked.
    ///   - hasInput: a credential is on standard input.
    /// - Throws: `Failure` when there is no such choice, or its provider cannot have it.
    init(_ choice: String, provider: String?, of installation: Installation, isScript: Bool, hasInput: Bool) throws {
        let (kind, named) = Self.read(choice)
        if isScript, !hasInput, ["setup-token", "token", "apiKey"].contains(kind) {
            throw Failure.usage("--auth-choice \(choice) needs --token-stdin: a credential is read from standard input, and is no argument")
        }
        let wanted = provider ?? named
        switch kind {
        case "skip": (command, self.provider) = ({ _ in }, "")
        case "openai-codex":
            (command, self.provider) = ({ try LoginCommand.parse($0).run() }, wanted ?? "openai-codex")
        case "setup-token":
            let paste = isScript ? ["--paste"] : []
            (command, self.provider) = ({ try SetupTokenCommand.parse($0 + paste).run() }, wanted ?? "anthropic")
        case "token":
            (command, self.provider) = ({ try PasteTokenCommand.parse($0).run() }, try Self.required(wanted, choice))
        case "apiKey":
            (command, self.provider) = ({ try PasteAPIKeyCommand.parse($0).run() }, try Self.required(wanted, choice))
        default:
            throw Failure.usage(
                "there is no choice \"\(choice)\"; there are openai-codex, setup-token, token, apiKey, <provider>-api-key and skip")
        }
        if !self.provider.isEmpty { _ = try installation.credentialProvider(self.provider) }
    }

    /// Does it; `arguments` are those that every command takes, and its own.
    func run(_ arguments: [String]) throws {
        guard !provider.isEmpty else { return }
        try command(["--provider", provider] + arguments)
    }

    /// `openai-api-key` is an API key of openai; Moltbot calls Google's after its model.
    private static func read(_ choice: String) -> (kind: String, provider: String?) {
        let suffix = "-api-key"
        guard choice.hasSuffix(suffix), choice.count > suffix.count else { return (choice, nil) }
        let name = String(choice.dropLast(suffix.count))
        return ("apiKey", name == "gemini" ? "google" : name)
    }

    private static func required(_ provider: String?, _ choice: String) throws -> String {
        guard let provider else { throw Failure.usage("--auth-choice \(choice) needs --provider") }
        return provider
    }
}

extension GlobalOptions {
    /// The options as flags for another command.
    var passedOn: [String] {
        [("--state-dir", stateDirectory), ("--config", config), ("--agent", agent)].flatMap { name, value in value.map { [name, $0] } ?? []
        }
    }
}
