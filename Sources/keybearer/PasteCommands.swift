internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import Sockets

/// What both paste commands take.
struct PasteOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Whose credential it is, e.g. anthropic or openai.", valueName: "provider"), completion: Completions.providers)
    var provider: String

    @Option(name: .customLong("profile-id"), help: ArgumentHelp("The profile's name.", valueName: "id"), completion: Completions.profiles)
    var profileID: String?

    @Flag(help: "Replace a profile of that name even if it holds another kind of credential, such as a login.")
    var replace = false

    func validate() throws { try ProfileName.check(profileID) }
}

/// Names that people give to profiles.
enum ProfileName {
    /// - Throws: `ValidationError`, before anything is asked for.
    static func check(_ id: String?) throws {
        guard let id else { return }
        let isName = (1...256).contains(id.utf8.count) && id.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        guard isName else {
            throw ValidationError("--profile-id is 1 to 256 octets without a control character, such as anthropic:work.")
        }
    }
}

/// `keybearer models auth paste-token`
struct PasteTokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "paste-token", abstract: "Store a bearer token that cannot be refreshed, such as Claude's setup-token.",
        discussion: """
            The token is read from standard input, or asked for without being shown; it is never an argument. The profile is called \
            <provider>:manual unless --profile-id says otherwise.

            Anthropic's setup-tokens begin with sk-ant-oat01- and have at least 80 characters; they last a year, which is noted unless \
            --expires-in says otherwise. A token of another form is refused for anthropic unless --any-shape says that it is meant.

            EXAMPLES
              keybearer models auth paste-token --provider anthropic --expires-in 365d
              pass show claude | keybearer models auth paste-token --provider anthropic
            """)

    @OptionGroup var paste: PasteOptions

    @Option(
        help: ArgumentHelp("When it stops working: a number with ms, s, m, h or d; days without a unit.", valueName: "duration"),
        transform: { text in
            guard let milliseconds = LifetimeText.milliseconds(text) else {
                throw ValidationError("it is a number with ms, s, m, h or d, such as 30d or 12h")
            }
            return milliseconds
        })
    var expiresIn: Int64?

    @Flag(help: "Take a token that does not begin as Anthropic's setup-tokens do.")
    var anyShape = false

    @OptionGroup var options: GlobalOptions

    func run() throws {
        try Paste(kind: .token, word: "token", defaultName: "manual").run(paste, options) { secret, provider in
            let rules = provider.setupToken.flatMap { secret.revealed.hasPrefix($0.prefix) ? $0 : nil }
            if rules != nil || !anyShape, let flaw = PastedSecret.doubt(secret, as: .token, for: provider) {
                throw Failure.usage(rules != nil ? flaw : "\(flaw) If it is a token all the same, add --any-shape.")
            }
            let usual = rules?.life.map { $0.components.seconds * 1000 }
            if let usual, expiresIn == nil {
                Output.error("note: a setup-token lasts \(ExpiryText.span(usual)); that is noted, counted from now")
            }
            let life = expiresIn ?? usual
            return .token(secret, provider: provider.id, expires: life.map { Clock.wall() + $0 })
        }
    }
}

/// `keybearer models auth paste-api-key`
struct PasteAPIKeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "paste-api-key", abstract: "Store an API key.",
        discussion: """
            The key is read from standard input, or asked for without being shown; it is never an argument. The profile is called \
            <provider>:default unless --profile-id says otherwise.

            EXAMPLES
              keybearer models auth paste-api-key --provider openai
              keybearer models auth paste-api-key --provider google --profile-id google:team < key.txt
            """)

    @OptionGroup var paste: PasteOptions
    @OptionGroup var options: GlobalOptions

    func run() throws {
        try Paste(kind: .apiKey, word: "API key", defaultName: "default").run(paste, options) { secret, provider in
            if let doubt = PastedSecret.doubt(secret, as: .apiKey, for: provider) { Output.error("warning: \(doubt)") }
            return .apiKey(secret, provider: provider.id)
        }
    }
}

/// Stores what was pasted.
private struct Paste {
    let kind: Profile.Kind
    /// What people call it.
    let word: String
    /// The profile's name behind `<provider>:`.
    let defaultName: String

    func run(_ paste: PasteOptions, _ options: GlobalOptions, _ credential: (Secret, Provider) throws -> Credential) throws {
        if !Surroundings.current.allowsDebugging { ProcessLimits.forbidDumps() }
        let installation = try Installation(options)
        let provider = try installation.credentialProvider(paste.provider)
        guard provider.needsCredential else { throw Failure.usage("\(provider.id) needs no credential; use it as it is") }
        guard provider.injection(for: kind) != nil else {
            throw Failure.usage("\(provider.id) cannot be used with \(article) \(word); add \(ToolTarget.remedy(provider))")
        }
        let id = paste.profileID ?? "\(provider.id):\(defaultName)"
        let store = installation.store
        let replaced = try store.load().profile(id)
        // Before the secret is asked for: nobody types it twice.
        if let replaced, !paste.replace { try refuseLoss(of: replaced, in: provider) }
        if kind == .apiKey, LoginTerminal.isThere, let prompt = provider.apiKey.prompt { Output.error(prompt) }
        let secret = try PastedSecret.read("\(word) for \(provider.id)")
        let made = try credential(secret, provider)
        let snapshot = try Waiting.show(Waiting.store) { () throws(StoreError) in
            try store.put(made, id: id, client: provider.oauth)
        }
        report(id, snapshot, replaced: replaced != nil, installation, provider)
    }

    private var article: String { kind == .apiKey ? "an" : "a" }

    /// A login is not overwritten by mistake: `anthropic:default` may be one.
    private func refuseLoss(of profile: Profile, in provider: Provider) throws {
        if let overlay = profile.overlay {
            throw Failure.usage(
                "\(profile.id) is \(overlay.owner.name)'s login, read from \(overlay.path); name another profile with --profile-id, or "
                    + "replace it with --replace")
        }
        guard profile.kind != kind || profile.provider != provider.id else { return }
        throw Failure.usage(
            "\(profile.id) holds \(profile.provider == provider.id ? "" : "\(profile.provider)'s ")\(StatusText.kind(profile.kind)) already; "
                + "name another profile with --profile-id, or replace it with --replace")
    }

    private func report(_ id: String, _ snapshot: StoreSnapshot, replaced: Bool, _ installation: Installation, _ provider: Provider) {
        let expiry = snapshot.profile(id)?.expiry(now: Clock.wall()) ?? .never
        let detail = kind == .apiKey ? word : "\(word), \(ExpiryText.sentence(expiry, now: Clock.wall()))"
        Output.line("\(replaced ? "replaced" : "stored") \(id) (\(detail)) in \(installation.store.profilesPath)")
        if let notice = installation.places.notice { Output.error(notice) }
        let (source, order) = ProfileOrder.explicitOrder(
            provider: provider.id, snapshot: snapshot, configured: installation.settings.auth.order[provider.id])
        if let order, !order.contains(id) {
            Output.error(
                "note: \(StatusText.source(source)) of \(provider.id) does not list it, so it is not used; "
                    + "`keybearer models auth order set --provider \(provider.id) …` changes that")
        }
    }
}
