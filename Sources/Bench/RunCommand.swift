internal import ArgumentParser
internal import JSON

/// `keybearer-bench run`
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Measure Keybearer, alone, beside another build of it, or beside other proxies.",
        discussion: """
            Makes everything it needs: a certificate, a stub model API over TLS that refuses a request without the right credential, a \
            `keybearer serve` with a temporary state and the settings everybody has, and the load. The proxy has a processor to itself; load \
            and stub share another. Proxies take turns in every round, and ratios are made within a round; a cell that other work on the \
            machine has disturbed is measured again.

            KINDS OF WORK
            \(Scenario.all.map { "  \($0.name)\(String(repeating: " ", count: 9 - $0.name.count))\($0.title)" }.joined(separator: "\n"))

            OTHER PROXIES
            --peer's command is run by sh and stays in the foreground. It listens on 127.0.0.1 at $PORT (HTTP/1.1) and $H2PORT (HTTP/2 with \
            prior knowledge), and forwards to https://localhost:$UP_PORT, whose certificate $CA vouches for, in $UPALPN (h1 or h2). It takes \
            the client's Authorization and x-api-key away and puts on `Authorization: Bearer $TOKEN` and `ChatGPT-Account-Id: $ACCOUNT`. \
            $WORK is a folder for it.

            EXAMPLES
              keybearer-bench run --scenarios json4k,sse
              keybearer-bench run --against ./keybearer-before --rounds 5
              keybearer-bench run --peer 'nginx=exec ./nginx.sh' --peer-pairings nginx=h1/h1,h2/h1 --baseline nginx:h1/h1
            """)

    @Option(help: ArgumentHelp("Keybearer; else the one beside this program.", valueName: "file"), completion: .file())
    var executable: String?
    @Option(help: ArgumentHelp("Another build of it, to be compared with.", valueName: "file"), completion: .file())
    var against: String?
    @Option(name: .customLong("peer"), help: ArgumentHelp("Another proxy; may be repeated.", valueName: "name=command"))
    var peerCommands: [String] = []
    @Option(help: ArgumentHelp("What another proxy speaks; all four if it is not said.", valueName: "name=pairings"))
    var peerPairings: [String] = []
    @Flag(help: "Measure the stub without a proxy as well, for what a proxy adds.")
    var direct = false
    @Option(help: ArgumentHelp("Kinds of work, with commas; all if it is not said.", valueName: "names"))
    var scenarios: String?
    @Option(help: ArgumentHelp("Client's and upstream's HTTP, with commas.", valueName: "h1/h1,…"))
    var pairings = "h1/h1,h2/h1,h1/h2,h2/h2"
    @Option(help: "Rounds; paced streams (ssep) have twice as many, each twice as long.")
    var rounds = 3
    @Option(help: ArgumentHelp("How long a cell is measured.", valueName: "seconds"))
    var seconds = 2.0
    @Option(help: ArgumentHelp("How long before that its load runs already.", valueName: "seconds"))
    var warmUp = 0.5
    @Option(help: ArgumentHelp("Whom ratios are made with; --against if there is one.", valueName: "name[:pairing]"))
    var baseline: String?
    @Option(help: ArgumentHelp("A file that every row is added to at once; see `table`.", valueName: "file"), completion: .file())
    var rows: String?
    @Option(help: ArgumentHelp("A proxy's version, for the file; may be repeated.", valueName: "name=text"))
    var versionOf: [String] = []
    @Option(help: ArgumentHelp("What the file says that made it; else this command.", valueName: "text"))
    var madeBy: String?
    @Flag(help: "Print JSON: what the run was, and all rows.")
    var json = false

    func validate() throws {
        guard rounds > 0, seconds > 0, warmUp >= 0 else {
            throw ValidationError("--rounds and --seconds are above 0, --warm-up not below it.")
        }
        guard Pairing.list(pairings) != nil else { throw ValidationError("--pairings takes h1/h1, h2/h1, h1/h2 and h2/h2, with commas.") }
        for name in (scenarios ?? "").split(separator: ",") where Scenario.named(name) == nil {
            let known = Scenario.all.map(\.name).joined(separator: ", ")
            throw ValidationError("--scenarios: there is no \(name); there are \(known).")
        }
        for text in peerCommands where Peer(command: text) == nil { throw ValidationError("--peer takes name=command, not \(text).") }
        for text in peerPairings where Peer.cut(text).flatMap({ Pairing.list($0.value) }) == nil {
            throw ValidationError("--peer-pairings takes name=h1/h1,…, not \(text).")
        }
        for text in versionOf where Peer.cut(text) == nil { throw ValidationError("--version-of takes name=text, not \(text).") }
        let names = peers.map(\.name)
        guard Set(names).count == names.count else { throw ValidationError("Two proxies have one name.") }
        if let baseline {
            guard let read = Comparison.Baseline(baseline), names.contains(read.peer) else {
                throw ValidationError(
                    "--baseline takes the name of a proxy, with :h1/h1 for one pairing of it; there are \(names.joined(separator: ", ")).")
            }
        }
    }

    /// All proxies, in the order of columns.
    var peers: [Peer] {
        var peers = [Peer(name: "keybearer", kind: .keybearer(executable ?? Surroundings.besideUs("keybearer")))]
        if let against { peers.append(Peer(name: "against", kind: .keybearer(against))) }
        let named = peerPairings.compactMap(Peer.cut)
        for text in peerCommands {
            guard var peer = Peer(command: text) else { continue }
            if let said = named.last(where: { $0.name == peer.name }) { peer.pairings = Pairing.list(said.value) ?? [] }
            peers.append(peer)
        }
        if direct { peers.append(Peer(name: "direct", kind: .direct, pairings: [Pairing(.h1, .h1), Pairing(.h2, .h2)])) }
        return peers
    }

    /// What is to be measured.
    var plan: Rounds {
        let named = scenarios.map { $0.split(separator: ",").compactMap { Scenario.named($0) } } ?? Scenario.all
        return Rounds(
            scenarios: named, pairings: Pairing.list(pairings) ?? [], rounds: rounds, seconds: seconds, warmUp: warmUp, peers: peers)
    }

    /// Whom ratios are made with.
    var comparedWith: Comparison.Baseline? {
        baseline.flatMap { Comparison.Baseline($0) } ?? (against == nil ? nil : Comparison.Baseline(peer: "against", pairing: nil))
    }

    func run() throws {
        for case .keybearer(let path) in peers.map(\.kind) where !Surroundings.isExecutable(path) {
            throw BenchFailure.failed(
                "there is no executable \(path); build it (swift build -c release --product keybearer) or name it (--executable)")
        }
        let interruption = Interruption()
        Limits.raiseOpenFiles()
        Priority.raise()
        let processors = Processors()
        processors.moveToBench()
        if processors.bench == nil { Console.error("there is one processor: load, stub and proxy share it, and ratios say less") }
        let record = RunRecord(
            date: Surroundings.date, machine: Surroundings.machine,
            versions: versionOf.compactMap { Peer.cut($0) }.map { ($0.name, $0.value) },
            command: madeBy ?? (["keybearer-bench"] + CommandLine.arguments.dropFirst()).joined(separator: " "))
        if let rows { try FileText.write(RowFile.line(record.json), to: rows, appending: true) }
        let measured = try measure(processors, interruption)
        let errors = measured.contains { $0.errors > 0 }
        if json {
            Console.json(["run": record.json, "rows": .array(measured.map(\.json))])
        } else {
            Console.report(ReportTable(comparison: Comparison(rows: measured), baseline: comparedWith))
        }
        if errors { throw ExitCode.failure }
    }

    private func measure(_ processors: Processors, _ interruption: Interruption) throws -> [Row] {
        var measured: [Row] = []
        let stage = try Stage(processors)
        try plan.run(on: stage, interruption) { row in
            measured.append(row)
            if let rows { try FileText.write(RowFile.line(row.json), to: rows, appending: true) }
        }
        stage.end()
        return measured
    }
}
