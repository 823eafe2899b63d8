internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import OAuth

/// `keybearer models auth login`, and `keybearer login` for short.
struct LoginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Log in to a provider with your account, such as ChatGPT's for Codex.",
        discussion: """
            Opens the provider's page in your browser, and waits for it to come back. At any moment you can paste the address at which the \
            browser ended instead, or the code in it. Over SSH or without a display, a code is shown that you confirm on any device.

            The login is stored under the account's e-mail address. A second account becomes a second profile; logging in to the same \
            account again renews its profile.

            A provider whose data names a program (gcloud, az), or a client with a secret of its own, is asked for a token; the profile then \
            stands for asking again whenever one is needed.

            EXAMPLES
              keybearer login
              keybearer models auth login --provider vertex
              keybearer models auth login --provider openai-codex --device-code
              keybearer models auth login --provider openai-codex --profile-id openai-codex:work --no-browser
            """)

    @Option(
        help: ArgumentHelp(
            "Whom to log in to; without it, ChatGPT for Codex, or the first other provider with a login.", valueName: "provider"),
        completion: Completions.providers)
    var provider: String?

    @Option(
        name: .customLong("profile-id"), help: ArgumentHelp("The profile's name, in place of the account's.", valueName: "id"),
        completion: Completions.profiles)
    var profileID: String?

    @Flag(help: "Show a code to confirm on any device; use no browser here.")
    var deviceCode = false

    @Flag(help: "Wait for a paste alone; listen on no port.")
    var paste = false

    @Flag(help: "Show the address, and do not open it.")
    var noBrowser = false

    @Option(
        help: ArgumentHelp(
            "Go through this proxy, now and for every refresh: socks5h://127.0.0.1:9050, http://proxy:3128. Without it, HTTPS_PROXY counts.",
            valueName: "url"),
        transform: { text in
            guard let proxy = OutboundProxy(text) else { throw ValidationError("it is \(OutboundProxy.expectation)") }
            guard !proxy.hasCredentials else {
                throw ValidationError("a password on a command line can be seen by others; write it as \"proxy\" into the profile instead")
            }
            return proxy
        })
    var proxy: OutboundProxy?

    @Flag(help: "Replace the profile of that name even if it holds another account's credential.")
    var replace = false

    @Option(
        help: ArgumentHelp("How long to wait: a number with s, m or h, up to 1h.", valueName: "duration"),
        transform: { text in
            guard text.last?.isLetter == true, let time = LifetimeText.milliseconds(text), time >= 1000, time <= 3_600_000 else {
                throw ValidationError("it is a number with s, m or h, from 1s to 1h, such as 90s or 15m")
            }
            return time
        })
    var timeout: Int64 = 15 * 60_000

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        guard !(deviceCode && paste) else { throw ValidationError("--device-code and --paste exclude each other; choose one way.") }
        try ProfileName.check(profileID)
    }

    func run() throws {
        if !Surroundings.current.allowsDebugging { ProcessLimits.forbidDumps() }
        let installation = try Installation(options)
        let provider = try Self.target(provider, installation)
        if provider.onDemand != nil { return try OnDemandLogin(installation, provider).store(as: profileID, replacing: replace) }
        guard let known = provider.oauth, known.login != nil else {
            // A file that means one may lack its last member.
            let lack = provider.oauth == nil ? "" : ": its oauth has neither login.redirectURI nor login.device"
            throw Failure.usage("\(provider.id) has no login here\(lack); \(LoginAdvice.otherWay(provider))")
        }
        let proxy = try proxy ?? profileID.flatMap { try installation.store.load().profile($0)?.proxy }
        let client = try Waiting.show("Asking \(provider.id) for its endpoints") { () throws(LoginFailure) in
            try known.prepared(proxy: proxy)
        }
        guard let rules = client.login else { throw Failure.failed("\(provider.id) offers no login") }
        let login = Login(
            store: installation.store, client: client,
            target: LoginTarget(
                provider: provider.id, profileID: profileID, replaces: replace,
                needsAccountID: provider.injection(for: .oauth)?.accountHeader != nil),
            proxy: proxy)
        let report = LoginReport(installation, provider)
        if let finished = try Waiting.show(Waiting.store, { () throws(LoginFailure) in try login.prepare() }) {
            Output.error("An earlier login had been interrupted after the provider's answer; it is finished now.")
            return try report.tell(finished)
        }
        let ways = try LoginWays(
            wish: deviceCode ? .device : paste ? .paste : nil, opensBrowser: !noBrowser, client: client, rules: rules,
            surroundings: LoginSurroundings.current)
        let session = LoginSession(
            provider: provider.id, login: login, client: client, rules: rules, ways: ways, timeout: .milliseconds(timeout),
            secretVariables: Set(installation.settings.providers.flatMap(\.environmentKeys)))
        try report.tell(try session.run())
    }

    /// Whom to log in to.
    private static func target(_ name: String?, _ installation: Installation) throws -> Provider {
        if let name { return try installation.credentialProvider(name) }
        guard let first = installation.settings.providers.first(where: { $0.oauth?.login != nil }) else {
            throw Failure.usage("no provider here has a login; name one with --provider")
        }
        return first
    }
}

extension Provider {
    /// Whether `models auth login` has something to do.
    var hasLogin: Bool { oauth?.login != nil || onDemand != nil }
}

/// What to do where there is no login.
enum LoginAdvice {
    /// The command that stores a credential of `provider`.
    static func otherWay(_ provider: Provider) -> String {
        if provider.setupToken != nil { return "use `keybearer models auth setup-token --provider \(provider.id)`" }
        if provider.injection(for: .apiKey) != nil { return "use `keybearer models auth paste-api-key --provider \(provider.id)`" }
        return "use `keybearer models auth paste-token --provider \(provider.id)`"
    }
}
