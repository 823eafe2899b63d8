internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import Sockets

/// `keybearer models auth setup-token`
struct SetupTokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup-token", abstract: "Store a provider's long-lived token, such as Claude's setup-token.",
        discussion: """
            Runs the program that makes one (`claude setup-token`) where it is installed, and then asks for the token it has printed; else \
            asks for it at once. The token is never an argument, and is not shown. Claude's lasts a year and is meant for Claude Code: \
            the provider may refuse it to other clients.

            EXAMPLES
              keybearer models auth setup-token --provider anthropic
              pass show claude/setup-token | keybearer models auth setup-token --profile-id anthropic:work
            """)

    @Option(help: ArgumentHelp("Whose token it is.", valueName: "provider"), completion: Completions.providers)
    var provider = "anthropic"

    @Option(name: .customLong("profile-id"), help: ArgumentHelp("The profile's name.", valueName: "id"), completion: Completions.profiles)
    var profileID: String?

    @Flag(help: "Do not run the program that makes one; ask for the token at once.")
    var paste = false

    @Flag(help: "Replace a profile of that name even if it holds another kind of credential, such as a login.")
    var replace = false

    @OptionGroup var options: GlobalOptions

    func validate() throws { try ProfileName.check(profileID) }

    func run() throws {
        if !Surroundings.current.allowsDebugging { ProcessLimits.forbidDumps() }
        let installation = try Installation(options)
        let provider = try installation.credentialProvider(provider)
        guard let rules = provider.setupToken else {
            throw Failure.usage("\(provider.id) has no setup-tokens; \(LoginAdvice.otherWay(provider))")
        }
        let id = profileID ?? "\(provider.id):manual"
        let store = installation.store
        let held = try store.load().profile(id)
        // Before anyone goes to the browser for a token.
        if let held, held.kind != .token || held.provider != provider.id, !replace {
            throw Failure.usage(
                "\(id) holds \(StatusText.kind(held.kind)) of \(held.provider) already; name another profile with --profile-id, or replace "
                    + "it with --replace")
        }
        if !paste, LoginTerminal.isThere {
            try SetupToken.make(by: rules, hiding: Set(installation.settings.providers.flatMap(\.environmentKeys)))
        }
        let secret = try PastedSecret.read("setup-token for \(provider.id)")
        if let flaw = PastedSecret.doubt(secret, as: .token, for: provider) { throw Failure.usage(flaw) }
        let now = Clock.wall()
        let expires = rules.life.map { now + $0.components.seconds * 1000 }
        _ = try Waiting.show(Waiting.store) { () throws(StoreError) in
            try store.put(.token(secret, provider: provider.id, expires: expires), id: id, client: provider.oauth)
        }
        let end = expires.map { ", \(ExpiryText.sentence(.valid(until: $0), now: now)), counted from now" } ?? ""
        Output.line("\(held == nil ? "stored" : "replaced") \(id) (setup-token\(end)) in \(store.profilesPath)")
        if let notice = installation.places.notice { Output.error(notice) }
        if let note = rules.note { Output.error("note: \(note)") }
    }
}

/// Tokens that a person has a program make.
enum SetupToken {
    /// Lets the program talk to the person, where it is installed.
    ///
    /// - Throws: `Failure` when the person ended it.
    static func make(by rules: SetupTokenRules, hiding variables: Set<String>) throws {
        guard let name = rules.program.first else { return say(rules.prompt) }
        let line = rules.program.joined(separator: " ")
        guard let program = ProcessEnvironment.program(name, path: ProcessEnvironment.all["PATH"]) else { return say(rules.prompt) }
        Output.error("Running `\(line)`; paste here the token that it prints at its end.")
        // A key in the environment would keep it from asking for the account.
        guard let process = ChildProcess(program, Array(rules.program.dropFirst()), terminal: .shared, hiding: variables) else {
            return Output.error("It could not be started; run it in another terminal.")
        }
        // Ctrl-C is for both of us: it ends this command too, and nothing has been written.
        let code = process.exitCode(waiting: true)
        guard code == 0 else { throw Failure.failed("`\(line)` ended with exit code \(code ?? -1); nothing was stored") }
    }

    private static func say(_ prompt: String?) {
        if let prompt { Output.error(prompt) }
    }
}
