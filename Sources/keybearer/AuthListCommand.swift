internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import JSON
internal import Sockets

/// `keybearer models auth list`
struct AuthListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the profiles, in stored order.",
        discussion: """
            What they hold and whose they are, never a secret. `keybearer models status` says in which order they are used, and why not.

            EXAMPLES
              keybearer models auth list
              keybearer models auth list --json | jq -r '.auth[] | select(.provider == "anthropic") | .id'
            """)

    @Option(help: ArgumentHelp("Only those of this provider.", valueName: "provider"), completion: Completions.providers)
    var provider: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: GlobalOptions

    func run() throws {
        let installation = try Installation(options)
        let snapshot = try installation.load()
        // By name and not by the catalogue: a neighbour's profiles may belong to a provider that is none here.
        let wanted = provider.map(ProviderName.normalised)
        let profiles = snapshot.profiles.filter { wanted == nil || $0.provider == wanted }
        let now = Clock.wall()
        if json { return Output.json(["auth": .array(profiles.map { Self.document($0, snapshot, now) })]) }
        if profiles.isEmpty {
            Output.line("There are no profiles\(wanted.map { " of \($0)" } ?? ""); `keybearer models auth add` adds one.")
        }
        Output.table(profiles.map { [$0.id, $0.kind.rawValue, Self.standing($0, snapshot, now) + ($0.email.map { " <\($0)>" } ?? "")] })
    }

    private static func standing(_ profile: Profile, _ snapshot: StoreSnapshot, _ now: Int64) -> String {
        let eligibility = ProfileOrder.eligibility(of: profile, provider: profile.provider, declared: nil, snapshot: snapshot, now: now)
        return StatusText.standing(profile, eligibility, snapshot.needsLogin[profile.id], now: now)
    }

    /// The members of Moltbot's `channels list --json` (spec/credential-formats.md §7.3), and ours behind them.
    private static func document(_ profile: Profile, _ snapshot: StoreSnapshot, _ now: Int64) -> Value {
        var members: Object = [
            "id": .string(profile.id), "provider": .string(profile.provider), "type": .string(profile.kind.rawValue),
            "isExternal": .bool(profile.overlay != nil),
        ]
        members["email"] = profile.email.map { .string($0) }
        if profile.kind != .apiKey { members["expiresAt"] = profile.expires.map { .integer($0) } }
        members["needsLogin"] = .bool(snapshot.needsLogin[profile.id] != nil)
        return .object(members)
    }
}
