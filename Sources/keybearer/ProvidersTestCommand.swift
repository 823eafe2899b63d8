internal import ArgumentParser
internal import Configuration
internal import JSON

/// `keybearer providers test`
struct ProvidersTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Try a provider's data out against a stand-in that is shaped like it.",
        discussion: """
            Every way to log in that the data names, a request with what it brought, and a refresh, through a proxy of its own to a sandbox on \
            this machine whose endpoints have the data's form. It shows that the data does what it says; whether the real provider is like \
            that only a real login can show. No program of the data is run, nothing leaves the machine, and no credential of yours is read.

            EXAMPLES
              keybearer providers test openai-codex
              keybearer providers test acme --file ./acme.json5
              keybearer providers test acme --json | jq '.steps[] | select(.ok | not)'
            """)

    @Argument(help: ArgumentHelp("The provider.", valueName: "provider"), completion: Completions.providers)
    var provider: String

    @Option(
        help: ArgumentHelp("A provider file, as if it were in the state directory. May be repeated.", valueName: "file"),
        completion: .file(extensions: ["json5", "json"]))
    var file: [String] = []

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: GlobalOptions

    func run() throws {
        if !Surroundings.current.allowsDebugging { ProcessLimits.forbidDumps() }
        let installation = try Installation(options, files: file)
        let provider = try installation.provider(provider)
        let folder = try TemporaryDirectory(in: Surroundings.current.temporaryDirectory)
        let steps = try ProviderTrial(provider.id, installation.settings, in: folder.path).run()
        let failed = steps.filter { $0.flaw != nil }
        if json {
            Output.json([
                "provider": .string(provider.id), "ok": .bool(failed.isEmpty),
                "steps": .array(
                    steps.map {
                        ["name": .string($0.name), "ok": .bool($0.flaw == nil), "detail": .string($0.flaw ?? $0.detail)]
                    }),
            ])
        } else {
            Output.table(steps.map { [$0.flaw == nil ? "ok" : "FAIL", $0.name, $0.flaw ?? $0.detail] })
            if steps.isEmpty { Output.line("there is nothing to try: \(provider.id) uses the profiles of \(provider.credentialsFrom)") }
        }
        if !failed.isEmpty { throw ExitCode.failure }
    }
}
