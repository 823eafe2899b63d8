internal import ArgumentParser
internal import Files
internal import Sandbox

/// `keybearer sandbox`
struct SandboxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox",
        abstract: "Run a provider to try things on: logins that rotate, model APIs that stream.",
        discussion: """
            Plays Anthropic, OpenAI, Codex and Gemini on one loopback port, over TLS with a certificate it makes. Nothing it hands out is \
            worth anything elsewhere. Runs until told to stop.

            EXAMPLES
              keybearer sandbox --write-state ./try
              keybearer serve --state-dir ./try
              curl -d '{"model":"m","input":"hi"}' http://127.0.0.1:5392/openai/v1/responses
            """)

    @Option(help: ArgumentHelp("Port on 127.0.0.1; 0 for any free one.", valueName: "port"))
    var port: UInt16 = 0

    @Option(help: ArgumentHelp("Folder for the certificate; else a temporary one.", valueName: "dir"), completion: .directory)
    var directory: String?

    @Option(help: ArgumentHelp("How long access tokens live.", valueName: "seconds"))
    var lifetime = 3600

    @Flag(name: .customLong("no-tls"), help: "Speak plain HTTP.")
    var plain = false

    @Option(
        help: ArgumentHelp(
            "Write a state directory with settings and profiles for `keybearer serve --state-dir`. An existing one is replaced only if it "
                + "was made by this command.", valueName: "dir"),
        completion: .directory)
    var writeState: String?

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        guard lifetime > 0 else { throw ValidationError("--lifetime is a number of seconds above 0.") }
    }

    func run() throws {
        let signals = StopSignals()
        ProcessLimits.raiseOpenFiles()
        let surroundings = Surroundings.current
        let temporary = directory == nil && writeState == nil ? try TemporaryDirectory(in: surroundings.temporaryDirectory) : nil
        let absolute: (String) -> String = { $0.hasPrefix("/") ? $0 : "\(surroundings.currentDirectory)/\($0)" }
        let state = writeState.map(absolute)
        if let state { try SandboxFolder.claim(state) }
        let folder = try directory.map(absolute) ?? state ?? Self.path(of: temporary)
        _ = try PrivateDirectory.ensure(folder)

        var setup = SandboxServer.Options(directory: folder)
        setup.port = port
        setup.tls = !plain
        setup.accessTokenLifetime = lifetime
        let server = try SandboxServer(setup)
        if let state { try SandboxFolder.write(server.makeState(), to: state) }
        describe(server, state)
        _ = signals.next()
        server.stop()
    }

    private static func path(of temporary: borrowing TemporaryDirectory?) throws -> String {
        switch temporary {
        case .some(let directory): return directory.path
        case .none: throw Failure.failed("there is no folder for the certificate")
        }
    }

    /// What a person needs to use it.
    private func describe(_ server: SandboxServer, _ state: String?) {
        let trust = server.caFile.isEmpty ? "" : "--cacert \(server.caFile) "
        Output.line("sandbox listening on \(server.baseURL)")
        if !server.caFile.isEmpty { Output.line("certificate authority: \(server.caFile)") }
        Output.line()
        Output.line("Its own doors (all of them: curl \(trust)\(server.baseURL)/sandbox):")
        Output.line("  curl \(trust)\(server.baseURL)/sandbox/audit")
        Output.line(
            "  curl \(trust)-d '{\"path\":\"/v1/messages\",\"kind\":\"status\",\"status\":429}' \(server.baseURL)/sandbox/faults")
        Output.line()
        if let state {
            Output.line("Start a proxy in front of it:")
            Output.line("  \(Surroundings.executable) serve --state-dir \(state)")
            Output.line("  \(Surroundings.executable) models status --state-dir \(state)")
        } else {
            Output.line("For a proxy in front of it, start it with --write-state DIR, and then: keybearer serve --state-dir DIR")
        }
    }
}

/// A state directory that points at a sandbox.
enum SandboxFolder {
    /// Makes sure that nothing is lost by writing into `path`: it is empty, or it was made here before.
    static func claim(_ path: String) throws {
        // Somebody else's folder is not even closed to others: nothing of it is touched before it is known to be ours.
        if !Directory.names(in: path).isEmpty {
            let settings = try PrivateFile.read("\(path)/keybearer.json5")
            guard let settings, settings.bytes.starts(with: mark.utf8) else {
                throw Failure.failed("\(path) is not empty and was not made by `keybearer sandbox`; name a new folder")
            }
        }
        _ = try PrivateDirectory.ensure(path)
    }

    /// Writes settings and profiles.
    static func write(_ state: SandboxState, to path: String) throws {
        let agent = "\(path)/agents/main/agent"
        _ = try PrivateDirectory.ensure(agent)
        try PrivateFile.replace("\(path)/keybearer.json5", with: Array((mark + state.configuration).utf8))
        try PrivateFile.replace("\(agent)/auth-profiles.json", with: Array(state.profiles.utf8))
    }

    /// The first line of the settings, by which a folder of ours is known again.
    private static let mark = "// Made by `keybearer sandbox`, which replaces this file without asking.\n"
}
