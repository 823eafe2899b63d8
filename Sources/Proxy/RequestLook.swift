internal import Configuration
internal import HTTP
internal import JSON
internal import Routing
internal import Sockets

// MARK: - Before step 3: a JSON body is held until what may decide about the profile is known

extension Worker {
    /// Whether this request's body is to be looked into first. Then nothing is decided until `lookAtBody` has seen enough.
    mutating func beginLook(_ id: Int32, _ bytes: RawSpan) -> Bool {
        guard let coding = lookableCoding(id, bytes), mayBeServed(id) else { return false }
        let readsKept = shared.affinities.knowsKept
        // Where there is but one profile, a session has nothing to choose.
        let readsKey = exchanges[id].session == .none && exchanges[id].setup.settings.sessions.promptCacheKey && hasChoice(id)
        exchanges[id].look.begin(
            coding: coding, readsKey: readsKey, readsKept: readsKept, limitsModels: exchanges[id].key?.limitsModels ?? false)
        exchanges[id].replay.begin(limit: exchanges[id].setup.settings.replay.maxBytes, expecting: exchanges[id].head.framing)
        exchanges[id].stage = .looking
        let client = exchanges[id].downstream
        if exchanges[id].head.expectsContinue, downstreams[client].inbound.isEmpty {
            exchanges[id].continueWasSent = true
            sendContinue(to: client)
        }
        downstreams[client].readDeadline = now + timeouts.bodyIdle
        return true
    }

    private func hasChoice(_ id: Int32) -> Bool {
        guard let lineup = exchanges[id].lineup else { return false }
        return lineup.candidates.count + lineup.others.count > 1
    }

    /// How the body is coded; nil when it is not looked into: no JSON, another coding, longer than what may be held, or no room for it now.
    private func lookableCoding(_ id: Int32, _ bytes: RawSpan) -> ContentCoding? {
        guard !exchanges[id].request.isComplete, exchanges[id].setup.settings.providers[exchanges[id].provider].needsCredential,
            let type = exchanges[id].head.first(.contentType), MediaType.isJSON(bytes, type.valueRange)
        else { return nil }
        let limit = exchanges[id].setup.settings.replay.maxBytes
        if case .length(let count) = exchanges[id].head.framing, count > limit { return nil }
        guard limit > 0, replayBytes < exchanges[id].setup.replayShare else { return nil }
        guard let coding = exchanges[id].head.first(.contentEncoding) else { return .identity }
        return exchanges[id].head.containsTwice(.contentEncoding) ? nil : ContentCoding(bytes, coding.valueRange)
    }

    /// A request that will be refused whatever its body says is not asked for it.
    private func mayBeServed(_ id: Int32) -> Bool {
        if exchanges[id].isPinned, let candidate = exchanges[id].candidate {
            if case .unusable = candidate.readiness(now: wall) { return false }
            return true
        }
        guard let lineup = exchanges[id].lineup else { return false }
        return !lineup.candidates.isEmpty || !lineup.others.isEmpty
    }

    /// Holds body bytes as they come; answers how many were used.
    mutating func lookAtBody(_ id: Int32, _ bytes: RawSpan) -> Int {
        var at = 0
        while exchanges[id].stage == .looking {
            switch exchanges[id].request.next(bytes, from: at) {
            case .data(let start, let count, let next):
                hold(id, bytes.extracting(start..<start + count))
                at = next
            case .trailers(let start, let count, let next):
                exchanges[id].requestTrailers.append(bytes.extracting(start..<start + count))
                at = next
            case .ended(let next): at = next
            case .starved:
                downstreams[exchanges[id].downstream].readDeadline = now + timeouts.bodyIdle
                return bytes.byteCount
            case .broken(let rejection):
                refuse(id, Refusal(rejection))
                return bytes.byteCount
            }
            if let cap = exchanges[id].setup.settings.limits.requestBody, exchanges[id].request.byteCount > cap {
                refuse(id, Refusal(.bodyTooLarge))
                return bytes.byteCount
            }
            let isFull =
                exchanges[id].replay.bytes.count >= exchanges[id].setup.settings.replay.maxBytes
                || replayBytes >= exchanges[id].setup.replayShare
            if exchanges[id].request.isComplete || isFull || exchanges[id].look.isDecided { endLook(id) }
        }
        return at
    }

    private mutating func hold(_ id: Int32, _ run: RawSpan) {
        exchanges[id].replay.hold(run)
        replayBytes += run.byteCount
        if !exchanges[id].look.isCoded { exchanges[id].look.feed(run) }
    }

    /// Enough has been seen, or there is no more.
    mutating func endLook(_ id: Int32) {
        exchanges[id].stage = .choosing
        downstreams[exchanges[id].downstream].readDeadline = .max
        if exchanges[id].look.isCoded { decode(id) }
        decide(id)
    }

    /// A coded body, as far as it is whole, is looked into in a copy: what goes upstream is the client's own unless that must change.
    private mutating func decode(_ id: Int32) {
        guard exchanges[id].request.isComplete else { return }
        var plain = ByteQueue(pool: pool)
        let limit = exchanges[id].setup.settings.replay.maxBytes
        let coding = exchanges[id].look.coding
        if unsafe decoder.decode(exchanges[id].replay.bytes.bytes, as: coding, into: &plain, limit: limit) == .whole {
            exchanges[id].look.feed(unsafe RawSpan(_unsafeBytes: plain.bytes))
            exchanges[id].decoded.take(from: &plain)
        }
    }
}
