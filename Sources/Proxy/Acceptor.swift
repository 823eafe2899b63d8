internal import CLinux
internal import Configuration
internal import Glibc
internal import Sockets

/// Takes connections from all listening sockets on one thread, and hands each to the worker that has the fewest.
///
/// When there is no room (connections, or descriptors but for those that the store needs) the sockets are not looked at for a while: what
/// waits there is kept by the kernel, and costs nothing.
struct Acceptor: ~Copyable {
    private let listeners: [Int32: Listener]
    private let peers = PeerLookup()
    private let poller = Poller()
    private let stop: Mailbox<Void>
    private let shared: Shared
    private let workers: [Mailbox<Message>]
    /// The sockets that are not looked at for now.
    private var paused: Set<Int32> = []
    /// A pause is said once, not at each of its turns.
    private var pauseIsSaid = false
    /// Users that were turned away: each is told of once.
    private var strangers: Set<UInt32?> = []

    /// How long a pause lasts before there may be room again.
    private static let pauseMilliseconds: Int32 = 100
    /// So many connections of a user who has too many are told so; further ones are closed without a word.
    private static let toldBeyondLimit = 16

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
            let count = poller.wait(milliseconds: paused.isEmpty ? -1 : Self.pauseMilliseconds)
            for event in 0..<count {
                let number = poller.descriptor(at: event)
                if number == stop.descriptor { return }
                if let listener = listeners[number], !paused.contains(number) { acceptAll(listener) }
            }
            if !paused.isEmpty, count == 0 { resume() }
        }
    }

    private mutating func acceptAll(_ listener: Listener) {
        let setup = shared.board.setup
        // Commands reach a server that is full.
        let limit = listener.isControl ? Int.max : setup.settings.limits.connections
        while true {
            guard let worker = shared.loads.assign(limit: limit) else {
                return pause(listener, "\(limit) connections are open (limits.connections)")
            }
            let (number, code) = TCP.accept(from: listener.socket)
            guard number >= 0 else {
                shared.loads.cancelled(worker: worker)
                switch code {
                case EAGAIN, EINTR, ECONNABORTED: return
                // No descriptor or memory left: without a pause this loop would spin until a client leaves.
                default: return pause(listener, SystemError.text(code))
                }
            }
            hand(number, listener, to: worker, setup)
            // The last descriptors are for the store: a token that was spent must be written down.
            if number >= DescriptorReserve.ceiling { return pause(listener, "the limit of open files is near") }
        }
    }

    private mutating func hand(_ number: Int32, _ listener: Listener, to worker: Int, _ setup: Setup) {
        var caller = caller(number, listener.door, setup)
        let count = shared.loads.entered(caller)
        if !listener.isControl, let most = setup.settings.limits.connectionsPerUser, count > most {
            guard count <= most + Self.toldBeyondLimit else {
                shared.loads.ended(worker: worker, caller)
                return Descriptor(owning: number).discard()
            }
            caller.isOneTooMany = true
        }
        if shared.workspaces.isNeeded, !listener.isControl, setup.callers.admits(caller) {
            shared.workspaces.hand(number, caller, listener.identity?.current, to: workers[worker])
        } else {
            workers[worker].post(.accepted(number, caller, listener.identity?.current))
        }
    }

    /// Who has connected. Looked up now: a caller that sends its request and closes cannot be told any more a moment later, and is refused.
    private mutating func caller(_ number: Int32, _ door: Caller.Door, _ setup: Setup) -> Caller {
        let owner: SocketOwner? =
            switch door {
            case .unixSocket: PeerLookup.owner(ofUnix: number)
            case .loopback: peers.owner(ofTCP: number)
            case .network: nil
            }
        let caller = Caller(door: door, owner: owner)
        // Where there are keys, one may be shown yet.
        if setup.keys.isEmpty, !setup.callers.admits(caller), strangers.count < 1_000, strangers.insert(owner?.user).inserted {
            shared.log.strangerRefused(owner?.user)
        }
        return caller
    }

    // MARK: Pauses

    private mutating func pause(_ listener: Listener, _ why: String) {
        if !pauseIsSaid { shared.log.acceptPaused(why) }
        pauseIsSaid = true
        paused.insert(listener.socket.number)
        poller.remove(listener.socket.number)
    }

    /// Looks again at the sockets, if there is room by now.
    private mutating func resume() {
        guard DescriptorReserve.hasRoom else { return }
        let isFull = shared.loads.total >= shared.board.setup.settings.limits.connections
        for number in paused where !isFull || listeners[number]?.isControl ?? false {
            paused.remove(number)
            poller.add(number, .read)
        }
        if paused.isEmpty, pauseIsSaid {
            pauseIsSaid = false
            shared.log.acceptResumed()
        }
    }
}
