internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import JSON
internal import Sockets

/// `keybearer models auth order`
struct OrderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "order", abstract: "See or set which profiles of a provider are used, in which order.",
        discussion: """
            An order set here goes before the settings' auth.order. A profile it does not list is not used. Without any order it is derived: \
            oauth, token, api_key, each as stored.
            """,
        subcommands: [Get.self, Set.self, Clear.self])

    /// What all three take.
    struct Subject: ParsableArguments {
        @Option(help: ArgumentHelp("Whose profiles are ordered.", valueName: "provider"), completion: Completions.providers)
        var provider: String

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: GlobalOptions
    }

    /// `keybearer models auth order get`
    struct Get: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "get", abstract: "Show the order in force and where it comes from.",
            discussion: """
                EXAMPLES
                  keybearer models auth order get --provider anthropic
                """)

        @OptionGroup var subject: Subject

        func run() throws {
            let installation = try Installation(subject.options)
            let provider = try installation.credentialProvider(subject.provider)
            try OrderReport(installation, provider, installation.load()).print(json: subject.json)
        }
    }

    /// `keybearer models auth order set`
    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set", abstract: "Use these profiles, best first, and no others.",
            discussion: """
                EXAMPLES
                  keybearer models auth order set --provider anthropic anthropic:work anthropic:home
                """)

        @OptionGroup var subject: Subject

        @Argument(help: ArgumentHelp("Profiles of the provider, best first.", valueName: "profile"), completion: Completions.profiles)
        var profileIDs: [String]

        func run() throws {
            let installation = try Installation(subject.options)
            let provider = try installation.credentialProvider(subject.provider)
            _ = try Waiting.show(Waiting.store) { () throws(StoreError) in
                try installation.store.setOrder(profileIDs, provider: provider.id, besides: installation.inherited)
            }
            OrderReport(installation, provider, try installation.load()).print(json: subject.json)
        }
    }

    /// `keybearer models auth order clear`
    struct Clear: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "clear", abstract: "Go back to the settings' order, or the derived one.",
            discussion: """
                EXAMPLES
                  keybearer models auth order clear --provider anthropic
                """)

        @OptionGroup var subject: Subject

        func run() throws {
            let installation = try Installation(subject.options)
            let provider = try installation.credentialProvider(subject.provider)
            _ = try Waiting.show(Waiting.store) { () throws(StoreError) in
                try installation.store.clearOrder(provider: provider.id)
            }
            OrderReport(installation, provider, try installation.load()).print(json: subject.json)
        }
    }
}

/// The order of one provider as it is printed.
private struct OrderReport {
    let installation: Installation
    let provider: Provider
    let snapshot: StoreSnapshot

    init(_ installation: Installation, _ provider: Provider, _ snapshot: StoreSnapshot) {
        self.installation = installation
        self.provider = provider
        self.snapshot = snapshot
    }

    func print(json: Bool) {
        let auth = installation.settings.auth
        let (source, explicit) = ProfileOrder.explicitOrder(provider: provider.id, snapshot: snapshot, configured: auth.order[provider.id])
        let ranked = ProfileOrder.resolve(
            provider: provider.id, snapshot: snapshot, configured: auth.order[provider.id], declared: auth.profiles, now: Clock.wall())
        guard !json else { return Output.json(document(source, explicit, ranked)) }
        Output.line("\(provider.id): \(StatusText.source(source))")
        Output.table(
            ranked.enumerated().map { number, entry in
                let isOut = entry.eligibility == .excludedByAuthOrder
                return [isOut ? "-" : "\(number + 1)", entry.profileID, StatusText.eligibility(entry.eligibility)]
            }, indent: "  ")
    }

    /// Moltbot's members (spec/credential-formats.md §7.1), and ours behind them.
    private func document(_ source: Ranked.Source, _ explicit: [String]?, _ ranked: [Ranked]) -> Value {
        let store = installation.store
        return [
            "agentId": .string(installation.agentID), "agentDir": .string(store.directory), "provider": .string(provider.id),
            "authStorePath": .string(store.profilesPath), "order": explicit.map { .array($0.map { .string($0) }) } ?? nil,
            "source": .string(source.rawValue),
            "candidates": .array(
                ranked.map { ["profileId": .string($0.profileID), "reason": .string($0.eligibility.rawValue)] }),
        ]
    }
}
