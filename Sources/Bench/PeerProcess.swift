internal import CLinux
internal import Children
internal import Glibc

/// A proxy that runs, speaking one version of HTTP upstream.
///
///     started ──connections are taken──▶ ready ──▶ stopped
final class PeerProcess {
    let peer: Peer
    let upstream: Pairing.Version
    /// Where HTTP/1.1 is spoken, and HTTP/2 with prior knowledge.
    let port, http2Port: UInt16
    private let folder: String
    private let environment: [(name: String, value: String)]
    private var process: pid_t = 0
    /// It and what it has started, once it is ready.
    private(set) var processes: [pid_t] = []

    /// Seconds that a proxy may take until it takes connections.
    private static let readyLimit = 30.0
    /// What it is given to end in order.
    private static let stopLimit = 3.0

    /// Prepares one; `start` starts it.
    init(_ peer: Peer, upstream: Pairing.Version, on stage: borrowing Stage) throws {
        self.peer = peer
        self.upstream = upstream
        folder = "\(stage.folder.path)/\(peer.name)-\(upstream.rawValue)"
        if peer.kind == .direct {
            (port, http2Port) = (stage.upstreamPort, stage.upstreamPort)
        } else {
            (port, http2Port) = (try Stage.freePort(), try Stage.freePort())
            try Folder.make(folder)
        }
        environment = [
            ("PORT", "\(port)"), ("H2PORT", "\(http2Port)"), ("UP_PORT", "\(stage.upstreamPort)"), ("UPALPN", upstream.rawValue),
            ("CA", stage.authorityFile), ("TOKEN", Stage.token), ("ACCOUNT", Stage.account), ("WORK", folder), ("HOME", folder),
        ]
        if case .keybearer = peer.kind {
            try KeybearerState.write(
                to: folder + "/state",
                settings: KeybearerState.settings(
                    ports: [port, http2Port], upstreamPort: stage.upstreamPort, authorityFile: stage.authorityFile, http2: upstream == .h2),
                profiles: KeybearerState.profiles(token: Stage.token, account: Stage.account))
        }
    }

    /// The port at which `version` is spoken.
    func port(_ version: Pairing.Version) -> UInt16 { version == .h1 ? port : http2Port }

    // MARK: Start

    /// Starts it on the proxies' processor and waits until it takes connections.
    func start(_ processors: Processors, _ interruption: Interruption) throws {
        guard let arguments else { return }
        process = try processors.forProxy { try spawn(arguments) }
        Priority.raise(of: process)
        let end = Monotonic.now + Int64(Self.readyLimit * 1e9)
        while !Stage.isServed(port) || !Stage.isServed(http2Port) {
            try interruption.check()
            var status: Int32 = 0
            if unsafe waitpid(process, &status, WNOHANG) == process {
                forget()
                throw BenchFailure.failed("\(peer.name) ended at its start; it said:\n\(lastLines)")
            }
            guard Monotonic.now < end else {
                throw BenchFailure.failed("\(peer.name) takes no connections on ports \(port) and \(http2Port); it said:\n\(lastLines)")
            }
            interruption.sleep(0.05)
        }
        // Workers start after their master, and pools after the first connection.
        interruption.sleep(0.3)
        processes = ProcessTimes.tree(of: process)
    }

    private var arguments: [String]? {
        switch peer.kind {
        case .keybearer(let path): [path, "serve", "--state-dir", folder + "/state"]
        case .command(let line): ["/bin/sh", "-c", line]
        case .direct: nil
        }
    }

    /// In a session of its own, so that all of it can be ended, and Ctrl-C at the terminal is not for it; what it says goes into a file.
    private func spawn(_ arguments: [String]) throws -> pid_t {
        var start = ProcessStart()
        start.open("/dev/null", O_RDONLY, as: STDIN_FILENO)
        start.write(to: logFile, O_APPEND)
        start.leaveSession()
        start.heedAllSignals()
        do {
            return try start.run(arguments[0], arguments, environment: variables)
        } catch {
            throw BenchFailure.failed("\(arguments[0]) cannot be started: \(error)")
        }
    }

    /// Ours, but for what Keybearer would read, and the peer's own.
    private var variables: [String] {
        var variables: [String] = []
        var entry = unsafe environ
        while let text = unsafe entry.pointee {
            let variable = unsafe String(cString: text)
            unsafe entry += 1
            let name = variable.prefix { $0 != "=" }
            if !name.hasPrefix("KEYBEARER_"), !environment.contains(where: { $0.name == name }) { variables.append(variable) }
        }
        return variables + environment.map { "\($0.name)=\($0.value)" }
    }

    private var logFile: String { folder + "/log" }
    private var lastLines: String {
        let lines = (FileText.content(of: logFile) ?? "").split(separator: "\n").suffix(10)
        return lines.isEmpty ? "(nothing)" : lines.joined(separator: "\n")
    }

    // MARK: End

    /// Ends it and all that it has started.
    func stop() {
        guard process > 0 else { return }
        kill(-process, SIGTERM)
        let end = Monotonic.now + Int64(Self.stopLimit * 1e9)
        var status: Int32 = 0
        while unsafe waitpid(process, &status, WNOHANG) == 0 {
            if Monotonic.now > end { kill(-process, SIGKILL) }
            usleep(10_000)
        }
        forget()
    }

    /// It has ended. What of its session is left has no parent that would end it.
    private func forget() {
        kill(-process, SIGKILL)
        process = 0
        processes = []
    }

    deinit { stop() }
}

/// Precedence over whatever else the machine does, where it can be had (root).
enum Priority {
    private static let nice: Int32 = -19

    /// Of this process and what it starts.
    static func raise() {
        _ = kb_set_priority(nice)
        raise(of: getpid())
    }

    /// `nice` counts only among the processes of a session, where sessions are scheduled as groups (sched(7)).
    static func raise(of process: pid_t) { try? FileText.write("\(nice)", to: "/proc/\(process)/autogroup", appending: false) }
}
