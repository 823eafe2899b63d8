internal import ArgumentParser
internal import Glibc
internal import TLS

/// `keybearer-bench`: what Keybearer costs, for someone who has Swift and nothing else.
@main
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keybearer-bench",
        abstract: "Measure what a proxy of model APIs costs: load, a stub provider, and both around Keybearer or another proxy.",
        discussion: """
            EXAMPLES
              keybearer-bench run --scenarios json4k,sse
              keybearer-bench run --against ./keybearer-before
              keybearer-bench load http://127.0.0.1:5392/v1/messages --body 4096 --connections 64
              keybearer-bench upstream --address 127.0.0.1:9443

            EXIT CODES
              0 done, 1 failed or with errors in the answers, 64 wrong use
            """,
        subcommands: [RunCommand.self, LoadCommand.self, UpstreamCommand.self, TableCommand.self])

    /// In place of the library's own, so that what went wrong is one line.
    static func main() {
        TLSMemory.usePools()
        // A peer that has left is an answer of send(2), not a signal.
        _ = signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            BenchFailure.exit(with: error)
        }
    }
}
