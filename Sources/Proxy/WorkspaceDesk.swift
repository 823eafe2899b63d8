internal import Children
internal import Routing
internal import Sockets
internal import TLS

/// Finds out in which folder a caller works, before its connection goes to a worker: only where agents have workspaces.
///
/// A thread of its own, since thousands of names in /proc are read for a process that was not seen before (about 10 ms on a desktop):
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
    private let runner: Runner?

    /// Starts the thread.
    ///
    /// - Parameter runner: looks at other processes; nil: nobody's folder is known.
    init(board: CredentialBoard, runner: Runner?) {
        self.board = board
        self.runner = runner
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
        while true {
            _ = poller.wait(milliseconds: -1)
            for arrival in arrivals.collect() {
                guard var arrival else { return }
                arrival.caller.agent = agent(of: arrival.caller)
                arrival.worker.post(.accepted(arrival.socket, arrival.caller, arrival.tls))
            }
        }
    }

    private func agent(of caller: Caller) -> String? {
        guard let owner = caller.owner, let folder = runner?.ask(ProcessQuestion.folder(owner)) else { return nil }
        return folder.isEmpty ? nil : board.workspaces.agent(workingIn: String(decoding: folder, as: UTF8.self))
    }
}

extension Runner {
    /// Asks about another process: of a server that has confined itself, only its runner may look there (landlock(7), "ptrace restrictions").
    func ask(_ question: ProcessQuestion) -> [UInt8]? { ask(Array(question.text.utf8)) }
}
