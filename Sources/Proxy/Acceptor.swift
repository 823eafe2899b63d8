internal import CLinux
internal import Configuration
internal import Glibc
internal import Sockets

/// Takes connections from all listening sockets on one thread, and hands each to the worker that has the fewest.
struct Acceptor: ~Copyable {
    private let listeners: [Int32: Listener]
    private let peers = PeerLookup()
    private let poller = Poller()
    private let stop: Mailbox<Void>
    private let shared: Shared
    private let workers: [Mailbox<Message>]
    /// A pause is said once, not at each of its turns.
    private var isPausing = false
    /// Users that were turned away: each is told of once.
    private var strangers: Set<UInt32?> = []

    init(listeners: [Listener], stop: Mailbox<Void>, shared: Shared, workers: [Mailbox<Message>]) {
        self.listeners = Dictionary(uniqueKeysWithValues: listeners.map { ($0.socket.number, $0) })
        self.stop = stop
        self.shared = shared
        self.workers = workers
    }

    /// Accepts until told to stop; the listening sockets are closed then.
    mutating func run() {
        for number in listeners.keys { poller.add(number, .read) }
        poller.add(stop.descriptor, .read)
        while true {
            let count = poller.wait(milliseconds: -1)
            for event in 0..<count {
                let number = poller.descriptor(at: event)
                if number == stop.descriptor { return }
                if let listener = listeners[number] { acceptAll(listener) }
            }
        }
    }

    private mutating func acceptAll(_ listener: Listener) {
        while true {
            guard let worker = shared.loads.assign(limit: shared.settings.limits.connections) else {
                return pause("\(shared.settings.limits.connections) connections are open (limits.connections)")
            }
            let (number, code) = TCP.accept(from: listener.socket)
            guard number >= 0 else {
                shared.loads.ended(worker: worker)
                switch code {
                case EAGAIN, EINTR, ECONNABORTED: return
                // No descriptor or memory left: without a pause this loop would spin until a client leaves.
                default: return pause(SystemError.text(code))
                }
            }
            isPausing = false
            let caller = caller(number, listener.door)
            if shared.workspaces.isNeeded, !listener.isControl, shared.callers.admits(caller) {
                shared.workspaces.hand(number, caller, to: workers[worker])
            } else {
                workers[worker].post(.accepted(number, caller))
            }
        }
    }

    /// Who has connected. Looked up now: a caller that sends its request and closes cannot be told any more a moment later, and is refused.
    private mutating func caller(_ number: Int32, _ door: Caller.Door) -> Caller {
        let owner: SocketOwner? =
            switch door {
            case .unixSocket: PeerLookup.owner(ofUnix: number)
            case .loopback: peers.owner(ofTCP: number)
            }
        let caller = Caller(door: door, owner: owner)
        if !shared.callers.admits(caller), strangers.count < 1_000, strangers.insert(owner?.user).inserted {
            shared.log.strangerRefused(owner?.user)
        }
        return caller
    }

    private mutating func pause(_ why: String) {
        if !isPausing { shared.log.acceptPaused(why) }
        isPausing = true
        usleep(100_000)
    }
}
