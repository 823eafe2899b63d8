internal import Configuration
internal import Sockets
internal import TLS

/// Where a provider is, and what was learned of it.
struct Origin {
    private let provider: Provider
    private let caFile: String?
    let host: String
    let port: UInt16
    let usesTLS: Bool
    /// True when the host is an address and not a name.
    let isLiteral: Bool
    var addresses: [SocketAddress] = []
    /// Monotonic milliseconds until which the addresses are used without asking again.
    var freshUntil: Int64 = 0
    var isResolving = false
    /// To resume (RFC 8446 §2.2); never leaves this worker.
    var session: TLSSession?
    /// The `Host` line and the base path, ready to be written.
    let hostLine: [UInt8]
    let basePath: [UInt8]
    /// Its streams may begin with a refusal.
    let watchesStreams: Bool
    /// In which fields it tells of quotas.
    let limits: [LimitFamily]

    /// How long an answer of the system's resolver, which tells no lifetime, is believed.
    static var addressLifetime: Int64 { 30_000 }

    init(_ provider: Provider, caFile: String?) {
        self.provider = provider
        self.caFile = caFile
        let url = provider.baseURL
        host = url?.host ?? ""
        port = url?.port ?? 0
        usesTLS = url?.scheme != .http
        hostLine = Array("Host: \(url?.authority ?? "")\r\n".utf8)
        basePath = Array((url?.path ?? "").utf8)
        watchesStreams = !provider.failover.streamErrors.isEmpty
        limits = provider.limitHeaders
        if let address = SocketAddress(literal: host, port: port) {
            isLiteral = true
            addresses = [address]
            freshUntil = .max
        } else {
            isLiteral = false
        }
    }

    /// Whether the two are one host, trusted in the same way: what was learned of the one holds for the other.
    func isSamePlace(as other: Origin) -> Bool { provider.isSamePlace(as: other.provider) && caFile == other.caFile }
}

extension Provider {
    fileprivate func isSamePlace(as other: Provider) -> Bool {
        baseURL == other.baseURL && failover.streamErrors.isEmpty == other.failover.streamErrors.isEmpty
            && limitHeaders == other.limitHeaders
    }
}

/// Idle upstream connections by pool key, the most recently used first.
struct IdlePool {
    private var stacks: [[Int32]] = []

    mutating func take(key: Int) -> Int32? {
        guard key < stacks.count else { return nil }
        return stacks[key].popLast()
    }
    /// False when the key has its fill.
    mutating func put(_ fd: Int32, key: Int, limit: Int) -> Bool {
        while stacks.count <= key { stacks.append([]) }
        guard stacks[key].count < limit else { return false }
        stacks[key].append(fd)
        return true
    }
    mutating func remove(_ fd: Int32, key: Int) {
        guard key < stacks.count, let at = stacks[key].lastIndex(of: fd) else { return }
        stacks[key].remove(at: at)
    }
}

// MARK: - From a name to a connection

extension Worker {
    /// Starts a connection for the exchange, after looking its host's name up if need be.
    mutating func dial(_ id: Int32) {
        let origin = exchanges[id].origin
        guard origins[origin].freshUntil > now else {
            exchanges[id].stage = .resolving
            resolving.append(id)
            return lookUp(origin)
        }
        dial(id, from: 0)
    }

    private mutating func lookUp(_ origin: Int) {
        guard !origins[origin].isResolving else { return }
        origins[origin].isResolving = true
        let mailbox = mailbox
        shared.resolver.resolve(origins[origin].host) { mailbox.post(.resolved(origin, $0)) }
    }

    mutating func resolved(_ origin: Int, _ outcome: Resolver.Outcome) {
        origins[origin].isResolving = false
        var failure = ""
        switch outcome {
        case .addresses(let addresses):
            let port = origins[origin].port
            // Plain http leaves this machine under no circumstances, whatever a hosts file says of the name.
            let allowed = origins[origin].usesTLS ? addresses : addresses.filter(\.isLoopback)
            origins[origin].addresses = allowed.map { SocketAddress(octets: $0.octets, port: port) ?? $0 }
            origins[origin].freshUntil = allowed.isEmpty ? 0 : now + Origin.addressLifetime
            if allowed.isEmpty { failure = "plain http is only spoken to this machine, and \(origins[origin].host) is another" }
        case .failed(let reason): failure = "the name \(origins[origin].host) was not found: \(reason)"
        }
        let waiting = resolving.filter { exchanges[$0].origin == origin }
        resolving.removeAll { waiting.contains($0) }
        for id in waiting where exchanges.holds(id) {
            if failure.isEmpty { dial(id, from: 0) } else { connectFailed(id, failure, certificate: false) }
        }
    }

