/// Rows compared: medians over the rounds, and ratios within them. Pure.
struct Comparison {
    /// A median, and the least and most of what it is the median of.
    struct Spread: Equatable {
        let median, least, most: Double
        let count: Int

        /// Nil of nothing.
        init?(_ values: [Double]) {
            guard let median = Self.median(of: values), let least = values.min(), let most = values.max() else { return nil }
            self.median = median
            self.least = least
            self.most = most
            count = values.count
        }

        /// The middle one, or the mean of the two in the middle.
        static func median(of values: [Double]) -> Double? {
            guard !values.isEmpty else { return nil }
            let sorted = values.sorted()
            let middle = sorted.count / 2
            return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        }
    }

    /// Whom the others are compared with.
    struct Baseline: Equatable, Sendable {
        let peer: String
        /// The one pairing of it that all are compared with; nil: each with the same one.
        let pairing: Pairing?

        init(peer: String, pairing: Pairing?) {
            self.peer = peer
            self.pairing = pairing
        }

        /// Reads `nginx`, or `nginx:h1/h1`.
        init?(_ text: String) {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.first, !name.isEmpty else { return nil }
            peer = String(name)
            guard parts.count == 2 else {
                pairing = nil
                return
            }
            guard let pairing = Pairing(parts[1]) else { return nil }
            self.pairing = pairing
        }

        /// The head of a column of ratios.
        var title: String { "× \(peer)" + (pairing.map { " \($0)" } ?? "") }
    }

    let rows: [Row]

    /// The rows of one proxy at one kind of work.
    func rows(_ scenario: String, _ pairing: Pairing, _ peer: String) -> [Row] {
        rows.filter { $0.scenario == scenario && $0.pairing == pairing && $0.peer == peer }
    }

    /// A figure over all rounds.
    func spread(_ metric: Metric, _ scenario: String, _ pairing: Pairing, _ peer: String) -> Spread? {
        Spread(rows(scenario, pairing, peer).compactMap { $0.metrics[metric] })
    }

    /// How many times cheaper than the baseline in the same round: the figure of the baseline divided by the proxy's own.
    func ratio(_ metric: Metric, _ scenario: String, _ pairing: Pairing, _ peer: String, to baseline: Baseline) -> Spread? {
        let base = rows(scenario, baseline.pairing ?? pairing, baseline.peer)
        return Spread(
            rows(scenario, pairing, peer).compactMap { row in
                guard let own = row.metrics[metric], own > 0,
                    let other = base.first(where: { $0.round == row.round })?.metrics[metric]
                else { return nil }
                return other / own
            })
    }

    /// The names of the proxies, as they come.
    var peers: [String] {
        var names: [String] = []
        for row in rows where !names.contains(row.peer) { names.append(row.peer) }
        return names
    }
}
