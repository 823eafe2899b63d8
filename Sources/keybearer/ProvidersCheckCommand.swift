internal import ArgumentParser
internal import Configuration
internal import JSON

/// `keybearer providers check`
struct ProvidersCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check provider files; do nothing else.",
        discussion: """
            Without a name: those of the state directory. Every flaw is one line on standard error: file, line, column, member, and what \
            was expected; exit code 78 when there is one. A file that is right is told with what it adds, and with every place that it \
            sends something to: look at those before you put somebody else's file to use.

            EXAMPLES
              keybearer providers check
              keybearer providers check ./mine.json5
              keybearer providers check --json ./mine.json5 | jq '.problems[].line'
            """)

    @Argument(
        help: ArgumentHelp("Provider files, as if they were in the state directory.", valueName: "file"),
        completion: .file(extensions: ["json5", "json"]))
    var files: [String] = []

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: GlobalOptions

    func run() throws {
        do {
            tell(try Installation(options, files: files))
        } catch let error as SettingsError where json {
            Output.json(["providers": [], "notices": [], "problems": .array(error.problems.map(Self.document))])
            throw ExitCode(78)
        }
    }

    private func tell(_ installation: Installation) {
        let summaries = installation.settings.providers.map { ProviderSummary($0, installation.settings) }.filter { summary in
            files.isEmpty ? summary.origin != "built in" : files.contains { summary.origin.hasPrefix($0 + ":") }
        }
        let notices = installation.settings.notices
        if json {
            return Output.json([
                "providers": .array(summaries.map(\.document)), "notices": .array(notices.map { .string($0) }), "problems": [],
            ])
        }
        for summary in summaries {
            Output.line("\(summary.id): no flaw (\(summary.origin)); takes \(summary.takes.joined(separator: ", "))")
            if !summary.variables.isEmpty { Output.line("  reads \(summary.variables.map { "$" + $0 }.joined(separator: ", "))") }
            let others = alsoWritten(summary, installation.settings)
            if !others.isEmpty { Output.line("  with members that it has from \(others.joined(separator: ", "))") }
            Output.line("  sends to \(summary.places.isEmpty ? "no place yet" : summary.places.joined(separator: ", "))")
        }
        for notice in notices { Output.line("note: \(notice)") }
        if summaries.isEmpty { Output.line("no flaw; there are no provider files, and the settings change no provider") }
    }

    /// Which other files say something of a provider in a file that was named: what that one lacks, it has from there.
    private func alsoWritten(_ summary: ProviderSummary, _ settings: Settings) -> [String] {
        guard !files.isEmpty else { return [] }
        let written = settings.report.filter { $0.member.hasPrefix("providers.\(summary.id).") }.compactMap { line -> String? in
            guard case .file(let path, _) = line.origin, !files.contains(path) else { return nil }
            return path
        }
        return Set(written).sorted()
    }

    private static func document(_ problem: SettingsError.Problem) -> Value {
        [
            "file": .string(problem.source), "line": problem.line.map { .integer(Int64($0)) } ?? .null,
            "column": problem.column.map { .integer(Int64($0)) } ?? .null, "member": .string(problem.member),
            "message": .string(problem.message),
        ]
    }
}
