internal import ArgumentParser
internal import Children
internal import Glibc
internal import Sockets
internal import TLS

/// The executable: parses, calls, prints. What is decided is decided in the modules.
@main
struct Keybearer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keybearer",
        abstract: "A local proxy that keeps your model-API credentials and puts them on requests.",
        discussion: """
            Point a tool at http://127.0.0.1:5392/<provider>, with any placeholder as its key. Keybearer picks a credential profile, \
            refreshes it when it has expired, and forwards the request with it.

            EXAMPLES
              keybearer demo                      see it work; nothing to set up
              keybearer onboard                   from the first login to a first answer
              keybearer models auth paste-api-key --provider openai
              keybearer serve
              curl -d @request.json http://127.0.0.1:5392/openai/v1/responses

            EXIT CODES
              0 done, 1 failed, 64 wrong use, 69 server not reachable, 78 settings
            """,
        version: Version.text,
        subcommands: [
            OnboardCommand.self, ServeCommand.self, RunCommand.self, EnvCommand.self, ToolsCommand.self, ModelsCommand.self,
            StatusCommand.self, LoginCommand.self, ImportCommand.self, AgentsCommand.self, SessionsCommand.self, ClientsCommand.self,
            ChannelsCommand.self,
            ExplainCommand.self,
            CooldownCommand.self, DoctorCommand.self, ConfigCommand.self, ProvidersCommand.self, SandboxCommand.self, TLSCommand.self,
            DemoCommand.self,
            TokenCommand.self,
            SelftestCommand.self, SimulateCommand.self, StartServerCommand.self,
        ])

    /// In place of the library's own, so that what went wrong is one line and has our exit code.
    static func main() {
        var processes = ProcessAnswers()
        RunnerProcess.serveIfAsked(CommandLine.arguments) { processes.answer($0) }
        TLSMemory.usePools()
        if let script = CompletionScript.text(for: Array(CommandLine.arguments.dropFirst())) {
            return Output.write(script, to: STDOUT_FILENO)
        }
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            Failure.exit(with: error)
        }
    }
}

/// The version of this build.
enum Version {
    static let text = "0.1.0"
}
