internal import OAuth
internal import Sockets
internal import Synchronization

/// The threads of a login, and what they bring to the main thread.
final class LoginInbox: Sendable {
    private struct State {
        var arrival: CallbackListener.Arrival?
        var device: Result<LoginResult, LoginFailure>?
        var exchange: Result<LoginResult, LoginFailure>?
    }
    private let state = Mutex(State())
    private let isClosed = Latch()
    private let threads = Atomic(0)

    /// Whether the threads are to go on.
    var isWanted: Bool { !isClosed.isRaised }
    /// Lets them end.
    func close() { isClosed.raise() }
    /// Whether none of them runs.
    var isIdle: Bool { threads.load(ordering: .acquiring) == 0 }

    /// What the browser has brought.
    var arrival: CallbackListener.Arrival? { state.withLock { $0.arrival } }
    /// How the device login ended.
    var device: Result<LoginResult, LoginFailure>? { state.withLock { $0.device } }
    /// How the exchange of a code ended.
    var exchange: Result<LoginResult, LoginFailure>? { state.withLock { $0.exchange } }

    func put(arrival: CallbackListener.Arrival) { state.withLock { $0.arrival = arrival } }
    func put(device: Result<LoginResult, LoginFailure>) { state.withLock { $0.device = device } }
    func put(exchange: Result<LoginResult, LoginFailure>) { state.withLock { $0.exchange = exchange } }

    /// Runs `body` on a thread of its own, in which every signal is blocked.
    func run(_ name: String, _ body: @escaping @Sendable () -> Void) {
        threads.add(1, ordering: .relaxed)
        Thread(name: name) { [self] in
            body()
            threads.subtract(1, ordering: .releasing)
        }.detach()
    }
}
