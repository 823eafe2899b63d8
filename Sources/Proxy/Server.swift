public import Children
public import Configuration
public import Credentials
internal import Files
internal import Glibc
public import Logging
public import Sockets
internal import Synchronization
internal import TLS

/// Why the server did not start.
public struct StartError: Error, Sendable, CustomStringConvertible {
    /// What is wrong and what to do, for a person.
    public let description: String
}

/// The proxy: listening sockets, workers, and what keeps the credentials fresh. Runs on threads of its own.
///
///     init ──▶ serving ──drain──▶ draining ──all answered, or 30 s──▶ stopped
public final class Server: Sendable {
    private let shared: Shared
    private let workers: [Mailbox<Message>]
    private let stopAccepting = Mailbox<Void>()
    private let stopKeeping = Mailbox<Void>()
    private let running: RunningThreads
    private let board: CredentialBoard
    private let clientFolder: String?
    private let identities: [ListenerIdentity]
    /// The settings of the start, for what is read then alone.
    private let started: Settings
    private let isDraining = Atomic(false)

    /// Where it listens, with the ports the kernel chose for 0.
    public let addresses: [SocketAddressText]
    /// An address as text, e.g. `127.0.0.1:5392`.
    public typealias SocketAddressText = String

    /// How long it takes at most, in ms, until the store holds what a refusal has led to.
    public static let usageDelay = Int32(2 * Keeper.gatherMilliseconds)

    /// Binds, reads the credentials and starts to serve.
    ///
    /// - Parameters:
    ///   - settings: checked settings; only loopback addresses and Unix sockets are bound.
    ///   - sink: the folder that holds `agents/` (DESIGN §6).
    ///   - environmentKeys: what stands in where no profile can be used.
    ///   - runner: starts the programs that secrets are asked of; nil: none is run.
    ///   - logger: the control plane's log.
    ///   - accessLog: where a line a request is written; nil: nowhere.
    ///   - controlSocket: where commands reach the server, beside the settings' addresses; nil: nowhere. Another server that has it keeps it.
    ///   - activated: sockets that the service manager has opened, which are listened on in place of the settings' addresses.
    ///   - clients: the file of client keys and admitted pages; nil: there are none.
    ///   - proxies: what the environment says of outbound proxies.
    ///   - sessions: the file in which sessions outlive the server; nil: they do not.
    ///   - whenIdle: called on a worker's thread when nobody has been connected for a second; the next request may wait for it.
    public init(
        settings: Settings, sink: String, environmentKeys: [EnvironmentKey] = [], runner: Runner? = nil, logger: Logger,
        accessLog: String? = nil, controlSocket: String? = nil, sessions: String? = nil,
        activated: [ServiceManager.ActivatedSocket] = [], proxies: ProxyEnvironment = .empty, clients: String? = nil,
        whenIdle: (@Sendable () -> Void)? = nil
    ) throws {
        let log = EventLog(logger: logger)
        let ledger = ClientLedger(path: clients.map { $0 + ClientUsage.suffix })
        let book: ClientBook
        do throws(ClientBookError) {
            book = try clients.map { path throws(ClientBookError) in try ClientBook.read(path) } ?? ClientBook()
        } catch {
            throw StartError(description: error.description)
        }
        let listeners = try Listeners.open(
            settings, activated: activated, thereAreKeys: !book.keys.isEmpty, control: controlSocket, runner: runner, log: log)
        identities = listeners.compactMap(\.identity)
        addresses = listeners.filter { !$0.isControl }.map(\.text)
        let count = settings.workers ?? Self.defaultWorkers
        started = settings
        board = CredentialBoard(
            setup: Setup(settings, anchors: try Self.anchors(settings), proxies: proxies, workers: count, book: book, ledger: ledger),
            sink: sink,
            environmentKeys: environmentKeys,
            programs: runner.map { SecretPrograms(settings.secrets, $0) }, log: log)
        let refreshes = RefreshDesk(board: board, log: log)
        workers = (0..<count).map { _ in Mailbox<Message>() }
        shared = Shared(
            facts: ServerFacts(process: getpid(), startedAt: Clock.wall(), addresses: addresses, sink: sink), board: board,
            refreshes: refreshes, affinities: Affinities(path: sessions, pools: board.pools), workers: count,
            runner: runner, log: log, accessLog: accessLog.map { AccessLog(path: $0) },
            desk: SetupDesk(board, workers: workers, runner: runner, clients: clients, book: book, log: log), ledger: ledger,
            whenIdle: whenIdle)
        clientFolder = clients.flatMap { path in path.lastIndex(of: "/").map { String(path[..<$0]) } }
        running = RunningThreads()
        startWorkers()
        startAcceptor(listeners)
        startKeeper()
        log.listening(addresses)
    }

