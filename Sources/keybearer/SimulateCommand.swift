internal import ArgumentParser
internal import Configuration
internal import JSON
internal import Routing

/// `keybearer simulate`
struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate", abstract: "Play a day of many sessions on many accounts, and show who served whom.",
        discussion: """
            The rules by which profiles are chosen, rest and return are played on a clock of their own, with accounts of different plans that \
            refuse as providers do. Nothing is sent, read or written. The exit code is 1 unless all of this holds: no request fails while an \
            account has room, fewer than 2 % of the requests change the account within their session, sessions return when their account has \
            recovered, and no metered key is used without leave.

            EXAMPLES
              keybearer simulate
              keybearer simulate --sessions 400 --hours 48 --seed 7
              keybearer simulate --strategy order --json
            """)

    @Option(help: ArgumentHelp("Accounts; a fifth of them are metered keys.", valueName: "number"))
    var accounts = 20

    @Option(help: ArgumentHelp("Sessions.", valueName: "number"))
    var sessions = 200

    @Option(help: ArgumentHelp("Hours.", valueName: "number"))
    var hours = 24

    @Option(help: ArgumentHelp("auth.strategy: order, least-used, drain-soonest or round-robin.", valueName: "strategy"))
    var strategy = AuthSettings.Strategy.leastUsed.rawValue

    @Option(help: ArgumentHelp("The same seed is the same day.", valueName: "number"))
    var seed: UInt64 = 1

    @Flag(help: "Give leave to spend money (auth.allowPaidFallback).")
    var allowPaid = false

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (1...1000).contains(accounts), (1...10_000).contains(sessions), (1...168).contains(hours) else {
            throw ValidationError("--accounts takes 1 to 1000, --sessions 1 to 10000, --hours 1 to 168.")
        }
        guard AuthSettings.Strategy(rawValue: strategy) != nil else {
            throw ValidationError("--strategy takes \(AuthSettings.Strategy.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
    }

    func run() throws {
        var setting = Simulation.Setting()
        setting.metered = accounts / 5
        setting.subscriptions = accounts - setting.metered
        (setting.sessions, setting.hours, setting.seed, setting.allowsPaid) = (sessions, hours, seed, allowPaid)
        setting.strategy = AuthSettings.Strategy(rawValue: strategy) ?? setting.strategy
        var simulation = Simulation(setting)
        let outcome = simulation.run()
        let broken = outcome.broken(allowsPaid: allowPaid)
        if json { Output.json(document(outcome, broken)) } else { print(outcome, broken) }
        if !broken.isEmpty { throw ExitCode(1) }
    }

    private func print(_ outcome: Simulation.Outcome, _ broken: [String]) {
        Output.table(
            [["account", "plan (5 h)", "a minute", "served", "refused", "rests"]]
                + outcome.accounts.enumerated().map { number, account in
                    let plan = account.plan.map { "\($0)" } ?? "metered"
                    return [
                        "\(number + 1)", plan, "\(account.perMinute)", "\(account.served)", "\(account.refused)", "\(account.rests)",
                    ]
                })
        let share = outcome.requests == 0 ? 0 : outcome.changes * 10_000 / outcome.requests
        let percent = "\(share / 100).\(share % 100 < 10 ? "0" : "")\(share % 100) %"
        Output.line("")
        Output.table([
            ["requests", "\(outcome.requests) of \(sessions) sessions in \(hours) h, strategy \(strategy)"],
            ["failed", "\(outcome.failedWithRoom) while an account had room, \(outcome.failedWithoutRoom) while none had"],
            ["changed account", "\(outcome.changes) (\(percent)), of these \(outcome.returns) back to the session's own"],
            ["did not return", "\(outcome.strays)"], ["metered", "\(outcome.paid)"],
        ])
        for sentence in broken { Output.error("keybearer: \(sentence)") }
    }

    private func document(_ outcome: Simulation.Outcome, _ broken: [String]) -> Value {
        func number(_ count: Int) -> Value { .integer(Int64(count)) }
        return [
            "sessions": number(sessions), "hours": number(hours), "strategy": .string(strategy), "requests": number(outcome.requests),
            "failedWithRoom": number(outcome.failedWithRoom), "failedWithoutRoom": number(outcome.failedWithoutRoom),
            "changes": number(outcome.changes), "returns": number(outcome.returns), "strays": number(outcome.strays),
            "metered": number(outcome.paid), "broken": .array(broken.map { .string($0) }),
            "accounts": .array(
                outcome.accounts.map { account in
                    [
                        "plan": account.plan.map(number) ?? .null, "perMinute": number(account.perMinute), "served": number(account.served),
                        "refused": number(account.refused), "rests": number(account.rests),
                    ]
                }),
        ]
    }
}
