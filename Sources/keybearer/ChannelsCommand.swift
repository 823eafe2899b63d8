internal import ArgumentParser
internal import Credentials
internal import JSON

/// `keybearer channels`: Moltbot's command, as far as it is about credentials.
struct ChannelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "channels", abstract: "List the credentials in Moltbot's form.", subcommands: [List.self], defaultSubcommand: List.self
    )

    /// `keybearer channels list`
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the profiles.",
            discussion: """
                For scripts that read Moltbot's `channels list --json`. Keybearer has no chat channels, and asks no provider for usage: \
                `chat` is empty and `usage` absent, whether --no-usage is said or not.

                EXAMPLES
                  keybearer channels list --json | jq '.auth'
                """)

        @Flag(help: "Print JSON.")
        var json = false

        @Flag(name: .customLong("no-usage"), help: "Taken for Moltbot's sake; there is never any.")
        var noUsage = false

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let installation = try Installation(options)
            let profiles = try installation.load().profiles
            if json {
                // spec/credential-formats.md §7.3
                let auth = profiles.map { profile -> Value in
                    [
                        "id": .string(profile.id), "provider": .string(profile.provider), "type": .string(profile.kind.rawValue),
                        "isExternal": .bool(profile.overlay != nil),
                    ]
                }
                return Output.json(["chat": [:], "auth": .array(auth)])
            }
            guard !profiles.isEmpty else { return Output.line("no profiles in \(installation.store.profilesPath)") }
            Output.table(profiles.map { [$0.id, $0.provider, $0.kind.rawValue] })
        }
    }
}
