internal import Configuration
internal import Credentials
internal import Files
internal import Logging
internal import Proxy
internal import Sandbox

/// What the demo plays on: a sandbox as the provider, a proxy in front of it, and a folder for both. Nothing of the user's is read.
struct DemoStage {
    let sandbox: SandboxServer
    let server: Server
    let store: AgentStore
    /// Which account stands behind each profile.
    let accounts: [String: String]
    /// The proxy's.
    let port: UInt16

    /// Sets the stage up in `folder`.
    init(in folder: String) throws {
        sandbox = try SandboxServer(SandboxServer.Options(directory: folder))
        let state = sandbox.makeState()
        accounts = state.accounts
        try SandboxFolder.write(state, to: folder)
        let settings = try SettingsFile.load(
            stateDirectory: folder, overrides: SettingsOverrides(listen: ["127.0.0.1:0"], logLevel: "error"))
        server = try Server(settings: settings, sink: folder, logger: StandardErrorLog.logger(settings.log))
        store = AgentStore(sink: folder)
        guard let port = server.addresses.first?.split(separator: ":").last.flatMap({ UInt16($0) }) else {
            throw Failure.failed("the demo's proxy has no address")
        }
        self.port = port
    }
}

/// What the demo asserts, and whether it holds.
struct DemoReport {
    /// How many assertions did not hold.
    private(set) var failures = 0
    private(set) var checks = 0
    private var step = 0

    /// Announces the next step.
    mutating func begin(_ title: String) {
        step += 1
        Output.line("\n\(step). \(title)")
    }

    /// Says what happens, without asserting it.
    func tell(_ text: String) { Output.line("   \(text)") }

    /// One assertion, with the figures that show it.
    mutating func check(_ holds: Bool, _ text: String) {
        checks += 1
        if !holds { failures += 1 }
        Output.line("   \(holds ? "✓" : "✗") \(text)")
    }
}
