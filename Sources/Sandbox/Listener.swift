internal import CLinux
internal import Glibc
internal import Sockets
internal import Synchronization
internal import TLS

/// The listening socket, its acceptor, and a thread for every client.
///
/// Threads with small stacks and blocking calls: a provider that is to be believed is one that can be read from top to bottom.
final class Listener: Sendable {
    /// One client's thread and socket.
    private final class Client: Sendable {
        let socket: Int32
        private let thread = Mutex<Thread?>(nil)
        init(socket: Int32) { self.socket = socket }

        func start(name: String, _ body: sending @escaping () -> Void) {
            var started: Thread? = Thread(name: name, stackSize: 1 << 18, body)
            thread.withLock { swap(&$0, &started) }
        }
        /// Waits for its thread, if it has one that nobody has waited for.
        func join() { thread.withLock { $0.take() }?.join() }
    }

    private struct State {
        /// By socket: a number is used again only after its client has left this table.
        var active: [Int32: Client] = [:]
        /// Ended, but not yet joined.
        var ended: [Client] = []
        var isStopping = false
    }

    private let socket: Int32
    private let state = Mutex(State())
    private let acceptor = Mutex<Client?>(nil)
    private let router: Router
    private let tls: ServerContext?

    /// Takes over a listening socket and begins to accept.
    init(socket: consuming Descriptor, router: Router, tls: ServerContext?) {
        self.socket = socket.release()
        self.router = router
        self.tls = tls
        _ = kb_set_blocking(self.socket, 1)
        let client = Client(socket: self.socket)
        client.start(name: "sandbox-accept") { [self] in accept() }
        acceptor.withLock { $0 = client }
    }

    /// Ends every connection, waits for every thread, closes every socket. Safe to call twice.
    func stop() {
        guard let acceptor = acceptor.withLock({ $0.take() }) else { return }
        state.withLock { state in
            state.isStopping = true
            for socket in state.active.keys { shutdown(socket, Int32(SHUT_RDWR)) }
        }
        // Wakes accept(2), which then fails with EINVAL.
        shutdown(socket, Int32(SHUT_RDWR))
        acceptor.join()
        let clients = state.withLock { state in
            defer { state.ended = [] }
            return Array(state.active.values) + state.ended
        }
        for client in clients { client.join() }
        close(socket)
    }

    private func accept() {
        while true {
            let number = kb_accept(socket)
            if number < 0 {
                if state.withLock({ $0.isStopping }) { return }
                // Out of descriptors, or a client that left in the queue: wait a little rather than spin.
                usleep(10_000)
                continue
            }
            _ = kb_set_blocking(number, 1)
            _ = kb_option(number, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            guard start(Client(socket: number)) else {
                close(number)
                return
            }
        }
    }

    /// False when the sandbox is stopping.
    private func start(_ client: Client) -> Bool {
        let (goesOn, ended) = state.withLock { state in
            guard !state.isStopping else { return (false, [Client]()) }
            state.active[client.socket] = client
            // Under the lock, so that a stop which comes now finds the thread to wait for.
            client.start(name: "sandbox-client") { [self] in
                serve(client.socket)
                leave(client)
            }
            defer { state.ended = [] }
            return (true, state.ended)
        }
        for client in ended { client.join() }
        return goesOn
    }

    /// Runs on the client's thread.
    private func serve(_ socket: Int32) {
        router.records.with { state, _ in state.audit.connections += 1 }
        guard let tls else {
            var stream = ClientStream(socket: socket, tls: nil)
            _ = Dialogue(router: router).run(&stream)
            return
        }
        guard let connection = ServerConnection(tls, socket: socket), connection.handshake() else {
            router.records.with { state, _ in state.audit.failedHandshakes += 1 }
            return
        }
        if connection.wasResumed { router.records.with { state, _ in state.audit.resumedSessions += 1 } }
        var stream = ClientStream(socket: socket, tls: connection)
        if Dialogue(router: router).run(&stream) { stream.finish() }
    }

    private func leave(_ client: Client) {
        state.withLock { state in
            // While stopping, the table is left as it is: `stop` waits for whom it finds there.
            guard !state.isStopping else { return }
            state.active[client.socket] = nil
            state.ended.append(client)
        }
        close(client.socket)
    }
}
