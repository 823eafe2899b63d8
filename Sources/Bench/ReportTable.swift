/// What a run came to, for people: a table for each kind of work.
struct ReportTable {
    let comparison: Comparison
    let baseline: Comparison.Baseline?

    /// Title and lines, whose cells are to be aligned, of each kind of work that has rows.
    var sections: [(title: String, lines: [[String]])] {
        Scenario.all.compactMap { scenario in
            let lines = lines(of: scenario)
            return lines.isEmpty ? nil : (scenario.title, [head(of: scenario)] + lines)
        }
    }

    private func head(of scenario: Scenario) -> [String] {
        var cells = ["pairing", "proxy"]
        if let cost = scenario.cost { cells.append(cost.title) }
        if let baseline, Self.compared(scenario) != nil { cells.append(baseline.title) }
        return cells + scenario.columns.map(\.title) + ["errors"]
    }

    /// What ratios are made of: the cost, or the time that matters.
    static func compared(_ scenario: Scenario) -> Metric? { scenario.cost ?? scenario.columns.first { $0 != .requestsPerSecond } }

    private func lines(of scenario: Scenario) -> [[String]] {
        var lines: [[String]] = []
        for pairing in Pairing.all {
            for peer in comparison.peers {
                let rows = comparison.rows(scenario.name, pairing, peer)
                guard !rows.isEmpty else { continue }
                lines.append([pairing.description, peer] + cells(scenario, pairing, peer) + [Self.errors(rows)])
            }
        }
        return lines
    }

    private func cells(_ scenario: Scenario, _ pairing: Pairing, _ peer: String) -> [String] {
        var cells: [String] = []
        if let cost = scenario.cost { cells.append(figure(cost, scenario, pairing, peer)) }
        if let baseline, let compared = Self.compared(scenario) {
            let ratio = comparison.ratio(compared, scenario.name, pairing, peer, to: baseline)
            cells.append(Self.text(ratio, places: 2))
        }
        return cells + scenario.columns.map { figure($0, scenario, pairing, peer) }
    }

    private func figure(_ metric: Metric, _ scenario: Scenario, _ pairing: Pairing, _ peer: String) -> String {
        Self.text(comparison.spread(metric, scenario.name, pairing, peer), places: metric.places)
    }

    /// `42.7 (41.0–44.2)`
    static func text(_ spread: Comparison.Spread?, places: Int) -> String {
        guard let spread else { return "–" }
        let median = Decimal.text(spread.median, places: places)
        guard spread.count > 1 else { return median }
        return "\(median) (\(Decimal.text(spread.least, places: places))–\(Decimal.text(spread.most, places: places)))"
    }

    private static func errors(_ rows: [Row]) -> String {
        let count = rows.reduce(0) { $0 + $1.errors }
        return rows.lazy.compactMap(\.firstError).first.map { "\(count): \($0)" } ?? "\(count)"
    }
}
