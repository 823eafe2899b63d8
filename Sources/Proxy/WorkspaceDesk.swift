internal import Routing
internal import Sockets
internal import TLS

/// Finds out in which folder a caller works, before its connection goes to a worker: only where agents have workspaces.
///
/// A thread of its own, since it reads thousands of names in /proc for a process that it has not seen before (about 10 ms on a desktop):
/// neither a worker's streams nor the acceptor wait for that, only the new connection does, once.
final class WorkspaceDesk: Sendable {
    /// A connection on its way to a worker.
    private struct Arrival: Sendable {
        let socket: Int32
        var caller: Caller
        let tls: ListenerContext?
        let worker: Mailbox<Message>
    }
    private let arrivals = Mailbox<Arrival?>()
    private let board: CredentialBoard

    /// Starts the thread.
    init(board: CredentialBoard) {
        self.board = board
        let desk = self
        Thread(name: "kb-workspaces") { desk.run() }.detach()
    }

    /// Whether anybody has to be asked.
    var isNeeded: Bool { !board.workspaces.isEmpty }

    /// Hands the connection on to `worker` when its caller's folder is known.
    func hand(_ socket: Int32, _ caller: Caller, _ tls: ListenerContext?, to worker: Mailbox<Message>) {
        arrivals.post(Arrival(socket: socket, caller: caller, tls: tls, worker: worker))
    }

    /// Ends the thread.
    func stop() { arrivals.post(nil) }

    private func run() {
        let poller = Poller()
        poller.add(arrivals.descriptor, .read)
        var recent: [Int32] = []
        while true {
            _ = poller.wait(milliseconds: -1)
            for arrival in arrivals.collect() {
                guard var arrival else { return }
                arrival.caller.agent = agent(of: arrival.caller, &recent)
                arrival.worker.post(.accepted(arrival.socket, arrival.caller, arrival.tls))
            }
        }
    }

    /// `recent`: processes that were found before, the last one first. A tool opens many connections, and is found there at once.
    private func agent(of caller: Caller, _ recent: inout [Int32]) -> String? {
        guard let owner = caller.owner, let process = owner.process ?? Self.process(owner, recent) else { return nil }
        recent.removeAll { $0 == process }
        recent.insert(process, at: 0)
        if recent.count > 32 { recent.removeLast() }
        return SocketHolder.workingDirectory(of: process).flatMap { board.workspaces.agent(workingIn: $0) }
    }

    private static func process(_ owner: SocketOwner, _ recent: [Int32]) -> Int32? {
        recent.first { SocketHolder.holds($0, owner.inode) } ?? SocketHolder.process(holding: owner.inode, user: owner.user)
    }
}
