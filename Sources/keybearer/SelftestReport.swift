internal import JSON

/// What one scenario of the self-test came to. Pure.
struct SelftestRow: Equatable {
    /// How it is judged.
    enum Verdict: String {
        /// As promised.
        case held
        /// Logins were lost where no client can keep them.
        case unavoidable
        case failed
        case skipped
    }

    /// What happened to the refresh.
    let name: String
    /// Whether logins may be lost here: the provider has spent the old token, and no byte of the new one is on a disk of ours.
    let isUnavoidable: Bool
    var tries = 0
    /// Requests that the provider's token endpoint has seen, those of the recovery included.
    var posts = 0
    /// Logins that did not work any more afterwards.
    var lost = 0
    /// What was not as promised, one sentence each.
    var flaws: [String] = []
    /// Why it was not tried.
    var skipped: String?

    init(_ name: String, isUnavoidable: Bool = false) {
        self.name = name
        self.isUnavoidable = isUnavoidable
    }

    var verdict: Verdict {
        if !flaws.isEmpty { return .failed }
        if skipped != nil { return .skipped }
        // A scenario that tried nothing has shown nothing.
        if tries == 0 { return .failed }
        guard lost > 0 else { return .held }
        return isUnavoidable ? .unavoidable : .failed
    }
}

/// What the self-test says in the end. Pure.
struct SelftestReport {
    let rows: [SelftestRow]
    let seconds: Double

    var isOK: Bool { !rows.isEmpty && !rows.contains { $0.verdict == .failed } }

    /// The table and what is to be read with it, a line each.
    var text: [String] {
        let numbers = rows.map { row in row.skipped == nil ? ["\(row.tries)", "\(row.posts)", "\(row.lost)"] : ["-", "-", "-"] }
        let widths = (0..<3).map { column in max(Self.heads[column].count, numbers.map { $0[column].count }.max() ?? 0) }
        func right(_ cells: [String]) -> [String] {
            cells.enumerated().map { String(repeating: " ", count: widths[$0] - $1.count) + $1 }
        }
        let body = zip(rows, numbers).map { row, cells in [row.name] + right(cells) + [Self.words(row)] }
        var lines = Output.aligned([["what happened to the refresh"] + right(Self.heads) + ["verdict"]] + body)
        let flaws = rows.flatMap { row in row.flaws.map { "\(row.name): \($0)" } }
        if !flaws.isEmpty { lines += ["", "Not as promised:"] + flaws.map { "  " + $0 } }
        if rows.contains(where: { $0.verdict == .unavoidable }) { lines += ["", Self.explanation] }
        return lines + ["", summary]
    }

    /// For programs.
    var json: Value {
        [
            "ok": .bool(isOK), "version": .string(Version.text), "seconds": NumberText(Self.rounded(seconds)).map { .number($0) } ?? nil,
            "tries": .integer(Int64(rows.map(\.tries).reduce(0, +))), "posts": .integer(Int64(rows.map(\.posts).reduce(0, +))),
            "lost": .integer(Int64(rows.map(\.lost).reduce(0, +))), "lostAvoidably": .integer(Int64(lostAvoidably)),
            "scenarios": .array(rows.map(Self.document)),
        ]
    }

    private var lostAvoidably: Int { rows.filter { !$0.isUnavoidable }.map(\.lost).reduce(0, +) }

    private var summary: String {
        let tries = rows.map(\.tries).reduce(0, +)
        let failed = rows.filter { $0.verdict == .failed }.count
        let unavoidable = rows.map(\.lost).reduce(0, +) - lostAvoidably
        let lost = "\(lostAvoidably) logins lost\(unavoidable > 0 ? ", and \(unavoidable) at the two points no client can close" : "")"
        let verdict = failed == 0 ? "Everything held" : "\(failed) of \(rows.count) did not hold"
        return "\(verdict): \(tries) refreshes disturbed in \(Self.rounded(seconds)) s, \(lost)."
    }

    private static let heads = ["tries", "POSTs", "lost"]

    private static let explanation = """
        Unavoidable: between the moment at which the provider replaces a refresh token and the first byte of the new one on
        this disk lies the network. Who is cut off there, with the request sent or with the answer received and not yet
        journalled, cannot know the new token. A provider that takes the old one again for a while loses nothing: see the
        rows "with grace".
        """

    private static func words(_ row: SelftestRow) -> String {
        switch row.verdict {
        case .held: "held"
        case .unavoidable: "lost, unavoidable"
        case .failed: "FAILED"
        case .skipped: "skipped: \(row.skipped ?? "")"
        }
    }

    private static func document(_ row: SelftestRow) -> Value {
        var members: Object = [
            "name": .string(row.name), "tries": .integer(Int64(row.tries)), "posts": .integer(Int64(row.posts)),
            "lost": .integer(Int64(row.lost)), "mayLose": .bool(row.isUnavoidable), "verdict": .string(row.verdict.rawValue),
        ]
        if !row.flaws.isEmpty { members["flaws"] = .array(row.flaws.map { .string($0) }) }
        members["skipped"] = row.skipped.map { .string($0) }
        return .object(members)
    }

    /// To a tenth.
    private static func rounded(_ seconds: Double) -> Double { (seconds * 10).rounded() / 10 }
}
