import JSON
import Testing

@testable import Bench

/// Medians over rounds, ratios within them, and the tables that tell them.
@Suite struct ComparisonTests {
    private let h1 = Pairing(.h1, .h1)
    private let h2 = Pairing(.h1, .h2)

    private func row(_ peer: String, _ pairing: Pairing, _ round: Int, _ cost: Double, errors: Int = 0) -> Row {
        var row = Row(peer: peer, scenario: "json4k", pairing: pairing, round: round)
        row.metrics[.cpuPerRequest] = cost
        row.errors = errors
        if errors > 0 { row.firstError = "status 502" }
        return row
    }

    /// The machine becomes twice as slow in round 1.
    private var comparison: Comparison {
        Comparison(rows: [
            row("nginx", h1, 0, 40), row("ours", h1, 0, 20), row("ours", h2, 0, 10), row("nginx", h1, 1, 80), row("ours", h1, 1, 50),
            row("ours", h2, 1, 20), row("nginx", h1, 2, 42), row("ours", h1, 2, 21),
        ])
    }

    @Test(arguments: [([3], 3), ([1, 2], 1.5), ([5, 1, 3], 3), ([4, 1, 3, 2], 2.5)] as [([Double], Double)])
    func `The median is the one in the middle`(values: [Double], median: Double) {
        let spread = Comparison.Spread(values)
        #expect(spread?.median == median && spread?.least == values.min() && spread?.most == values.max() && spread?.count == values.count)
    }

    @Test func `Of nothing there is none`() {
        #expect(Comparison.Spread([]) == nil)
        #expect(comparison.spread(.busy, "json4k", h1, "ours") == nil)
        #expect(comparison.spread(.cpuPerRequest, "sse", h1, "ours") == nil)
    }

    @Test func `Ratios are made within a round, so that a slow round changes none`() {
        let ratio = comparison.ratio(.cpuPerRequest, "json4k", h1, "ours", to: .init(peer: "nginx", pairing: nil))
        #expect(ratio == Comparison.Spread([2, 1.6, 2]))
    }

    @Test func `One pairing of the baseline can stand for all`() {
        let one = Comparison.Baseline(peer: "nginx", pairing: h1)
        #expect(comparison.ratio(.cpuPerRequest, "json4k", h2, "ours", to: one) == Comparison.Spread([4, 4]))
        let same = Comparison.Baseline(peer: "nginx", pairing: nil)
        #expect(comparison.ratio(.cpuPerRequest, "json4k", h2, "ours", to: same) == nil)
    }

    @Test(arguments: [("nginx", "nginx", nil), ("nginx:h1/h1", "nginx", Pairing(.h1, .h1)), ("a:h2/h1", "a", Pairing(.h2, .h1))])
    func `A baseline is named with or without a pairing`(text: String, peer: String, pairing: Pairing?) {
        #expect(Comparison.Baseline(text) == Comparison.Baseline(peer: peer, pairing: pairing))
    }

    @Test(arguments: ["", ":h1/h1", "nginx:", "nginx:h3/h1"])
    func `What names none is none`(text: String) { #expect(Comparison.Baseline(text) == nil) }

    @Test func `A table tells medians, spread, ratios and errors`() throws {
        let rows = comparison.rows + [row("ours", Pairing(.h2, .h2), 0, 9, errors: 3)]
        let report = ReportTable(comparison: Comparison(rows: rows), baseline: Comparison.Baseline(peer: "nginx", pairing: h1))
        let section = try #require(report.sections.first)
        #expect(report.sections.count == 1)
        #expect(
            section.lines.map { $0.prefix(4).joined(separator: " | ") } == [
                "pairing | proxy | CPU µs/request | × nginx h1/h1", "h1/h1 | nginx | 42.0 (40.0–80.0) | 1.00 (1.00–1.00)",
                "h1/h1 | ours | 21.0 (20.0–50.0) | 2.00 (1.60–2.00)", "h1/h2 | ours | 15.0 (10.0–20.0) | 4.00 (4.00–4.00)",
                "h2/h2 | ours | 9.0 | 4.44",
            ])
        #expect(section.lines.map { $0.last ?? "" } == ["errors", "0", "0", "0", "3: status 502"])
        #expect(Set(section.lines.map(\.count)).count == 1)
    }

    @Test func `README's table has a line for each work and pairing, and says what was wrong`() {
        let record = RunRecord(date: "2026-01-02", machine: "M, 2 processors", versions: [("nginx", "1.2")], command: "Tests/Peers/run")
        let baseline = Comparison.Baseline(peer: "nginx", pairing: h1)
        let text = MarkdownTable(comparison: comparison, baseline: baseline, records: [record, record]).text
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines[0] == "2026-01-02, M, 2 processors." && lines[1] == "nginx 1.2." && lines[2] == "Medians of 3 rounds.")
        #expect(lines.contains("| work | figure | client/upstream | nginx | ours |"))
        let cells = lines.filter { $0.hasPrefix("| POST 4 KiB") }.map {
            $0.split(separator: "|").suffix(3).map(String.init).joined(separator: "|")
        }
        #expect(cells == [" h1/h1 | 1 (42.0 µs/request) | 2.00 ", " h1/h2 | – | 4.00 "])
        #expect(text.contains("No answer was wrong in any cell.") && text.contains("Made by `Tests/Peers/run`."))
        let wrong = MarkdownTable(
            comparison: Comparison(rows: [row("ours", h1, 0, 1, errors: 1)]), baseline: baseline, records: []
        ).text
        #expect(wrong.contains("Wrong answers: ours h1/h1 at json4k: status 502."))
    }

    @Test func `The table says what was measured in more rounds than the rest`() {
        func told(_ rounds: [(scenario: String, count: Int)]) -> Substring? {
            let rows = rounds.flatMap { scenario, count in (0..<count).map { Row(peer: "ours", scenario: scenario, pairing: h1, round: $0) }
            }
            let table = MarkdownTable(
                comparison: Comparison(rows: rows), baseline: Comparison.Baseline(peer: "ours", pairing: h1), records: [])
            return table.text.split(separator: "\n").first?.prefix { $0 != "." }
        }
        #expect(told([("json4k", 4), ("sse", 4), ("idle", 1)]) == "Medians of 4 rounds")
        #expect(told([("json4k", 4), ("ssep", 8), ("idle", 1)]) == "Medians of 4 rounds; 8 of 200 streams, an event each 20 ms")
        #expect(told([("json4k", 1)]) == "Medians of 1 round")
    }
}
