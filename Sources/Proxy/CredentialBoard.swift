internal import Configuration
internal import Credentials
internal import Files
internal import Glibc
internal import Routing
internal import Sockets
internal import Synchronization

/// The newest rosters, for all workers: published behind a generation number, remade when a file of the store changes.
final class CredentialBoard: Sendable {
    private struct State {
        var snapshots: [String: StoreSnapshot] = [:]
        var problems: [String: String] = [:]
        var rosters: [Roster] = []
        /// Those before them: a worker that goes over to newer ones is then not the one that ends a thousand profiles.
        var previous: [Roster] = []
        /// The settings that the rosters are made for: always changed with them.
        var setup: Setup
        var workspaces = Workspaces([])
        var plan: Plan
    }
    /// What the settings say of agents and secrets.
    private struct Plan {
        let setup: Setup
        let builder: RosterBuilder
        let mainAgent: String
        /// Folders that the settings give to agents.
        let settledWorkspaces: [(agent: String, path: String)]
        let configuredAgents: [String]
        /// Those that have main's profiles beside their own.
        let heirs: Set<String>
        let programs: SecretPrograms?

        init(_ setup: Setup, _ builder: RosterBuilder, _ programs: SecretPrograms?) {
            let settings = setup.settings
            self.setup = setup
            self.builder = builder
            self.programs = programs
            mainAgent = AgentID.normalised(settings.defaultAgent)
            settledWorkspaces = settings.agents.compactMap { agent in agent.workspace.map { (AgentID.normalised(agent.id), $0) } }
            heirs = Set(settings.agents.map(\.id).filter(settings.inherits))
            configuredAgents = settings.agents.map { AgentID.normalised($0.id) } + (heirs.isEmpty ? [] : [AgentID.main])
        }
    }
    private let state: Mutex<State>
    private let counter = Atomic(0)
    /// One publication at a time: an older picture never replaces a newer one.
    private let publishing = Mutex(())
    /// How the profiles fare.
    let standings: Standings
    private let sink: String
    /// The numbers of profiles, for what outlives a roster.
    let pools: PoolNumbers
    private let log: EventLog

    /// Reads every agent's store. A store that cannot be read is reported and served as an empty one with that reason. `programs` says
    /// the secrets that stores have references to programs for; nil: none is run.
    init(setup: Setup, sink: String, environmentKeys: [EnvironmentKey] = [], programs: SecretPrograms? = nil, log: EventLog) {
        standings = Standings(rules: CooldownRules(setup.settings.auth.cooldowns))
        let builder = RosterBuilder(
            settings: setup.settings, proxies: setup.proxies, standings: standings, environmentKeys: environmentKeys)
        pools = builder.pools
        self.sink = sink
        self.log = log
        state = Mutex(State(setup: setup, plan: Plan(setup, builder, programs)))
        reload()
        let now = Clock.wall()
        for (agent, snapshot) in state.withLock({ $0.snapshots }) { standings.adopt(snapshot, of: agent, now: now) }
    }

    /// Moves whenever the rosters do.
    var generation: Int { @inline(__always) get { counter.load(ordering: .acquiring) } }
    /// The rosters, the default agent's first, with the settings that they are made for and their generation.
    var current: (generation: Int, setup: Setup, rosters: [Roster]) {
        // The number is read first: should the rosters move in between, the next request looks again.
        let number = generation
        return state.withLock { (number, $0.setup, $0.rosters) }
    }

    /// The settings in force.
    var setup: Setup { state.withLock { $0.setup } }
    private var plan: Plan { state.withLock { $0.plan } }

    /// Other settings are in force from now on. `environmentKeys`, `programs`: nil keeps those there are.
    func adopt(_ setup: Setup, environmentKeys: [EnvironmentKey]?, programs: SecretPrograms?) {
        state.withLock { state in
            let builder = state.plan.builder.following(setup.settings, environmentKeys: environmentKeys)
            state.plan = Plan(setup, builder, programs ?? state.plan.programs)
        }
        standings.follow(CooldownRules(setup.settings.auth.cooldowns))
        // What a reference leads to may be another thing now.
        for agent in agents() { _ = reload(agent, always: programs != nil) }
        publish()
    }

    /// Who works where.
    var workspaces: Workspaces { state.withLock { $0.workspaces } }

