internal import Configuration
internal import HTTP
internal import Routing
internal import Sockets
internal import Synchronization

/// What all workers share: decided at start, or safe to touch from any thread.
final class Shared: Sendable {
    let settings: Settings
    let routes: RouteTable
    let gate: Gate
    let callers: CallerRule
    let headLimits: HeadLimits
    let facts: ServerFacts
    let board: CredentialBoard
    let standings: Standings
    let refreshes: RefreshDesk
    let resolver: Resolver
    let loads: Loads
    let notices: Notices
    let log: EventLog
    let accessLog: AccessLog?
    /// Each worker's part of what all replay copies may hold.
    let replayShare: Int
    let affinities: Affinities
    let workspaces: WorkspaceDesk
    let aliases: ModelAliases
    /// Fields that name a session, in lower case.
    let sessionFields: [[UInt8]]

    init(
        settings: Settings, facts: ServerFacts, board: CredentialBoard, refreshes: RefreshDesk, affinities: Affinities,
        workers: Int, notices: Notices, log: EventLog,
        accessLog: AccessLog?
    ) {
        self.settings = settings
        self.facts = facts
        routes = RouteTable(settings: settings)
        gate = Gate(settings.gate)
        callers = CallerRule(settings.clients)
        headLimits = HeadLimits(byteCount: settings.limits.headBytes, fieldCount: settings.limits.headFields)
        self.board = board
        standings = board.standings
        self.refreshes = refreshes
        resolver = Resolver()
        loads = Loads(workers: workers)
        self.notices = notices
        self.log = log
        self.accessLog = accessLog
        replayShare = settings.replay.totalBytes / workers
        self.affinities = affinities
        workspaces = WorkspaceDesk(board: board)
        aliases = ModelAliases(settings.models.aliases)
        sessionFields = settings.sessions.headers.map { Array($0.lowercased().utf8) }
    }

    /// Milliseconds since 1970: what expiries are compared with.
    func wallClock() -> Int64 { Clock.wall() }
}

/// How many connections each worker has: the acceptor gives the next one to the least.
final class Loads: Sendable {
    private let counts: Mutex<[Int]>

    init(workers: Int) { counts = Mutex(Array(repeating: 0, count: workers)) }

    /// Counts a new connection for the worker with the fewest, and names it; nil when all together have `limit`.
    func assign(limit: Int) -> Int? {
        counts.withLock { counts in
            guard counts.reduce(0, +) < limit, let least = counts.indices.min(by: { counts[$0] < counts[$1] }) else { return nil }
            counts[least] += 1
            return least
        }
    }
    func ended(worker: Int) { counts.withLock { $0[worker] -= 1 } }
    var total: Int { counts.withLock { $0.reduce(0, +) } }
}
