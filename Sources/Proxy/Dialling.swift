internal import Configuration
internal import Credentials
internal import Sockets
internal import TLS

/// Where a provider is, and what was learned of it.
struct Origin {
    /// Nil for a proxy.
    private let provider: Provider?
    private let caFile: String?
    let host: String
    let port: UInt16
    let usesTLS: Bool
    /// What it is called in an error.
    let title: String
    /// True when the host is an address and not a name.
    let isLiteral: Bool
    var addresses: [SocketAddress] = []
    /// Monotonic milliseconds until which the addresses are used without asking again.
    var freshUntil: Int64 = 0
    var isResolving = false
    /// What was agreed on with it last; nil: nobody has asked yet.
    var speaksHTTP2: Bool?
    /// It may be asked.
    var mayUseHTTP2: Bool
    /// To resume (RFC 8446 §2.2); never leaves this worker.
    var session: TLSSession?
    /// The `Host` line and the base path, ready to be written.
    let hostLine: [UInt8]
    let basePath: [UInt8]
    /// Its streams may begin with a refusal.
    let watchesStreams: Bool
    /// In which fields it tells of quotas.
    let limits: [LimitNames]
    /// The letters that those begin with, a bit each.
    let limitInitials: UInt32

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
        mayUseHTTP2 = provider.http2 && url?.scheme != .http
        watchesStreams = !provider.failover.streamErrors.isEmpty
        limits = provider.limitHeaders
        limitInitials = limits.reduce(0) { bits, names in bits | 1 << UInt32((names.prefix.first ?? 0x61) & 0x1f) }
        if let address = SocketAddress(literal: host, port: port) {
            isLiteral = true
            addresses = [address]
            freshUntil = .max
        } else {
            isLiteral = false
        }
        title = host
    }

    /// A proxy: an address to dial, and nothing that is ever put on a request.
    init(_ proxy: OutboundProxy) {
        provider = nil
        caFile = nil
        host = proxy.host
        port = proxy.port
        usesTLS = true
        hostLine = []
        basePath = []
        mayUseHTTP2 = false
        watchesStreams = false
        limits = []
        limitInitials = 0
        title = "the proxy \(proxy)"
        if let address = SocketAddress(literal: host, port: port) {
            isLiteral = true
            addresses = [address]
            freshUntil = .max
        } else {
            isLiteral = false
        }
    }

    /// Whether the two are one host, trusted in the same way: what was learned of the one holds for the other.
    func isSamePlace(as other: Origin) -> Bool {
        switch (provider, other.provider) {
        case (.some(let one), .some(let two)): one.isSamePlace(as: two) && caFile == other.caFile
        case (nil, nil): host == other.host && port == other.port && title == other.title
        default: false
        }
    }

    /// Whether it is where `provider` is, trusted in the same way.
    func isPlace(of other: Provider, caFile anchors: String?) -> Bool {
        provider.map { $0.isSamePlace(as: other) } == true && caFile == anchors
    }

    /// Takes an answer of the resolver; why it is of no use, for people.
    mutating func learn(_ outcome: Resolver.Outcome, now: Int64) -> String? {
        isResolving = false
        switch outcome {
        case .failed(let reason): return "the name of \(title) was not found: \(reason)"
        case .addresses(let found):
            let allowed = found.filter(mayBe)
            let port = port
            addresses = SocketAddress.interleaved(allowed).map { SocketAddress(octets: $0.octets, port: port) ?? $0 }
            freshUntil = allowed.isEmpty ? 0 : now + Self.addressLifetime
            if !allowed.isEmpty { return nil }
            return usesTLS
                ? "\(host) is at a private or local address; where that is meant, set privateAddresses of the provider"
                : "plain http is only spoken to this machine, and \(host) is another"
        }
    }

    /// Whether the name may be at this address, which is dialled as it is. Plain http leaves this machine under no circumstances, whatever a
    /// hosts file says of the name; and a name out in the world is not within: that is how a name is made to lead to a cloud's keys.
    private func mayBe(_ address: SocketAddress) -> Bool {
        if provider?.baseURL?.isLoopback ?? false { return usesTLS || address.isLoopback }
        return usesTLS && (address.isGlobal || provider?.privateAddresses ?? true)
    }
}

extension Provider {
    fileprivate func isSamePlace(as other: Provider) -> Bool {
        baseURL == other.baseURL && http2 == other.http2 && privateAddresses == other.privateAddresses
            && failover.streamErrors.isEmpty == other.failover.streamErrors.isEmpty
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

// MARK: - From a connection to a request

extension Worker {
    /// Nobody is in between any more: TLS, or the request at once.
    mutating func startTLS(_ fd: Int32) {
        let id = upstreams[fd].exchange
        let origin = upstreams[fd].origin
        guard origins[origin].usesTLS else {
            upstreams[fd].stage = .active
            upstreams[fd].deadline = .max
            updateInterest(ofUpstream: fd)
            return connected(id)
        }
        do throws(TLSError) {
            upstreams[fd].tls = try TLSConnection(
                tls, host: origins[origin].host, isLiteral: origins[origin].isLiteral, offersHTTP2: mayUseHTTP2(id),
                resuming: origins[origin].session, pool: pool)
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
        case .done where upstreams[fd].tls?.speaksHTTP2 ?? false:
            carryStreams(ofUpstream: fd)
            return false
        case .done:
            if mayUseHTTP2(upstreams[fd].exchange) {
                origins[upstreams[fd].origin].speaksHTTP2 = false
                awaitingMayGoOn = true
            }
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
            guard now - idleSince < Self.trustedIdleMilliseconds || upstreams[fd].isQuiet else {
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
