internal import Configuration
internal import JSON
internal import Sockets
internal import Synchronization

/// Which settings are in force, since when, and what became of those that were read after them.
final class ReloadRecord: Sendable {
    private struct State {
        /// Counted from 1, the settings of the start.
        var generation: Int64 = 1
        var since: Int64
        /// Members that were changed and cannot be in force before the next start.
        var fixed: [String] = []
        /// Why the files as they are now are not in force.
        var problem: (at: Int64, message: String)?
    }
    private let state: Mutex<State>

    init(startedAt: Int64) { state = Mutex(State(since: startedAt)) }

    func taken(fixed: [String], now: Int64) {
        state.withLock { state in
            state = State(generation: state.generation + 1, since: now, fixed: fixed)
        }
    }
    func refused(_ message: String, now: Int64) { state.withLock { $0.problem = (now, message) } }

    /// For `/-/status`.
    var document: Value {
        let state = state.withLock { $0 }
        return [
            "generation": .integer(state.generation), "since": .integer(state.since),
            "notBeforeRestart": .array(state.fixed.map { .string($0) }),
            "problem": state.problem.map { ["at": .integer($0.at), "message": .string($0.message)] } ?? .null,
        ]
    }
}

extension Settings {
    /// The members of which `other` says otherwise and which are read at start alone.
    func fixedMembers(changedIn other: Settings) -> [String] {
        var members: [String] = []
        if listen != other.listen { members.append("listen") }
        if workers != other.workers { members.append("workers") }
        if sink != other.sink { members.append("sink") }
        if log != other.log { members.append("log") }
        return members
    }
}
