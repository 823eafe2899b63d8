internal import ArgumentParser
internal import Children
internal import Configuration
internal import Credentials
internal import Files
internal import Glibc
internal import Logging
internal import Proxy
internal import Sockets
internal import Synchronization

/// `keybearer serve`
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Start the proxy and run until told to stop.",
        discussion: """
            Listens on 127.0.0.1:5392 and [::1]:5392, or on the sockets of a systemd socket unit. Logs to standard error. SIGTERM or \
            SIGINT lets the answers under way end, for 30 s at most; a second one cuts them. A refresh in flight is always waited for, so \
            that no login is lost. Settings and provider files are read again when they change, and on SIGHUP: at once for new requests, \
            and not at all when there is an error in them.

            EXAMPLES
              keybearer serve
              keybearer serve --listen 127.0.0.1:8080 --log-level debug
              keybearer serve --state-dir ./state --listen 127.0.0.1:0
            """)

    @Option(
        help: ArgumentHelp(
            "Loopback address to listen on, in place of the settings' `listen`. May be repeated.", valueName: "address"))
    var listen: [String] = []

    @Option(
        help: ArgumentHelp(
            "Address beyond this machine to listen on WITHOUT TLS, for requests with a client key only: whoever can listen on that network "
                + "reads keys, prompts and answers. May be repeated.", valueName: "address"))
    var insecureListen: [String] = []

    @Option(help: ArgumentHelp("Event loops, 1 to 64.", valueName: "count"))
    var workers: Int?

    @Option(
        help: ArgumentHelp("trace, debug, info, notice, warning, error or critical.", valueName: "level"),
        completion: .list(LogSettings.Level.allCases.map(\.rawValue)))
    var logLevel: String?

    @OptionGroup var options: GlobalOptions

    func run() throws {
        let signals = StopSignals()
        // Before there is any thread or child (DESIGN §4).
        let manager = ServiceManager.takeFromEnvironment()
        let activated = try ServiceManager.takeSockets()
        Installation.runner.start()
        let overrides = SettingsOverrides(listen: listen, insecureListen: insecureListen, workers: workers, logLevel: logLevel)
        let installation = try Installation(options, overrides: overrides)
        let logger = StandardErrorLog.logger(installation.settings.log)
        Self.prepare(installation, logger)
        let controlSocket = try Self.controlSocket(installation)
        Self.confine(installation, logger)
        let server = try Server(
            settings: installation.settings, sink: installation.places.sink, environmentKeys: Self.environmentKeys(installation, logger),
            runner: Installation.runner, logger: logger, accessLog: installation.places.stateDirectory + "/logs/access.jsonl",
            controlSocket: controlSocket, sessions: installation.sessionsPath, activated: activated,
            proxies: .ofProcess, clients: installation.clientsPath, whenIdle: { ProcessMemory.release() })
        let reload = SettingsReload(options, overrides, installation, server, manager)
        reload.watch()
        manager?.ready("serving on \(server.addresses.joined(separator: ", "))")
        let signal = Self.wait(signals, reload, logger)
        manager?.stopping()
        logger.info("\(StopSignals.name(signal)): stopping; once more cuts what is left")
        Self.stop(server, signals)
    }

    /// Where commands reach this server; the folder is made, for us alone.
    private static func controlSocket(_ installation: Installation) throws -> String {
        _ = try PrivateDirectory.ensure(installation.places.stateDirectory)
        _ = try PrivateDirectory.ensure(installation.places.stateDirectory + "/run")
        return ControlClient.path(in: installation.places.stateDirectory)
    }

    private static func confine(_ installation: Installation, _ logger: Logger) {
        // A debugger's or a sanitizer's helper is a program that this process runs.
        guard !Surroundings.current.allowsDebugging else { return }
        // Where the credentials will be, so that the rules can name it.
        if PrivateFile.realPath(of: installation.places.sink) == nil { _ = try? PrivateDirectory.ensure(installation.places.sink) }
        switch Confinement.confine(writingBelow: Confinement.folders(installation)) {
        case .confined: logger.info("confined: no program is run, and nothing written but in the folders of settings and credentials")
        case .not(let why): logger.notice("not confined to its folders: \(why)")
        }
    }

    /// Limits, folders, and what a person should know about this start.
    private static func prepare(_ installation: Installation, _ logger: Logger) {
        if Surroundings.current.allowsDebugging {
            logger.warning("KEYBEARER_DEBUG=1: core dumps and debuggers are allowed, which can show secrets, and it is not confined")
        } else {
            ProcessLimits.forbidDumps()
        }
        ProcessLimits.forbidNewPrivileges()
        let files = ProcessLimits.raiseOpenFiles()
        let wanted = UInt(installation.settings.limits.connections) * 2
        if files < wanted {
            logger.notice(
                "the limit of open files is \(files); limits.connections (\(installation.settings.limits.connections)) needs \(wanted)")
        }
        logger.info("credentials in \(installation.places.sink)")
        if let notice = installation.places.notice { logger.warning("\(notice)") }
        for notice in installation.settings.notices { logger.warning("\(notice)") }
        if FileSystem.isNetwork(installation.places.sink) {
            logger.warning(
                "\(installation.places.sink) is on a network file system: let one host alone use it, since locks do not reach others")
        }
    }

    /// What the environment holds at this moment; later changes of it do not reach a running process.
    private static func environmentKeys(_ installation: Installation, _ logger: Logger) -> [EnvironmentKey] {
        let keys = installation.environmentKeys
        for key in keys { logger.info("\(key.provider) without a usable profile gets $\(key.variable) (\(key.profileID))") }
        return keys
    }

    /// Waits for the signal to end, and meanwhile tells of tokens that nothing renews, 30, 7 and 1 day before their end: of every agent
    /// that this server may serve.
    private static func wait(_ signals: StopSignals, _ reload: SettingsReload, _ logger: Logger) -> Int32 {
        var watch = ExpiryWatch()
        while true {
            let installation = reload.installation
            let agents = Agents(installation)
            var reports: [StatusReport] = []
            for agent in agents.ids {
                // A store that cannot be read is the server's to report.
                guard let snapshot = try? agents.store(agent).load() else { continue }
                let report = StatusReport(settings: installation.settings, snapshot: snapshot, now: Clock.wall())
                reports.append(report)
                for news in watch.look(agent, report) { tell(news, logger) }
            }
            guard let signal = signals.next(within: Int(ExpiryWatch.pause(reports))) else { continue }
            if signal != SIGHUP || signals.hangupEnds { return signal }
            reload.take()
        }
    }

    private static func tell(_ news: ExpiryWatch.News, _ logger: Logger) {
        // The level says what the text's first word says to a person.
        let sentence = news.warning.text.drop { $0 != ":" }.dropFirst(2)
        logger.log(level: news.warning.days == 30 ? .notice : .warning, "\(sentence) (agent \(news.agent))")
    }

    /// Drains; a further signal cuts. Ends when all answers are sent and no refresh is in flight.
    static func stop(_ server: Server, _ signals: StopSignals) {
        server.drain()
        let ended = Latch()
        Thread(name: "kb-drain") {
            server.waitUntilStopped()
            ended.raise()
        }.detach()
        while !ended.isRaised {
            if let signal = signals.next(within: 50), signal != SIGHUP { server.cut() }
        }
    }
}

/// Raised once by one thread, seen by others.
final class Latch: Sendable {
    private let raised = Atomic(false)

    /// Whether it has been raised.
    var isRaised: Bool { raised.load(ordering: .acquiring) }
    /// Raises it.
    func raise() { raised.store(true, ordering: .releasing) }
}