    func store(of agentID: String) -> AgentStore { AgentStore(sink: sink, agentID: agentID, programs: plan.programs) }

    /// What `store` holds, if that has been read already and is there still: that costs a few stats, and reading it what it is long.
    func knownSnapshot(of store: AgentStore) -> StoreSnapshot? {
        let known = state.withLock { $0.problems[store.agentID] == nil ? $0.snapshots[store.agentID] : nil }
        return known.flatMap { store.isCurrent($0) ? $0 : nil }
    }

    /// The folders whose files the rosters are made of: the stores', and those of the programs whose logins are read.
    var directories: [String] {
        let files = state.withLock { $0.snapshots.values.flatMap(\.overlayFiles.keys) }
        return agents().map { store(of: $0).directory } + Set(files.flatMap(Place.folders)).sorted()
    }

    /// Reads again what has changed on disk. The last good snapshot of a store that has become unreadable stays in use. `forNews`: rosters are
    /// made anew only when there is some, and not because of the time that has passed.
    func reload(forNews: Bool = false) {
        let news = agents().map { reload($0) }
        if forNews, !news.contains(where: { $0 != .none }), takeWorkspaces() { return }
        // How profiles fared is written often, and is nothing that a roster is made of.
        if news.contains(.usage), !news.contains(.content) { return }
        publish()
    }

    /// What a reading has brought.
    private enum News { case none, usage, content }

    /// Takes over a snapshot that a refresh has just written.
    func adopt(_ snapshot: StoreSnapshot, of agentID: String) {
        state.withLock { $0.snapshots[agentID] = snapshot }
        publish()
    }

    private func reload(_ agent: String, always: Bool = false) -> News {
        let store = store(of: agent)
        if !always, knownSnapshot(of: store) != nil { return .none }
        do throws(StoreError) {
            let snapshot = try store.load()
            let (before, hadProblem) = state.withLock { state in
                let hadProblem = state.problems.removeValue(forKey: agent) != nil
                return (state.snapshots.updateValue(snapshot, forKey: agent), hadProblem)
            }
            if before != nil { log.storeChanged(agent) }
            for problem in snapshot.problems where before?.problems.contains(problem) != true { log.store(agent, problem.description) }
            return before.map { !hadProblem && $0.differsOnlyInUsage(from: snapshot) } ?? false ? .usage : .content
        } catch {
            let isNew = state.withLock { state in
                if state.snapshots[agent] == nil { state.snapshots[agent] = StoreSnapshot(profiles: []) }
                return state.problems.updateValue(error.description, forKey: agent) != error.description
            }
            if isNew { log.store(agent, error.description) }
            return .content
        }
    }

    /// Ends what the last publication has kept, on the caller's thread: no secret stays for longer than the keeper's next check.
    func endPrevious() {
        let outdated = state.withLock { state in
            defer { state.previous = [] }
            return state.previous
        }
        withExtendedLifetime(outdated) {}
    }

    /// Takes over who works where. False: the rosters are not those of the agents that there are.
    private func takeWorkspaces() -> Bool {
        publishing.withLock { _ in
            let plan = plan
            let order = order(plan)
            let workspaces = workspaces(of: order, plan)
            return state.withLock { state in
                state.workspaces = workspaces
                return state.rosters.map(\.agentID) == order
            }
        }
    }

    /// All agents, the default one first.
    private func order(_ plan: Plan) -> [String] { [plan.mainAgent] + agents().filter { $0 != plan.mainAgent } }

    private func publish() {
        publishing.withLock { _ in
            let plan = plan
            let now = Clock.wall()
            let order = order(plan)
            let workspaces = workspaces(of: order, plan)
            let (snapshots, problems) = state.withLock { ($0.snapshots, $0.problems) }
            // Outside of the lock, which workers take: a thousand profiles are made ready while they go on with the last ones.
            let rosters = order.map { agent in
                var snapshot = snapshots[agent] ?? StoreSnapshot(profiles: [])
                if plan.heirs.contains(agent), let main = snapshots[AgentID.main] {
                    snapshot = snapshot.inheriting(from: main, of: AgentID.main)
                }
                let problem = snapshot.profiles.isEmpty ? problems[agent] : nil
                return plan.builder.roster(of: agent, snapshot, problem: problem, now: now)
            }
            let outdated = state.withLock { state in
                state.workspaces = workspaces
                state.setup = plan.setup
                let outdated = state.previous
                state.previous = state.rosters
                state.rosters = rosters
                return outdated
            }
            withExtendedLifetime(outdated) {}
            counter.add(1, ordering: .releasing)
        }
    }

