internal import ArgumentParser
internal import Credentials
internal import JSON
internal import Proxy
internal import Routing
internal import Sockets

/// `keybearer cooldown`
struct CooldownCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cooldown", abstract: "See which profiles rest after refusals, and end their rests.",
        discussion: """
            A profile that a provider has refused for the time being (too much at once, a plan that is used up, an unpaid bill, a key that \
            is not taken) rests: others serve in its place. The rests are kept beside the credentials, in auth-state.json, so that all \
            processes see the same; a running server follows within a second.

            EXAMPLES
              keybearer cooldown list
              keybearer cooldown clear anthropic:work
              keybearer cooldown clear --provider openai
            """,
        subcommands: [List.self, Clear.self], defaultSubcommand: List.self)

    /// `keybearer cooldown list`
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List what rests, why, and for how long.",
            discussion: """
                EXAMPLES
                  keybearer cooldown list
                  keybearer cooldown list --provider anthropic --json | jq -r '.cooldowns[].profileId'
                """)

        @Option(help: ArgumentHelp("Only profiles of this provider.", valueName: "provider"))
        var provider: String?

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let installation = try Installation(options)
            let report = RestReport(try installation.load(), now: Clock.wall())
            let wanted = provider.map(ProviderName.normalised)
            let rests = report.rests.filter { wanted == nil || $0.provider == wanted }
            if json {
                return Output.json([
                    "agentId": .string(installation.agentID), "statePath": .string(installation.store.statePath),
                    "cooldowns": .array(rests.map { RestReport.document($0, now: report.now) }),
                ])
            }
            if rests.isEmpty { Output.line("No profile rests.") }
            Output.table(
                rests.map { rest in
                    [rest.profileID, rest.model ?? "all models", rest.reason.name, "for \(RestReport.span(rest, report.now))"]
                })
        }
    }

    /// `keybearer cooldown clear`
    struct Clear: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "clear", abstract: "End the rests of a profile, of a provider's profiles, or of all.",
            discussion: """
                The errors that led to them are forgotten as well. What was used and spent is kept.

                EXAMPLES
                  keybearer cooldown clear
                  keybearer cooldown clear anthropic:work
                  keybearer cooldown clear --provider openai --json
                """)

        @Argument(help: ArgumentHelp("The profile; all when left out.", valueName: "profileId"))
        var profileID: String?

        @Option(help: ArgumentHelp("Only profiles of this provider.", valueName: "provider"))
        var provider: String?

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let installation = try Installation(options)
            // A running server writes its refusals down a moment later: one that was made just now is to be cleared as well.
            if installation.control.status != nil { Pause.milliseconds(Server.usageDelay) }
            let snapshot = try installation.load()
            if let profileID, snapshot.profile(profileID) == nil, snapshot.usage[profileID] == nil {
                throw StoreError.unknownProfile(id: profileID)
            }
            let wanted = provider.map(ProviderName.normalised)
            let now = Clock.wall()
            let chosen = snapshot.usage.keys.sorted().filter { id in
                (profileID == nil || id == profileID) && (wanted == nil || snapshot.profile(id)?.provider == wanted)
            }
            let cleared = chosen.filter { snapshot.usage[$0]?.isResting(now: now) ?? false }
            // An inherited profile rests in the file that holds it.
            for (store, ids) in Dictionary(grouping: chosen, by: { installation.owner(of: $0, in: snapshot) }) {
                try store.updateUsage(ids) { _, usage in
                    var usage = usage
                    usage.clearRests()
                    return usage
                }
            }
            if json {
                return Output.json(["agentId": .string(installation.agentID), "cleared": .array(cleared.map { .string($0) })])
            }
            Output.line(cleared.isEmpty ? "No such profile rests." : "No longer at rest: \(cleared.joined(separator: ", "))")
        }
    }
}
