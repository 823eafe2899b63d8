internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import JSON

/// `keybearer providers`
struct ProvidersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "providers", abstract: "See the providers, and check files that add one.",
        subcommands: [List.self, Show.self, ProvidersCheckCommand.self, ProvidersTestCommand.self, PrintSchema.self],
        defaultSubcommand: List.self)

    /// `keybearer providers list`
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the providers: where they are, what they take, and where that is written.",
            discussion: """
                A provider is data: built in, in a file of ~/.keybearer/providers/, or under `providers` in keybearer.json5.

                EXAMPLES
                  keybearer providers list
                  keybearer providers list --json | jq -r '.providers[] | select(.origin != "built in") | .id'
                """)

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let installation = try Installation(options, passesOver: true)
            let summaries = installation.settings.providers.map { ProviderSummary($0, installation.settings) }
            let problems = installation.wrongProviderFiles
            if json {
                return Output.json([
                    "providers": .array(summaries.map(\.document)),
                    "notices": .array(installation.settings.notices.map { .string($0) }),
                    "problems": .array(problems.map { .string($0.description) }),
                ])
            }
            Output.table(summaries.map(\.row))
            for notice in installation.settings.notices { Output.line("\nnote: \(notice)") }
            for problem in problems { Output.line("\nproblem: \(problem)") }
        }
    }

    /// `keybearer providers show`
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show all that is known of a provider, with where it comes from.",
            discussion: """
                With --json it is printed as a provider file would say it, to start one of your own from.

                EXAMPLES
                  keybearer providers show openai-codex
                  keybearer providers show groq --json > ~/.keybearer/providers/mine.json5
                """)

        @Argument(help: ArgumentHelp("The provider.", valueName: "provider"), completion: Completions.providers)
        var provider: String

        @Flag(help: "Print it in the form of a provider file.")
        var json = false

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let installation = try Installation(options)
            let provider = try installation.provider(provider)
            if json { return Output.json(installation.settings.document(of: provider.id) ?? .null) }
            let prefix = "providers.\(provider.id)."
            let lines = installation.settings.report.filter { $0.member.hasPrefix(prefix) }
            Output.table([
                ["provider", provider.id], ["written", "\(installation.settings.origin(of: provider.id))"],
                ["goes to", installation.settings.places(of: provider.id).joined(separator: ", ")],
            ])
            if let advice = provider.addressAdvice { Output.line(advice) }
            Output.line()
            Output.table(
                lines.map {
                    [String($0.member.dropFirst(prefix.count)), String(decoding: Writer.compact($0.value), as: UTF8.self), "\($0.origin)"]
                })
        }
    }

    /// `keybearer providers schema`
    struct PrintSchema: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "schema", abstract: "Print the JSON Schema of provider files, for an editor.",
            discussion: """
                The same as config/provider.schema.json. A file may name it: { "$schema": "/path/to/provider.schema.json", … }.

                EXAMPLES
                  keybearer providers schema > ~/.keybearer/provider.schema.json
                """)

        @OptionGroup var options: GlobalOptions

        func run() { Output.json(ProviderFiles.jsonSchema) }
    }
}

/// A provider in one line.
struct ProviderSummary {
    let id: String
    /// Where requests go, or what to set first.
    let place: String
    /// What can be stored for it, best first.
    let takes: [String]
    let origin: String
    let places: [String]
    let variables: [String]

    init(_ provider: Provider, _ settings: Settings) {
        id = provider.id
        place = provider.baseURL?.description ?? "no address yet"
        origin = "\(settings.origin(of: provider.id))"
        places = settings.places(of: provider.id)
        variables = settings.variables(of: provider.id)
        takes = Self.takes(provider)
    }

    private static func takes(_ provider: Provider) -> [String] {
        if !provider.needsCredential { return ["nothing"] }
        if provider.credentialsFrom != provider.id { return ["what \(provider.credentialsFrom) has"] }
        var ways: [String] = []
        if provider.hasLogin { ways.append("login") }
        if provider.setupToken != nil { ways.append("setup-token") }
        if provider.injection(for: .apiKey) != nil { ways.append("api-key") }
        if provider.injection(for: .token) != nil { ways.append("token") }
        return ways
    }

    var row: [String] { [id, place, takes.joined(separator: ", "), origin] }

    var document: Value {
        [
            "id": .string(id), "baseURL": .string(place), "takes": .array(takes.map { .string($0) }), "origin": .string(origin),
            "places": .array(places.map { .string($0) }), "variables": .array(variables.map { .string($0) }),
        ]
    }
}
