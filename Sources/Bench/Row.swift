internal import JSON

/// What one cell came to: a proxy, a kind of work, a pairing, a round.
struct Row: Sendable {
    let peer: String
    let scenario: String
    let pairing: Pairing
    let round: Int
    var errors = 0
    var firstError: String?
    var metrics: [Metric: Double] = [:]

    init(peer: String, scenario: String, pairing: Pairing, round: Int) {
        self.peer = peer
        self.scenario = scenario
        self.pairing = pairing
        self.round = round
    }

    /// The same in another round.
    func inRound(_ round: Int) -> Row {
        var row = Row(peer: peer, scenario: scenario, pairing: pairing, round: round)
        (row.errors, row.firstError, row.metrics) = (errors, firstError, metrics)
        return row
    }

    /// One line of a file of rows.
    var json: Value {
        var members: [(String, Value)] = []
        for metric in Metric.allCases {
            if let value = metrics[metric] { members.append((metric.rawValue, .decimal(value, places: 3))) }
        }
        return [
            "peer": .string(peer), "scenario": .string(scenario), "pairing": .string(pairing.description), "round": .integer(Int64(round)),
            "errors": .integer(Int64(errors)), "firstError": firstError.map { .string($0) } ?? nil, "metrics": .object(Object(members)),
        ]
    }

    /// The same read; nil when it is none.
    init?(_ json: Value) {
        guard let peer = json["peer"]?.string, let scenario = json["scenario"]?.string, let round = json["round"]?.int64,
            let pairing = json["pairing"]?.string.flatMap({ Pairing($0) })
        else { return nil }
        self.init(peer: peer, scenario: scenario, pairing: pairing, round: Int(round))
        errors = Int(json["errors"]?.int64 ?? 0)
        firstError = json["firstError"]?.string
        for metric in Metric.allCases { metrics[metric] = json["metrics"]?[metric.rawValue]?.double }
    }
}

/// What a run was, beside its rows: the first line of their file.
struct RunRecord: Sendable {
    /// `2026-11-27`
    var date: String
    /// Processor, number of them, kernel, and what else makes figures differ.
    var machine: String
    /// Of each proxy, as it tells it.
    var versions: [(name: String, text: String)]
    /// What made it.
    var command: String

    /// One line of a file of rows.
    var json: Value {
        [
            "date": .string(date), "machine": .string(machine), "command": .string(command),
            "versions": .object(Object(versions.map { ($0.name, .string($0.text)) })),
        ]
    }

    init(date: String, machine: String, versions: [(name: String, text: String)], command: String) {
        self.date = date
        self.machine = machine
        self.versions = versions
        self.command = command
    }

    /// The same read; nil when it is none.
    init?(_ json: Value) {
        guard let date = json["date"]?.string, let machine = json["machine"]?.string, let command = json["command"]?.string else {
            return nil
        }
        let versions = json["versions"]?.object.map { $0.map { ($0.name, $0.value.string ?? "") } } ?? []
        self.init(date: date, machine: machine, versions: versions, command: command)
    }
}

/// A file of a run: its record, and a row a line.
enum RowFile {
    /// Reads the lines of one or more files.
    static func read(_ text: String, name: String) throws -> (records: [RunRecord], rows: [Row]) {
        var records: [RunRecord] = []
        var rows: [Row] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() where !line.isEmpty {
            guard let value = try? Reader.parse(Array(line.utf8)) else {
                throw BenchFailure.failed("\(name):\(number + 1): this is no JSON; expected a row of `keybearer-bench run --rows`")
            }
            if let row = Row(value) {
                rows.append(row)
            } else if let record = RunRecord(value) {
                records.append(record)
            } else {
                throw BenchFailure.failed("\(name):\(number + 1): this is no row of `keybearer-bench run --rows`")
            }
        }
        return (records, rows)
    }

    /// A row or record as a line.
    static func line(_ value: Value) -> String { String(decoding: Writer.compact(value), as: UTF8.self) + "\n" }
}
