internal import Configuration
internal import Credentials
internal import HTTP
internal import JSON
internal import Routing
internal import Sockets
internal import Synchronization

/// How often providers have sent back a secret that a request of ours carried, by profile (`PoolNumbers`).
final class EchoRecord: Sendable {
    private let counts = Mutex<[Int: Int]>([:])

    /// Counts; true for the first of a profile, which is told in the log.
    func add(_ count: Int, of pool: Int) -> Bool {
        counts.withLock { counts in
            defer { counts[pool, default: 0] += count }
            return counts[pool] == nil
        }
    }

    /// For `/-/status`.
    func document(_ pools: PoolNumbers) -> Value {
        let found = counts.withLock { $0 }.sorted { $0.key < $1.key }
        return .array(
            found.compactMap { pool, count in
                guard let (provider, key) = pools.profile(pool) else { return nil }
                return [
                    "provider": .string(provider), "profile": .string(key.profileID), "agent": .string(key.agentID),
                    "masked": .integer(Int64(count)),
                ]
            })
    }
}

// MARK: - What providers send back of our own (DESIGN §1)

extension Worker {
    /// Of a field, and of anything else that is shorter, no secret of the request's profile can be a part.
    @inline(__always)
    func mayHoldSecret(_ id: Int32, bytes count: Int) -> Bool { count >= exchanges[id].candidate?.shortestSecret ?? .max }

    /// Overwrites the profile's secrets in the lines of a head that wait for the client, from `start` on.
    mutating func maskLines(_ id: Int32, of fd: Int32, from start: Int) {
        let bytes = unsafe UnsafeMutableRawBufferPointer(rebasing: downstreams[fd].outbound.mutableBytes[start...])
        unsafe mask(id, bytes)
    }

    /// The same in the lines behind a body.
    mutating func maskTrailers(_ id: Int32) {
        guard mayHoldSecret(id, bytes: exchanges[id].answerTrailers.count) else { return }
        unsafe mask(id, exchanges[id].answerTrailers.mutableBytes)
    }

    private mutating func mask(_ id: Int32, _ bytes: UnsafeMutableRawBufferPointer) {
        guard let candidate = exchanges[id].candidate else { return }
        var found = 0
        for secret in candidate.secrets { found += unsafe EchoMask.cover(secret, in: bytes).count }
        echoed(id, found)
    }

    /// The body of an answer that tells of no success is looked through, since errors quote what was wrong; others pass untouched. What is
    /// coded is not undone for it.
    mutating func beginEchoMask(_ id: Int32, _ head: RawSpan) {
        guard exchanges[id].status >= 300, !exchanges[id].answer.isComplete, let candidate = exchanges[id].candidate,
            !candidate.secrets.isEmpty, answerCoding(id, head) == .identity
        else { return }
        exchanges[id].echo.begin(candidate.secrets)
    }

    /// Hands on what of the body is known to hold no secret.
    mutating func writeMasked(_ id: Int32, _ run: RawSpan, to fd: Int32) {
        echoed(id, exchanges[id].echo.feed(run))
        writeReady(id, to: fd)
    }

    /// Nothing more comes of the body: what waited goes on.
    mutating func endEchoMask(_ id: Int32) {
        guard exchanges[id].echo.isActive else { return }
        echoed(id, exchanges[id].echo.end())
        writeReady(id, to: exchanges[id].downstream)
        exchanges[id].echo.clear()
    }

    private mutating func writeReady(_ id: Int32, to fd: Int32) {
        let ready = unsafe exchanges[id].echo.ready
        // An empty chunk would be the last one.
        if unsafe !ready.isEmpty { writeAnswerBody(id, unsafe RawSpan(_unsafeBytes: ready), to: fd) }
        exchanges[id].echo.passed()
    }

    private func echoed(_ id: Int32, _ count: Int) {
        guard count > 0, let candidate = exchanges[id].candidate, shared.echoes.add(count, of: candidate.poolKey) else { return }
        shared.log.echoed(candidate.key, provider: exchanges[id].setup.settings.providers[exchanges[id].provider].id)
    }
}
