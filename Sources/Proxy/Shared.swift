internal import Children
internal import Sockets
internal import Synchronization

/// What all workers share: decided at start, or safe to touch from any thread.
final class Shared: Sendable {
    let facts: ServerFacts
    let board: CredentialBoard
    let standings: Standings
    let refreshes: RefreshDesk
    let resolver: Resolver
    let loads: Loads
    let notices: Notices
    let log: EventLog
    let accessLog: AccessLog?
    let affinities: Affinities
    let workspaces: WorkspaceDesk
    let reloads: ReloadRecord
    let echoes = EchoRecord()
    let desk: SetupDesk
    let ledger: ClientLedger
    let awake: Awake

    init(
        facts: ServerFacts, board: CredentialBoard, refreshes: RefreshDesk, affinities: Affinities, workers: Int, runner: Runner?,
        log: EventLog, accessLog: AccessLog?, desk: SetupDesk, ledger: ClientLedger, whenIdle: (@Sendable () -> Void)?
    ) {
        self.desk = desk
        self.ledger = ledger
        self.facts = facts
        self.board = board
        standings = board.standings
        self.refreshes = refreshes
        resolver = Resolver()
        loads = Loads(workers: workers)
        notices = Notices(runner: runner)
        self.log = log
        self.accessLog = accessLog
        self.affinities = affinities
        workspaces = WorkspaceDesk(board: board, runner: runner)
        reloads = ReloadRecord(startedAt: facts.startedAt)
        awake = Awake(workers: workers, whenNone: whenIdle)
    }
}

/// How many connections each worker has, so that the acceptor gives the next one to the least; and each user of this machine.
final class Loads: Sendable {
    private struct State {
        var workers: [Int]
        var users: [UInt32: Int] = [:]
    }
    private let state: Mutex<State>

    init(workers: Int) { state = Mutex(State(workers: Array(repeating: 0, count: workers))) }

    /// Counts a new connection for the worker with the fewest, and names it; nil when all together have `limit`.
    func assign(limit: Int) -> Int? {
        state.withLock { state in
            guard state.workers.reduce(0, +) < limit, let least = state.workers.indices.min(by: { state.workers[$0] < state.workers[$1] })
            else { return nil }
            state.workers[least] += 1
            return least
        }
    }
    /// Counts a connection for its user; how many that user has now.
    func entered(_ caller: Caller) -> Int {
        state.withLock { state in
            state.users[caller.countedUser, default: 0] += 1
            return state.users[caller.countedUser] ?? 0
        }
    }
    /// The connection that was assigned never came to be.
    func cancelled(worker: Int) { state.withLock { $0.workers[worker] -= 1 } }
    func ended(worker: Int, _ caller: Caller) {
        state.withLock { state in
            state.workers[worker] -= 1
            let left = (state.users[caller.countedUser] ?? 1) - 1
            state.users[caller.countedUser] = left > 0 ? left : nil
        }
    }
    var total: Int { state.withLock { $0.workers.reduce(0, +) } }
}
