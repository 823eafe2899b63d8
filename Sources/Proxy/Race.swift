internal import Credentials
internal import Sockets

/// The dials that an exchange has under way to the addresses of one name (RFC 8305, Happy Eyeballs): the first to stand is used, the others
/// are let go.
struct Race {
    /// As many as run side by side.
    static var limit: Int { 6 }
    /// RFC 8305 §5: how long the one before is given before the next one starts.
    static var staggerMilliseconds: Int64 { 250 }

    /// The place, among the worker's origins, of whose addresses are dialled: the provider's, or its proxy's.
    var place = 0
    /// The address that is next.
    var next = 0
    /// Monotonic milliseconds: when it starts even though those before have not failed; when all of them are given up.
    var nextAt = Int64.max
    var deadline = Int64.max
    private(set) var runners = InlineArray<6, Int32>(repeating: -1)
    private(set) var count = 0
    /// Why the last one that failed did.
    var lastError: Int32 = 0

    mutating func add(_ fd: Int32) {
        runners[count] = fd
        count += 1
    }
    mutating func remove(_ fd: Int32) {
        for at in 0..<count where runners[at] == fd {
            count -= 1
            runners[at] = runners[count]
            return
        }
    }
    /// Takes one out; nil when there is none.
    mutating func pop() -> Int32? {
        guard count > 0 else { return nil }
        count -= 1
        return runners[count]
    }
}

// MARK: - From a name to a connection

extension Worker {
    /// Starts a connection for the exchange, after looking names up if need be.
    mutating func dial(_ id: Int32) {
        let origin = exchanges[id].origin
        switch exchanges[id].candidate?.way ?? .direct {
        case .direct: exchanges[id].race.place = origin
        case .unusable(let why): return connectFailed(id, why, certificate: false)
        case .through(let proxy):
            guard proxy.scheme != .https else {
                return connectFailed(
                    id, "\(proxy) is spoken to over TLS, which requests cannot do: use http:// or socks5h://", certificate: false)
            }
            // The proxy is told an address, and not the name.
            if proxy.scheme == .socks5, origins[origin].freshUntil <= now { return look(id, up: origin) }
            exchanges[id].race.place = place(of: Origin(proxy))
        }
        let place = exchanges[id].race.place
        guard origins[place].freshUntil > now else { return look(id, up: place) }
        exchanges[id].stage = .connecting
        exchanges[id].race.next = 0
        exchanges[id].race.deadline = now + timeouts.connect
        startRunner(id)
    }

    private mutating func look(_ id: Int32, up place: Int) {
        exchanges[id].stage = .resolving
        exchanges[id].race.place = place
        resolving.append(id)
        guard !origins[place].isResolving else { return }
        origins[place].isResolving = true
        let mailbox = mailbox
        shared.resolver.resolve(origins[place].host) { mailbox.post(.resolved(place, $0)) }
    }

    mutating func resolved(_ place: Int, _ outcome: Resolver.Outcome) {
        let failure = origins[place].learn(outcome, now: now)
        let waiting = resolving.filter { exchanges[$0].race.place == place }
        resolving.removeAll { waiting.contains($0) }
        for id in waiting where exchanges.holds(id) {
            if let failure { connectFailed(id, failure, certificate: false) } else { dial(id) }
        }
    }

    // MARK: Runners

    /// Dials the next address that can be dialled at all.
    private mutating func startRunner(_ id: Int32) {
        let place = exchanges[id].race.place
        exchanges[id].race.nextAt = .max
        while exchanges[id].race.next < origins[place].addresses.count, exchanges[id].race.count < Race.limit {
            let address = origins[place].addresses[exchanges[id].race.next]
            exchanges[id].race.next += 1
            switch TCP.dial(address) {
            case .failed(let code): exchanges[id].race.lastError = code
            case .started(let socket) where Int(socket.number) >= Worker.slots || socket.number >= DescriptorReserve.ceiling:
                cancelRace(id)
                return refuse(id, Refusal(.outOfDescriptors))
            case .started(let socket):
                let fd = socket.number
                upstreams.insert(
                    Upstream(
                        socket: socket, origin: exchanges[id].origin, poolKey: exchanges[id].poolKey, exchange: id, pool: pool,
                        deadline: exchanges[id].race.deadline),
                    at: fd)
                poller.add(fd, .write)
                exchanges[id].race.add(fd)
                return staggerNext(id)
            }
        }
        if exchanges[id].race.count == 0 { raceIsLost(id) }
    }

    private mutating func staggerNext(_ id: Int32) {
        guard exchanges[id].race.next < origins[exchanges[id].race.place].addresses.count else { return }
        exchanges[id].race.nextAt = now + Race.staggerMilliseconds
        if !racing.contains(id) { racing.append(id) }
    }

    /// Starts those whose time has come.
    mutating func goOnRacing() {
        let waiting = racing
        racing.removeAll(keepingCapacity: true)
        for id in waiting where exchanges.holds(id) && exchanges[id].stage == .connecting && exchanges[id].race.nextAt < .max {
            if now < exchanges[id].race.nextAt { racing.append(id) } else { startRunner(id) }
        }
    }

    /// One dial is decided.
    mutating func finishDial(_ fd: Int32) {
        let id = upstreams[fd].exchange
        let code = upstreams[fd].dialOutcome
        exchanges[id].race.remove(fd)
        guard code == 0 else {
            exchanges[id].race.lastError = code
            buryUpstream(fd)
            // Whoever is next need not wait for its time (RFC 8305 §5).
            return startRunner(id)
        }
        cancelRace(id)
        exchanges[id].upstream = fd
        speakThrough(fd)
    }

    /// Nobody is left who could stand.
    private mutating func raceIsLost(_ id: Int32) {
        let place = exchanges[id].race.place
        if !origins[place].isLiteral { origins[place].freshUntil = 0 }  // ask for the name again next time
        let reason = SystemError.text(exchanges[id].race.lastError)
        connectFailed(id, "\(origins[place].title) cannot be reached: \(reason)", certificate: false)
    }

    /// Lets go of every dial under way.
    mutating func cancelRace(_ id: Int32) {
        exchanges[id].race.nextAt = .max
        while let fd = exchanges[id].race.pop() { buryUpstream(fd) }
    }
}
