internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import Glibc
internal import OAuth
internal import Sockets

/// `keybearer token`
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Print a profile's credential, refreshed first if it has expired.",
        discussion: """
            For tools that ask a command for their key, and for scripts. The login is refreshed under the same lock as by a running server \
            or any other process, so that nobody is logged out; no server is needed. Standard output holds the credential and nothing \
            else; what there is to say goes to standard error, and never holds it. On a terminal the credential is printed with --show only.

            A token that ends within 5 minutes is refreshed early. If that fails, the token that still works is printed, with a warning.

            EXAMPLES
              "apiKeyHelper": "keybearer token anthropic:work"               in Claude Code's settings.json
              curl -H "Authorization: Bearer $(keybearer token openai:default)" https://api.openai.com/v1/models
              keybearer token openai-codex:work --header | curl -H @- https://chatgpt.com/backend-api/wham/usage
              keybearer token openai-codex:work --json --min-validity 30m | jq -r .expires

            EXIT CODES
              0 printed, 1 there is none that works (log in again, or try again: the message says which), 64 no such profile, 78 settings
            """)

    @Argument(
        help: ArgumentHelp("Whose credential; `keybearer models auth list` lists them.", valueName: "profile"),
        completion: Completions.profiles)
    var profileID: String

    @Flag(help: "Print header fields, one a line: all that Keybearer would set on a request with this profile.")
    var header = false

    @Flag(help: "Print JSON: the credential, the header fields, and when it ends.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Refresh a login's token that ends sooner than this (30s, 10m, 1h; default 5m; 0: only an expired one). Every call refreshes if "
                + "the provider's tokens live shorter.", valueName: "duration"),
        transform: { text in
            if text == "0" { return 0 }
            guard text.last?.isLetter == true, let time = LifetimeText.milliseconds(text) else {
                throw ValidationError("it is 0, or a number with ms, s, m, h or d, such as 10m")
            }
            return time
        })
    var minValidity: Int64 = RefreshWindow.longestLead

    @Flag(help: "Print it on a terminal too, where it can be read over your shoulder and stays in the window.")
    var show = false

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        guard !(header && json) else { throw ValidationError("--header and --json exclude each other; --json has the header fields, too") }
    }

    func run() throws {
        if !Surroundings.current.allowsDebugging { ProcessLimits.forbidDumps() }
        // Before a refresh is spent on it.
        guard show || isatty(STDOUT_FILENO) == 0 else {
            throw Failure.usage("standard output is a terminal; to see the credential of \(profileID) there, say --show")
        }
        let installation = try Installation(options)
        let source = TokenSource(installation, options, minValidity: minValidity)
        let profile = try source.profile(profileID)
        let form: TokenForm = json ? .json : header ? .header : .plain
        let provider = installation.settings.provider(profile.provider)
        // Nor is one spent for what cannot be printed then.
        if form == .header { _ = try TokenText.fields(of: profile, provider) }
        let fresh = try Waiting.show("Refreshing \(profileID)") { try source.fresh(profile) }
        if let warning = fresh.warning { Output.error("keybearer: \(warning)") }
        Output.reveal(try TokenText.write(fresh.profile, as: form, provider), to: STDOUT_FILENO)
    }
}

/// How a credential is printed.
enum TokenForm {
    case plain, header, json
}
