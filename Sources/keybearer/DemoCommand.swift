internal import ArgumentParser
internal import Proxy
internal import Sandbox

/// `keybearer demo`
struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Show Keybearer at work, with a stand-in for the providers. Needs nothing, touches nothing of yours.",
        discussion: """
            Runs a sandbox provider and the proxy in one process, with a temporary state directory, and tries what Keybearer promises over \
            real sockets. Then it stays up, for requests of your own. Nothing leaves the machine.

            EXAMPLES
              keybearer demo
              keybearer demo --once
            """)

    @Flag(help: "End after the last step; exit code 0 when everything held, else 1.")
    var once = false

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        // Taken like every command does, and refused: a demo that wrote into somebody's state would be no demo.
        guard options.stateDirectory == nil, options.config == nil, options.agent == nil else {
            throw ValidationError("The demo has a temporary state of its own; --state-dir, --config and --agent mean nothing to it.")
        }
    }

    func run() throws {
        let signals = StopSignals()
        ProcessLimits.raiseOpenFiles()
        let folder = try TemporaryDirectory(in: Surroundings.current.temporaryDirectory)
        let stage = try DemoStage(in: folder.path)
        Self.introduce(stage, folder.path)
        var wasStopped = false
        var steps = DemoSteps(stage)
        try steps.run {
            wasStopped = wasStopped || signals.next(within: 0) != nil
            return wasStopped
        }
        let report = steps.report
        Output.line("\n\(report.checks - report.failures) of \(report.checks) held.")
        if !once, !wasStopped {
            Self.invite(stage, folder.path)
            _ = signals.next()
        }
        ServeCommand.stop(stage.server, signals)
        stage.sandbox.stop()
        if report.failures > 0 || wasStopped && once { throw ExitCode.failure }
    }

    private static func introduce(_ stage: DemoStage, _ folder: String) {
        Output.line("Keybearer, with a stand-in for the providers; nothing leaves this machine.")
        Output.table(
            [
                ["provider", "\(stage.sandbox.baseURL), over TLS, accepts only the right credential"],
                ["proxy", "http://127.0.0.1:\(stage.port)"], ["state", "\(folder), removed at the end"],
            ], indent: "  ")
    }

    /// Ready to paste.
    private static func invite(_ stage: DemoStage, _ folder: String) {
        let base = "http://127.0.0.1:\(stage.port)"
        Output.line(
            """

            It stays up until Ctrl-C. In another terminal:

              curl \(base)/openai/v1/responses -d '{"model":"gpt-5","input":"Hi"}'

              curl -N \(base)/anthropic/v1/messages -H 'Sandbox-Interval: 300ms' \\
                -d '{"model":"claude-sonnet-4-5","max_tokens":64,"stream":true,"messages":[{"role":"user","content":"Hi"}]}'

              curl -N -i \(base)/openai-codex@home/responses -d '{"model":"gpt-5","input":"Hi"}'

              curl -i \(base)/openai-codex@nobody/responses -d '{"model":"gpt-5","input":"Hi"}'

              \(Surroundings.executable) models status --state-dir \(folder)

              curl --cacert \(stage.sandbox.caFile) \(stage.sandbox.baseURL)/sandbox/audit
            """)
    }
}