    private mutating func dial(_ id: Int32, from start: Int) {
        let origin = exchanges[id].origin
        var lastError: Int32 = 0
        for index in start..<origins[origin].addresses.count {
            switch TCP.dial(origins[origin].addresses[index]) {
            case .failed(let code): lastError = code
            case .started(let socket) where Int(socket.number) >= upstreams.capacity: lastError = SystemError.tooManyDescriptors
            case .started(let socket):
                let fd = socket.number
                exchanges[id].stage = .connecting
                exchanges[id].upstream = fd
                upstreams.insert(
                    Upstream(
                        socket: socket, origin: origin, poolKey: exchanges[id].poolKey, exchange: id, tls: nil,
                        outbound: ByteQueue(pool: pool), inbound: ByteQueue(pool: pool), deadline: now + timeouts.connect,
                        addressIndex: index),
                    at: fd)
                poller.add(fd, .write)
                return
            }
        }
        origins[origin].freshUntil = origins[origin].isLiteral ? .max : 0  // ask for the name again next time
        connectFailed(id, "\(origins[origin].host) cannot be reached: \(SystemError.text(lastError))", certificate: false)
    }

    /// The dial is decided: goes on with TLS, with the next address, or with the request.
    mutating func finishDial(_ fd: Int32) {
        let id = upstreams[fd].exchange
        let code = TCP.outcome(of: upstreams[fd].socket)
        let origin = upstreams[fd].origin
        guard code == 0 else {
            let next = upstreams[fd].addressIndex + 1
            buryUpstream(fd)
            exchanges[id].upstream = -1
            if next < origins[origin].addresses.count { return dial(id, from: next) }
            return connectFailed(id, "\(origins[origin].host) cannot be reached: \(SystemError.text(code))", certificate: false)
        }
        guard origins[origin].usesTLS else {
            upstreams[fd].stage = .active
            upstreams[fd].deadline = .max
            updateInterest(ofUpstream: fd)
            return connected(id)
        }
        do throws(TLSError) {
            upstreams[fd].tls = try TLSConnection(
                tls, host: origins[origin].host, isLiteral: origins[origin].isLiteral, resuming: origins[origin].session, pool: pool)
        } catch {
            buryUpstream(fd)
            exchanges[id].upstream = -1
            return connectFailed(id, error.description, certificate: false)
        }
        upstreams[fd].stage = .handshaking
        _ = shakeHands(fd)
    }

    /// Goes on with the handshake; true once it is done. Until then no byte of the request exists on this connection.
    mutating func shakeHands(_ fd: Int32) -> Bool {
        let host = origins[upstreams[fd].origin].host
        switch upstreams[fd].tls?.shakeHands(host: host) ?? .underWay {
        case .underWay:
            flushUpstream(fd)
            return false
        case .done:
            upstreams[fd].stage = .active
            upstreams[fd].deadline = .max
            updateInterest(ofUpstream: fd)
            connected(upstreams[fd].exchange)
            return upstreams[fd].stage != .gone
        case .failed(let error):
            let id = upstreams[fd].exchange
            _ = upstreams[fd].flush()  // the alert that tells the server why
            buryUpstream(fd)
            exchanges[id].upstream = -1
            connectFailed(id, error.description, certificate: error.isCertificateProblem)
            return false
        }
    }

    // MARK: The pool

    /// A connection of this provider and profile that waits in the pool.
    mutating func pooled(for id: Int32) -> Int32? {
        while let fd = idle.take(key: exchanges[id].poolKey) {
            upstreams[fd].stage = .active
            // The provider may have closed it in this very turn, and a POST that meets a closed connection cannot be repeated (DESIGN §8).
            // Asking costs a system call, so only those are asked that were idle long enough for a provider's patience to end.
            let idleSince = upstreams[fd].deadline - timeouts.upstreamIdle
            guard now - idleSince < Self.trustedIdleMilliseconds || upstreams[fd].socket.isQuiet else {
                buryUpstream(fd)
                continue
            }
            upstreams[fd].exchange = id
            upstreams[fd].deadline = .max
            return fd
        }
        return nil
    }
    private static var trustedIdleMilliseconds: Int64 { 1_000 }

    /// Keeps a connection whose answer was complete for the next exchange of the same profile.
    mutating func keepUpstream(_ fd: Int32) {
        let origin = upstreams[fd].origin
        if !upstreams[fd].sessionKept, let session = upstreams[fd].tls?.session() {
            origins[origin].session = session
            upstreams[fd].sessionKept = true
        }
        upstreams[fd].exchange = -1
        guard !draining, idle.put(fd, key: upstreams[fd].poolKey, limit: setup.settings.upstream.idlePerKey) else {
            return buryUpstream(fd)
        }
        upstreams[fd].stage = .idle
        upstreams[fd].deadline = now + timeouts.upstreamIdle
        updateInterest(ofUpstream: fd)
    }
}
