internal import ArgumentParser
internal import Children
internal import Files
internal import Glibc
internal import Tools

/// A server that outlives the command that started it.
enum BackgroundServer {
    /// The log of the server's last start, empty, for us alone.
    static func prepareLog(in stateDirectory: String) throws -> String {
        _ = try PrivateDirectory.ensure(stateDirectory + "/logs")
        let path = stateDirectory + "/logs/serve.log"
        try PrivateFile.replace(path, with: [])
        return path
    }

    /// Starts it by way of a process that ends at once (``StartServerCommand``), so that the server is nobody's child: a tool must not
    /// be told of its end. Returns its process id.
    static func start(_ options: GlobalOptions, log: String) throws -> pid_t {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { throw Failure.failed("cannot make a pipe: \(errorText())") }
        let output = FileDescriptor(owning: ends[0])
        var start = ProcessStart()
        start.open("/dev/null", O_RDONLY, as: STDIN_FILENO)
        start.pass(ends[1], as: STDOUT_FILENO)
        let starter = try start.runOurselves(["start-server", "--log", log] + absolute(options))
        close(ends[1])
        var text = [UInt8](repeating: 0, count: 64)
        let count = unsafe text.withUnsafeMutableBytes { unsafe read(output.rawValue, $0.baseAddress, $0.count) }
        var status: Int32 = 0
        while unsafe waitpid(starter, &status, 0) < 0, errno == EINTR {}
        let word = String(decoding: text[..<max(0, count)], as: UTF8.self).prefix { $0.isNumber }
        guard let id = pid_t(word) else { throw Failure.failed("the server did not start: \(lastWords(log))") }
        return id
    }

    /// The last line that the server wrote.
    static func lastWords(_ log: String) -> String {
        let bytes = ((try? PrivateFile.read(log)) ?? nil)?.bytes ?? []
        let line = bytes.split(separator: UInt8(ascii: "\n")).last.map { String(decoding: $0, as: UTF8.self) }
        return line ?? "it said nothing; see \(log), or try `keybearer serve`"
    }

    /// The options as flags that mean the same in another folder.
    private static func absolute(_ options: GlobalOptions) -> [String] {
        let current = Surroundings.current.currentDirectory
        let place: (String) -> String = { $0.hasPrefix("/") || $0.hasPrefix("~") ? $0 : "\(current)/\($0)" }
        return [("--state-dir", options.stateDirectory.map(place)), ("--config", options.config.map(place))]
            .flatMap { name, value in value.map { [name, $0] } ?? [] }
    }

    static func errorText() -> String { unsafe String(cString: strerror(errno)) }
}

/// `keybearer start-server`: for `run` alone, hence hidden. Starts `serve` in a session of its own and ends.
struct StartServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start-server", abstract: "Start the server in the background.", shouldDisplay: false)

    @Option(help: ArgumentHelp("Where the server's log goes.", valueName: "file"))
    var log: String

    @OptionGroup var options: GlobalOptions

    func run() throws {
        // Away from the terminal: Ctrl-C in the tool, or a closed window, must not end the server.
        setsid()
        // What the shell or the tool had open is not the server's to hold.
        for descriptor in Int32(3)..<1024 { close(descriptor) }
        // What `keybearer env` has set in the user's shell is no key, and must not be taken for one.
        for (name, value) in ProcessEnvironment.all where value == Tool.placeholder { unsafe unsetenv(name) }
        let surroundings = Surroundings.current
        let names = ["KEYBEARER_STATE_DIR", "OPENCLAW_STATE_DIR", "MOLTBOT_STATE_DIR", "CLAWDBOT_STATE_DIR"]
        // No file system is kept busy by it, unless a variable is relative to this folder.
        let isBound = names.contains { surroundings.environment[$0].map { !$0.hasPrefix("/") && !$0.hasPrefix("~") } ?? false }
        if !isBound { unsafe _ = chdir("/") }
        var start = ProcessStart()
        start.open("/dev/null", O_RDONLY, as: STDIN_FILENO)
        start.write(to: log, O_APPEND)
        let flags = [("--state-dir", options.stateDirectory), ("--config", options.config)].flatMap { name, value in
            value.map { [name, $0] } ?? []
        }
        Output.line("\(try start.runOurselves(["serve"] + flags))")
    }
}

extension ProcessStart {
    /// Starts the file that this process runs.
    fileprivate mutating func runOurselves(_ arguments: [String]) throws -> pid_t {
        let path = Surroundings.executable
        do {
            return try run(path, [path] + arguments)
        } catch {
            throw keybearer.Failure.failed("cannot start \(path): \(error)")
        }
    }
}
