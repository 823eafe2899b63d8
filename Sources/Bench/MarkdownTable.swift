/// The table that README shows: a line for each kind of work and pairing, a column for each proxy.
///
/// Costs are told as ratios to the baseline in the same round, above 1 for what is cheaper; times and memory as they are.
struct MarkdownTable {
    let comparison: Comparison
    let baseline: Comparison.Baseline
    let records: [RunRecord]

    /// What of a kind of work is a line of its own.
    private struct Figure {
        let title: String
        let metric: Metric
        let isRatio: Bool
    }

    /// The whole text.
    var text: String {
        let peers = comparison.peers
        var lines = [
            "| work | figure | client/upstream | \(peers.joined(separator: " | ")) |",
            "|---|---|---|" + String(repeating: "---|", count: peers.count),
        ]
        for scenario in Scenario.all {
            for figure in figures(of: scenario) {
                for pairing in Pairing.all {
                    let cells = peers.map { cell(figure, scenario, pairing, $0) }
                    guard cells.contains(where: { $0 != "–" }) else { continue }
                    lines.append("| \(scenario.title) | \(figure.title) | \(pairing) | \(cells.joined(separator: " | ")) |")
                }
            }
        }
        return (introduction + [""] + lines + conclusion).joined(separator: "\n") + "\n"
    }

    private func figures(of scenario: Scenario) -> [Figure] {
        if let cost = scenario.cost {
            let delays = scenario.columns.filter { $0 == .delay50 }.map { Figure(title: $0.title, metric: $0, isRatio: false) }
            return [Figure(title: "CPU, \(baseline.title)", metric: cost, isRatio: true)] + delays
        }
        let shown: [Metric] = [.latency50, .latency99, .firstByte50, .firstByte99, .memoryPerThousand]
        return scenario.columns.filter(shown.contains).map { Figure(title: $0.title, metric: $0, isRatio: false) }
    }

    private func cell(_ figure: Figure, _ scenario: Scenario, _ pairing: Pairing, _ peer: String) -> String {
        guard let spread = comparison.spread(figure.metric, scenario.name, pairing, peer) else { return "–" }
        let absolute = Decimal.text(spread.median, places: figure.metric.places)
        guard figure.isRatio else { return absolute }
        let isBaseline = peer == baseline.peer && (baseline.pairing ?? pairing) == pairing
        if isBaseline { return "1 (\(absolute) \(figure.metric.title.dropFirst("CPU ".count)))" }
        guard let ratio = comparison.ratio(figure.metric, scenario.name, pairing, peer, to: baseline) else { return "–" }
        return Decimal.text(ratio.median, places: 2)
    }

    private var introduction: [String] {
        let whom = "\(baseline.peer)" + (baseline.pairing.map { " \($0)" } ?? "")
        var lines: [String] = []
        for record in records {
            let versions = record.versions.map { "\($0.name) \($0.text)" }.joined(separator: ", ") + "."
            // Of several runs, what is the same is told once.
            for line in ["\(record.date), \(record.machine)."] + (record.versions.isEmpty ? [] : [versions]) where !lines.contains(line) {
                lines.append(line)
            }
        }
        lines.append("Medians of \(rounds).")
        lines.append(
            "Where × is, the processor time of \(whom) is divided by that of the column's proxy in the same round: above 1 is cheaper.")
        return lines
    }

    /// How many rounds there are, and what has others. Memory is looked at once.
    private var rounds: String {
        let counts = Scenario.all.filter { !$0.isHeld }.map { scenario in
            (scenario, count: Set(comparison.rows.filter { $0.scenario == scenario.name }.map(\.round)).count)
        }.filter { $0.count > 0 }
        let usual = counts.map(\.count).min() ?? 1
        let others = counts.filter { $0.count > usual }.map { "; \($0.count) of \($0.0.title)" }
        return "\(usual) round\(usual == 1 ? "" : "s")" + others.joined()
    }

    /// What went wrong is told below the table, or that nothing did.
    private var conclusion: [String] {
        let wrong = comparison.rows.filter { $0.errors > 0 }
        let commands = Set(records.map(\.command)).sorted().map { "Made by `\($0)`." }
        guard !wrong.isEmpty else { return ["", "No answer was wrong in any cell."] + commands }
        var told: [String] = []
        for row in wrong {
            let text = "\(row.peer) \(row.pairing) at \(row.scenario): \(row.firstError ?? "errors")"
            if !told.contains(text) { told.append(text) }
        }
        return ["", "Wrong answers: \(told.joined(separator: "; "))."] + commands
    }
}
