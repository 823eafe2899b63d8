internal import ArgumentParser

/// `keybearer-bench table`
struct TableCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "table",
        abstract: "Make the tables of a run again from its rows.",
        discussion: """
            EXAMPLES
              keybearer-bench table results.jsonl
              keybearer-bench table results.jsonl --markdown --baseline nginx:h1/h1
            """)

    @Argument(help: "What `run --rows` has written.", completion: .file())
    var files: [String]
    @Option(help: ArgumentHelp("Whom ratios are made with.", valueName: "name[:pairing]"))
    var baseline: String?
    @Flag(help: "One table, as README shows it.")
    var markdown = false

    func validate() throws {
        guard baseline == nil || comparedWith != nil else {
            throw ValidationError("--baseline takes a name, with :h1/h1 for one pairing of it.")
        }
        guard !markdown || baseline != nil else { throw ValidationError("--markdown wants --baseline.") }
    }

    private var comparedWith: Comparison.Baseline? { baseline.flatMap { Comparison.Baseline($0) } }

    func run() throws {
        var records: [RunRecord] = []
        var rows: [Row] = []
        for file in files {
            let read = try RowFile.read(try FileText.read(file), name: file)
            // Rounds of another file are other rounds.
            let shift = (rows.map(\.round).max() ?? -1) + 1
            records += read.records
            rows += read.rows.map { $0.inRound($0.round + shift) }
        }
        guard !rows.isEmpty else { throw BenchFailure.failed("there is no row in \(files.joined(separator: ", "))") }
        let comparison = Comparison(rows: rows)
        if markdown, let comparedWith {
            Console.text(MarkdownTable(comparison: comparison, baseline: comparedWith, records: records).text)
        } else {
            Console.report(ReportTable(comparison: comparison, baseline: comparedWith))
        }
    }
}
