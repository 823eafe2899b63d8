/// The table that README shows: a line for each kind of work and pairing, a column for each proxy.
///
/// Costs are told as ratios to the baseline in the same round, above 1 for what is cheaper; times and memory as they are.
struct MarkdownTable {
    let comparison: Comparison
    let baseline: Comparison.Baseline
    let records: [RunRecord]

    /// What of a kind of work is a line of its own.
    private struct Work {
        let title: String
        let metric: Metric
        let isRatio: Bool
    }

    /// The whole text.
    var text: String {
        let peers = comparison.peers
        var lines = [
            "| work | client/upstream | \(peers.joined(separator: " | ")) |",
            "|---|---|" + String(repeating: "---|", count: peers.count),
        ]
        for scenario in Scenario.all {
            for work in Self.works(of: scenario) {
                for pairing in Pairing.all {
                    let cells = peers.map { cell(work, scenario, pairing, $0) }
                    guard cells.contains(where: { $0 != "–" }) else { continue }
                    lines.append("| \(work.title) | \(pairing) | \(cells.joined(separator: " | ")) |")
                }
            }
        }
        return (introduction + [""] + lines + conclusion).joined(separator: "\n") + "\n"
    }

    private static func works(of scenario: Scenario) -> [Work] {
        if let cost = scenario.cost {
            let time = scenario.columns.first { $0 == .delay50 }.map { [Work(title: "the same: \($0.title)", metric: $0, isRatio: false)] }
            return [Work(title: "\(scenario.title): \(cost.title), ratio", metric: cost, isRatio: true)] + (time ?? [])
        }
        let metrics = scenario.columns.filter { [.latency50, .latency99, .firstByte50, .firstByte99, .memoryPerThousand].contains($0) }
        return metrics.map { Work(title: "\(scenario.title): \($0.title)", metric: $0, isRatio: false) }
    }

    private func cell(_ work: Work, _ scenario: Scenario, _ pairing: Pairing, _ peer: String) -> String {
        guard let figure = comparison.spread(work.metric, scenario.name, pairing, peer) else { return "–" }
        let absolute = Decimal.text(figure.median, places: work.metric.places)
        guard work.isRatio else { return absolute }
        let isBaseline = peer == baseline.peer && (baseline.pairing ?? pairing) == pairing
        if isBaseline { return "1 (\(absolute) µs)" }
        guard let ratio = comparison.ratio(work.metric, scenario.name, pairing, peer, to: baseline) else { return "–" }
        return Decimal.text(ratio.median, places: 2)
    }

    private var introduction: [String] {
        let rounds = Set(comparison.rows.map(\.round)).count
        let whom = "\(baseline.peer)" + (baseline.pairing.map { " \($0)" } ?? "")
        var lines = records.map { "\($0.date), \($0.machine)." }
        for record in records where !record.versions.isEmpty {
            lines.append(record.versions.map { "\($0.name) \($0.text)" }.joined(separator: ", ") + ".")
        }
        lines.append(
            "Medians of \(rounds) rounds. Ratios are processor time of \(whom) ÷ that of the column's proxy in the same round: above 1 is cheaper."
        )
        return lines
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
