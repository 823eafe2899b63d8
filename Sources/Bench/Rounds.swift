/// A run: every kind of work, and in each round of it every proxy in turn, so that what the machine does meanwhile is everyone's.
struct Rounds {
    var scenarios: [Scenario]
    var pairings: [Pairing]
    var rounds: Int
    var seconds: Double
    var warmUp: Double
    var peers: [Peer]

    /// A cell to be measured.
    struct Turn: Equatable {
        let scenario, process, round: Int
        let client: Pairing.Version
    }

    /// Processes: a proxy, and what it speaks upstream.
    var processes: [(peer: Peer, upstream: Pairing.Version)] {
        peers.flatMap { peer in
            [.h1, .h2].filter { !peer.clients(upstream: $0, among: pairings).isEmpty }.map { (peer, $0) }
        }
    }

    /// All cells in order. Odd rounds go the other way round. Memory is looked at once.
    var turns: [Turn] {
        var turns: [Turn] = []
        let processes = processes
        for (index, scenario) in scenarios.enumerated() {
            for round in 0..<(scenario.isHeld ? 1 : rounds * scenario.weight) {
                let order = round % 2 == 0 ? Array(processes.indices) : processes.indices.reversed()
                for process in order where !(scenario.isHeld && processes[process].peer.kind == .direct) {
                    for pairing in processes[process].peer.clients(upstream: processes[process].upstream, among: pairings) {
                        turns.append(Turn(scenario: index, process: process, round: round, client: pairing.client))
                    }
                }
            }
        }
        return turns
    }

    /// How long a cell takes, in seconds, if nothing disturbs it.
    func duration(of turn: Turn) -> Double {
        let plan = scenarios[turn.scenario].plan(.h1, port: 0, seconds: seconds, warmUp: warmUp)
        return plan.hold == nil ? plan.warmUp + plan.duration : 2 * seconds + 3
    }

    // MARK: Running

    /// Measures everything; `take` gets each row as it is there.
    func run(on stage: borrowing Stage, _ interruption: Interruption, take: (Row) throws -> Void) throws {
        var running: [PeerProcess] = []
        defer { for process in running { process.stop() } }
        for (peer, upstream) in processes {
            Console.error("starting \(peer.name)\(peer.kind == .direct ? "" : ", which speaks \(upstream.rawValue) upstream")")
            let process = try PeerProcess(peer, upstream: upstream, on: stage)
            running.append(process)
            try process.start(stage.processors, interruption)
        }
        let turns = turns
        var left = turns.reduce(0) { $0 + duration(of: $1) }
        for (number, turn) in turns.enumerated() {
            let scenario = scenarios[turn.scenario]
            let process = running[turn.process]
            let cell = Cell(
                scenario: scenario, client: turn.client, process: process, round: turn.round, seconds: seconds, warmUp: warmUp)
            if scenario.isHeld { try startAnew(cell, stage, interruption) }
            let row = try measure(cell, stage.authorityFile, interruption)
            left -= duration(of: turn)
            Console.error(Progress.line(row, scenario, number: number + 1, of: turns.count, secondsLeft: left))
            try take(row)
        }
    }

    /// Memory is that of a process that has done nothing else but to have been warmed up.
    private func startAnew(_ cell: Cell, _ stage: borrowing Stage, _ interruption: Interruption) throws {
        cell.process.stop()
        try cell.process.start(stage.processors, interruption)
        let warming = Cell(
            scenario: .warming, client: cell.client, process: cell.process, round: cell.round, seconds: seconds, warmUp: warmUp)
        _ = try warming.measure(authorityFile: stage.authorityFile, interruption)
    }

    /// Measures a cell, and again where somebody else's work has spoilt it.
    private func measure(_ cell: Cell, _ authorityFile: String, _ interruption: Interruption) throws -> Row {
        var row = try cell.measure(authorityFile: authorityFile, interruption)
        for _ in 0..<cell.repetitions {
            guard let others = row.metrics[.othersBusy], others > Cell.disturbance else { break }
            Console.error("others kept \(Decimal.text(others, places: 2)) processors busy: measured again")
            row = try cell.measure(authorityFile: authorityFile, interruption)
        }
        return row
    }
}

/// How far a run is, a line for each cell.
enum Progress {
    static func line(_ row: Row, _ scenario: Scenario, number: Int, of count: Int, secondsLeft: Double) -> String {
        let shown = [scenario.cost].compactMap { $0 } + scenario.columns.prefix(3)
        let figures = shown.compactMap { metric in
            row.metrics[metric].map { "\(metric.title) \(Decimal.text($0, places: metric.places))" }
        }
        let errors = row.errors > 0 ? ", \(row.errors) ERRORS: \(row.firstError ?? "")" : ""
        let left = secondsLeft < 90 ? "\(Int(max(0, secondsLeft))) s" : "\(Int(secondsLeft / 60)) min"
        return "[\(number)/\(count), \(left) left] \(row.scenario) \(row.round + 1), \(row.peer) \(row.pairing): "
            + figures.joined(separator: ", ") + errors
    }
}