    /// Links are resolved, since the kernel names a process's folder by its real path.
    private func workspaces(of agents: [String], _ plan: Plan) -> Workspaces {
        let added = agents.compactMap { agent in AgentWorkspace.read(store(of: agent).directory).map { (agent: agent, path: $0) } }
        return Workspaces((plan.settledWorkspaces + added).map { ($0.agent, PrivateFile.realPath(of: $0.path) ?? $0.path) })
    }

    /// The default agent, those of the settings, and those that have a folder.
    private func agents() -> [String] {
        let plan = plan
        var names = [plan.mainAgent]
        for name in plan.configuredAgents + Directory.names(in: sink + "/agents").filter({ !$0.hasPrefix(".") }).sorted()
        where AgentID.normalised(name) == name && !names.contains(name) {
            names.append(name)
        }
        return names
    }

    /// Every profile that can be refreshed, once.
    var refreshable: [Candidate] {
        var all: [ProfileKey: Candidate] = [:]
        for roster in state.withLock({ $0.rosters }) {
            for candidate in roster.lineups.flatMap({ $0.candidates + $0.others }) where candidate.client != nil {
                all[candidate.key] = candidate
            }
        }
        return Array(all.values)
    }

    /// Remembers what is in use, and which of that is near its end: to be refreshed before a request has to wait for it.
    func dueForRefresh(lastUsed: inout [ProfileKey: Int64], now: Int64) -> [Candidate] {
        var due: [ProfileKey: Candidate] = [:]
        for roster in state.withLock({ $0.rosters }) {
            for candidate in roster.lineups.flatMap(\.candidates) where candidate.isRefreshable && candidate.overlay == nil {
                if candidate.wasUsed.exchange(false, ordering: .relaxed) { lastUsed[candidate.key] = now }
                guard let used = lastUsed[candidate.key], now - used < Self.usedRecently else { continue }
                if candidate.readiness(now: now) != .ready { due[candidate.key] = candidate }
            }
        }
        return Array(due.values)
    }
    private static let usedRecently: Int64 = 7 * 24 * 3600 * 1000
}

// MARK: - How profiles fare

extension CredentialBoard {
    /// Takes over what other processes say in the files that have changed; `seen`: which versions were read before.
    func readUsage(_ seen: inout [String: StoreIdentity], now: Int64) {
        for agent in agents() {
            let store = store(of: agent)
            let identity = store.identity()
            guard seen[agent] != identity, let snapshot = knownSnapshot(of: store) ?? (try? store.load()) else { continue }
            seen[agent] = snapshot.identity
            standings.adopt(snapshot, of: agent, now: now)
        }
    }

    /// Writes what the store does not know yet. What cannot be written stays to be written. Blocks on files and their locks.
    func writeUsage(_ seen: inout [String: StoreIdentity], all: Bool) {
        for (agent, items) in standings.unwritten(all: all) {
            let usage = Dictionary(items.map { ($0.profileID, $0.usage) }, uniquingKeysWith: { first, _ in first })
            do throws(StoreError) {
                let snapshot = try store(of: agent).updateUsage(items.map(\.profileID)) { id, known in usage[id] ?? known }
                seen[agent] = snapshot.identity
                standings.written(items)
            } catch {
                log.usage(agent, error.description)
            }
        }
    }
}

extension StoreSnapshot {
    /// Whether the two say the same but for how profiles fared.
    fileprivate func differsOnlyInUsage(from other: StoreSnapshot) -> Bool {
        identity.profiles == other.identity.profiles && order == other.order && needsLogin == other.needsLogin
            && problems == other.problems && overlayFiles == other.overlayFiles
    }
}

/// Where files are.
private enum Place {
    /// Where a file is, and where it really is when that is a link.
    static func folders(of file: String) -> [String] {
        [file, PrivateFile.realPath(of: file)].compactMap { path in
            path.flatMap { path in path.lastIndex(of: "/").map { String(path[..<$0]) } }
        }
    }
}