    /// 1 below 4 cores, else half of them, at most 4 (DESIGN §4).
    private static var defaultWorkers: Int {
        let cores = CPU.count
        return cores < 4 ? 1 : min(4, cores / 2)
    }

    private func startWorkers() {
        for (index, mailbox) in workers.enumerated() {
            let shared = shared
            let done = running.begin()
            Thread(name: "kb-worker-\(index)") {
                defer { done.end() }
                guard var worker = try? Worker(index: index, shared: shared, mailbox: mailbox) else { return }
                worker.run()
            }.detach()
        }
    }

    private static func anchors(_ settings: Settings) throws(StartError) -> TrustAnchors {
        do throws(TLSError) {
            return try TrustAnchors(caFile: settings.upstream.caFile)
        } catch {
            throw StartError(description: "upstream.caFile: \(error.description)")
        }
    }

    private func startAcceptor(_ listeners: [Listener]) {
        let shared = shared
        let workers = workers
        let stop = stopAccepting
        let done = running.begin()
        var listeners = listeners
        Thread(name: "kb-acceptor") {
            defer { done.end() }
            var acceptor = Acceptor(listeners: listeners, stop: stop, shared: shared, workers: workers)
            // The closure outlives `done`; the sockets and their files go with the acceptor, before it.
            listeners = []
            acceptor.run()
        }.detach()
    }

    private func startKeeper() {
        let keeper = Keeper(
            board: board, refreshes: shared.refreshes, affinities: shared.affinities, desk: shared.desk, ledger: shared.ledger,
            clientFolder: clientFolder, awake: shared.awake, stop: stopKeeping, log: shared.log)
        let done = running.begin()
        Thread(name: "kb-keeper") {
            defer { done.end() }
            Thread.giveWay()
            keeper.run()
        }.detach()
    }

    // MARK: Other settings

    /// Puts other settings in force: for every request that begins from now on. One under way keeps those it began with. Members that are
    /// read at start alone are named, and stay as they were. Certificates of TLS listeners are read again.
    ///
    /// - Throws: why they cannot be used; then nothing has changed.
    public func reload(_ settings: Settings, environmentKeys: [EnvironmentKey]) throws(StartError) {
        let anchors: TrustAnchors
        let certificates: [ListenerContext]
        do throws(StartError) {
            anchors = try Self.anchors(settings)
            certificates = try identities.map { identity throws(StartError) in try identity.read() }
        } catch {
            refuseReload(error.description)
            throw error
        }
        for (identity, certificate) in zip(identities, certificates) { identity.use(certificate) }
        shared.desk.takeSettings(settings, anchors, environmentKeys: environmentKeys)
        let fixed = started.fixedMembers(changedIn: settings)
        shared.reloads.taken(fixed: fixed, now: Clock.wall())
        shared.log.settingsTaken(fixed, settings.notices)
    }

    /// The settings were read again and are wrong: the last ones stay in force, and whoever asks is told why.
    public func refuseReload(_ why: String) {
        shared.reloads.refused(why, now: Clock.wall())
        shared.log.settingsRefused(why)
    }

    // MARK: The end

    /// Connections open now.
    public var connections: Int { shared.loads.total }

    /// Accepts no more, lets answers under way end, and cuts what is left after `timeouts.drain`. Returns at once.
    public func drain() {
        guard !isDraining.exchange(true, ordering: .relaxed) else { return }
        shared.log.draining(connections)
        stopAccepting.post(())
        stopKeeping.post(())
        for worker in workers { worker.post(.drain) }
    }

    /// Cuts every client now. A refresh token on its way to the provider is still waited for.
    public func cut() {
        for worker in workers { worker.post(.cut) }
    }

    /// Waits for the drain to end: all answers sent, or the time is over; and in any case for refreshes in flight, since a token that
    /// was spent must be kept. True when it ended before the time was over.
    @discardableResult
    public func waitUntilStopped() -> Bool {
        let limit = board.setup.settings.timeouts.drain
        let inTime = running.wait(milliseconds: limit.milliseconds)
        if !inTime { cut() }
        _ = running.wait(milliseconds: 5_000)
        while shared.refreshes.isBusy { Pause.milliseconds(20) }
        var seen: [String: StoreIdentity] = [:]
        board.writeUsage(&seen, all: true)
        if let failure = shared.affinities.save(now: Clock.wall()) { shared.log.sessionsUnsaved(failure) }
        shared.ledger.save(now: Clock.wall())
        shared.resolver.stop()
        shared.workspaces.stop()
        shared.accessLog?.stop()
        shared.log.stopped()
        return inTime
    }
}
