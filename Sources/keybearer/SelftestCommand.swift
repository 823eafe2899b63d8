internal import ArgumentParser
internal import Glibc

/// `keybearer selftest`
struct SelftestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "selftest",
        abstract: "Show that no login is lost: real refreshes, killed, starved, raced and lied to, against a stand-in for the provider.",
        discussion: """
            Refreshes a login in processes of their own, and does to them what happens in life: kill -9 at every step, a full disk, locks \
            whose holder dies or stops, slow, lying and broken token endpoints, eight processes at once, clocks that leap. After each, a new \
            process picks up what is left, and the provider, which revokes a login whose refresh token comes twice, is asked whether the \
            login still works. Prints what was tried and what was lost; a login may be lost at two points only, which no client can close.

            Nothing of yours is read or written, and nothing leaves this machine. No root, no strace; for every single system call of a \
            refresh, see Tests/full/refresh-kill.py.

            EXAMPLES
              keybearer selftest
              keybearer selftest --seconds 600 --json
            """,
        subcommands: [SelftestChild.self])

    @Flag(help: "Print JSON.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "About how long to go on; what remains after the list goes into kill -9 at random moments. Below 45, the scenario that takes 35 s "
                + "is left out.", valueName: "number"))
    var seconds = 45

    func validate() throws {
        guard (1...86_400).contains(seconds) else { throw ValidationError("--seconds is a whole number from 1 to 86400") }
    }

    func run() throws {
        let signals = StopSignals()
        ProcessLimits.raiseOpenFiles()
        let folder = try TemporaryDirectory(in: Surroundings.current.temporaryDirectory)
        defer { withExtendedLifetime(folder) {} }
        let run = SelftestRun(in: folder.path, seconds: seconds, progress: SelftestProgress(isShown: isatty(STDERR_FILENO) != 0)) {
            if signals.next(within: 0) != nil { throw SelftestStopped() }
        }
        let report: SelftestReport
        do {
            report = try run.report()
        } catch is SelftestStopped {
            throw Failure.failed("stopped before the end; nothing was decided")
        }
        if json { Output.json(report.json) } else { report.text.forEach { Output.line($0) } }
        if !report.isOK { throw ExitCode.failure }
    }
}

/// All scenarios, one after the other.
struct SelftestRun {
    private let folder: String
    private let seconds: Int
    private let progress: SelftestProgress
    private let checkStop: () throws -> Void

    /// A run in `folder`, which exists. `checkStop` throws when it is to end.
    init(in folder: String, seconds: Int, progress: SelftestProgress, checkStop: @escaping () throws -> Void) {
        self.folder = folder
        self.seconds = seconds
        self.progress = progress
        self.checkStop = checkStop
    }

    func report() throws -> SelftestReport {
        let began = ContinuousClock.now
        let deadline = began + .seconds(seconds)
        defer { progress.end() }
        let list =
            SelftestKills.scenarios + SelftestDisk.scenarios + SelftestLanes.scenarios + SelftestAnswers.scenarios
            + SelftestClocks.scenarios
        let held = try seconds >= 45 ? SelftestStoppedHolder(on: stage("held")) : nil
        var rows: [SelftestRow] = []
        for scenario in list + [SelftestKills.random(until: deadline)] {
            progress.show("\(rows.count + 1)/\(list.count + 2)  \(scenario.name)")
            rows.append(try row(of: scenario, in: "\(rows.count)"))
        }
        progress.show("\(list.count + 2)/\(list.count + 2)  \(SelftestStoppedHolder.name)")
        rows.append(try row(of: held))
        let (whole, atto) = (ContinuousClock.now - began).components
        return SelftestReport(rows: rows, seconds: Double(whole) + Double(atto) / 1e18)
    }

    private func stage(_ name: String, grace: Duration = .zero) throws -> SelftestStage {
        try SelftestStage(in: "\(folder)/\(name)", grace: grace)
    }

    private func row(of scenario: SelftestScenario, in name: String) throws -> SelftestRow {
        let row = SelftestRow(scenario.name, isUnavoidable: scenario.isUnavoidable)
        let trial = try SelftestTrial(row, on: stage(name, grace: scenario.grace), checkStop: checkStop)
        return try run(trial) { try scenario.body(trial) }
    }

    private func row(of held: SelftestStoppedHolder?) throws -> SelftestRow {
        var row = SelftestRow(SelftestStoppedHolder.name)
        guard let held else {
            row.skipped = "it takes 35 s (--seconds 45)"
            return row
        }
        let trial = SelftestTrial(row, on: held.stage, checkStop: checkStop)
        return try run(trial) { try held.finish(trial) }
    }

    /// What breaks a scenario off is a flaw of it, unless the user did.
    private func run(_ trial: SelftestTrial, _ body: () throws -> Void) throws -> SelftestRow {
        do {
            try body()
        } catch let stop as SelftestStopped {
            throw stop
        } catch {
            trial.check(false, "it broke off: \(Failure(error)?.description ?? "\(error)")")
        }
        return trial.row
    }
}

/// Which scenario is on, for a person who waits.
struct SelftestProgress {
    let isShown: Bool

    func show(_ text: String) {
        if isShown { Output.write("\r\u{1b}[K\(text)", to: STDERR_FILENO) }
    }

    func end() {
        if isShown { Output.write("\r\u{1b}[K", to: STDERR_FILENO) }
    }
}
