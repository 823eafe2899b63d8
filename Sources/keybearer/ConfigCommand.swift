internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import JSON

/// `keybearer config`
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check the settings, and show what is in force.", subcommands: [Check.self, Show.self])

    /// `keybearer config check`
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Check the settings file and the provider files; do nothing else.",
            discussion: """
                Every flaw is one line on standard error: file, line, column, member, and what was expected. Exit code 78 when there is one.

                EXAMPLES
                  keybearer config check
                  keybearer config check --config ./keybearer.json5
                """)

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let installation = try Installation(options)
            Output.line("\(installation.settingsPath): no flaw; \(installation.settings.providers.count) providers")
        }
    }

    /// `keybearer config show`
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show every setting in force, with where it comes from.",
            discussion: """
                EXAMPLES
                  keybearer config show
                  keybearer config show --json | jq '.members["timeouts.head"]'
                """)

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let installation = try Installation(options)
            let report = installation.settings.report
            guard !json else { return Output.json(Self.document(installation, report)) }
            Output.table([
                ["settings", installation.settingsPath], ["state directory", installation.places.stateDirectory],
                ["credentials", installation.places.sink],
            ])
            if let notice = installation.places.notice { Output.line(notice) }
            Output.line()
            Output.table(report.map { [$0.member, String(decoding: Writer.compact($0.value), as: UTF8.self), "\($0.origin)"] })
        }

        private static func document(_ installation: Installation, _ report: [SettingsReportLine]) -> Value {
            let members = Object(report.map { ($0.member, ["value": $0.value, "origin": .string("\($0.origin)")]) })
            return [
                "settings": .string(installation.settingsPath), "stateDirectory": .string(installation.places.stateDirectory),
                "sink": .string(installation.places.sink), "notice": installation.places.notice.map { .string($0) } ?? nil,
                "members": .object(members),
            ]
        }
    }
}
