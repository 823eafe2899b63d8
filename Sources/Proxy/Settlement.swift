internal import Configuration
internal import Credentials
internal import HTTP
internal import OAuth
internal import Routing
internal import Sockets

/// What went wrong with an attempt, seen from our side of the connection.
enum Trouble: Equatable {
    /// The connection ended, or the time did, before a final answer.
    case noAnswer(timedOut: Bool)
    case invalidAnswer(Rejection)
    case unaskedUpgrade
    case tooManyInterim
    /// An HTTP/2 stream that the provider has not taken (RFC 9113 §8.7).
    case refusedStream
}

/// How often a request was sent, and with this credential.
struct Attempts {
    var count = 0
    var withThisCredential = 0
    /// The refresh that a 401 asked for has been had.
    var refreshed = false

    mutating func began() {
        count += 1
        withThisCredential += 1
    }
    mutating func nextCredential() { withThisCredential = 0 }
}

// MARK: - Step 8: what an attempt's end means (the table is `Routing.Failover`)

extension Worker {
    /// A final status is here. True: it goes to the client. False: the request is being sent again.
    mutating func settle(_ id: Int32, answered status: Int, _ head: RawSpan) -> Bool {
        let report = limits(id, head)
        if status < 400, !exchanges[id].refusalLook.isRefusedStream {
            accepted(id)
            return true
        }
        let refusal = understood(id, status, head, report)
        let decision = Failover.decide(refusal.event, facts(id))
        // A login that is about to be renewed is not to blame yet.
        if decision != .retrySame(afterRefresh: true) { blame(id, refusal) }
        switch decision {
        case .deliver: return true
        case .next:
            dropUpstream(id)
            exchanges[id].refusalLook = RefusalLook()
            guard !advance(id) else { return false }
            holdOrRefuse(id, nobodyAfter(id, refusal))
            return false
        case .retrySame(let afterRefresh):
            dropUpstream(id)
            exchanges[id].refusalLook = RefusalLook()
            if afterRefresh { park(id, cause: .rejected(exchanges[id].candidate?.fingerprint ?? "")) } else { connect(id) }
            return false
        }
    }

    /// The next candidate was there when it was decided to go on to it, and another request has taken it since.
    private func nobodyAfter(_ id: Int32, _ refusal: UnderstoodRefusal) -> Refusal {
        if case .wait(_, let until) = survey(id, now: wall).verdict { return everybodyRests(id, until: until) }
        return everybodyRests(id, until: refusal.statedUntil ?? 0)
    }

    /// No usable answer came. Whether the request may be sent again depends on what may have been done with it already.
    mutating func settle(_ id: Int32, _ trouble: Trouble) {
        dropUpstream(id)
        let refusal: Refusal
        switch trouble {
        case .noAnswer(let timedOut): refusal = Refusal(timedOut ? .upstreamTimeout : .upstreamClosed, profile: profileID(id))
        case .invalidAnswer(let rejection):
            var invalid = Refusal(.upstreamInvalid, naming: "\(rejection.message)", profile: profileID(id))
            invalid.detail = "\(rejection.code)"
            return refuse(id, invalid)
        case .unaskedUpgrade: return refuse(id, Refusal(.upstreamInvalid, naming: "an upgrade nobody asked for", profile: profileID(id)))
        case .refusedStream:
            return settle(id, .unreachable, otherwise: Refusal(.upstreamClosed, naming: "it refused the stream", profile: profileID(id)))
        case .tooManyInterim: return refuse(id, Refusal(.upstreamInvalid, naming: "more than 8 interim answers", profile: profileID(id)))
        }
        settle(id, .broken, otherwise: refusal)
    }

    /// No connection could be had; nothing of the request was sent.
    mutating func connectFailed(_ id: Int32, _ reason: String, certificate: Bool) {
        guard exchanges[id].stage != .closed else { return }
        awaitingMayGoOn = true
        exchanges[id].attempts.began()
        let refusal = Refusal(certificate ? .upstreamCertificate : .upstreamUnreachable, naming: reason, profile: profileID(id))
        // The same host would show another credential the same certificate.
        if certificate { return refuse(id, refusal) }
        settle(id, .unreachable, otherwise: refusal)
    }

    private mutating func settle(_ id: Int32, _ event: Failover.Event, otherwise refusal: Refusal) {
        switch Failover.decide(event, facts(id)) {
        case .retrySame where origins[exchanges[id].origin].speaksHTTP2 ?? false: connect(id)
        case .retrySame: dial(id)
        case .next where advance(id): break
        case .next, .deliver: refuse(id, refusal)
        }
    }

    private func facts(_ id: Int32) -> Failover.Attempt {
        let provider = exchanges[id].setup.settings.providers[exchanges[id].provider]
        let attempts = exchanges[id].attempts
        return Failover.Attempt(
            number: attempts.count, isReplay: attempts.withThisCredential > 1, isSafeMethod: exchanges[id].head.method.mayBeRepeated,
            bodyIsKept: exchanges[id].replay.isWhole || exchanges[id].request.byteCount == 0,
            isPinned: exchanges[id].isPinned, isRefreshable: (exchanges[id].candidate?.isRefreshable ?? false) && !attempts.refreshed,
            billing: exchanges[id].candidate?.billing ?? .subscription,
            nextBilling: nextBilling(id),
            allowsPaidFallback: exchanges[id].setup.settings.auth.allowPaidFallback, replay: provider.failover.replay)
    }

    func profileID(_ id: Int32) -> String? { exchanges[id].candidate?.key.profileID }

    /// Who pays for the next candidate; nil when there is none.
    private func nextBilling(_ id: Int32) -> Billing? {
        guard let lineup = exchanges[id].lineup, !exchanges[id].isPinned else { return nil }
        var rest = exchanges[id].tried
        rest.insert(exchanges[id].position)
        guard case .use(let position, _) = survey(id, without: rest, now: wall).verdict else { return nil }
        return lineup.candidates[position].billing
    }

    // MARK: Waiting for a refresh

    mutating func park(_ id: Int32, cause: Cause) {
        guard let candidate = exchanges[id].candidate else { return }
        if case .rejected = cause { exchanges[id].attempts.refreshed = true }
        exchanges[id].stage = .parked
        parked.append(id)
        shared.refreshes.ask(candidate, cause: cause, replyTo: mailbox)
    }

    /// A refresh has ended, well or not: everyone who waited for this profile goes on.
    mutating func refreshed(_ key: ProfileKey, _ result: RefreshResult) {
        takeNews()
        let waiting = parked.filter { exchanges[$0].candidate?.key == key }
        parked.removeAll { waiting.contains($0) }
        for id in waiting where exchanges[id].stage == .parked {
            exchanges[id].stage = .choosing
            let before = exchanges[id].candidate
            if renewSetup(id), let renewed = rosters.roster(of: key.agentID)?.lineups[exchanges[id].provider].named(key.profileID) {
                exchanges[id].candidate = renewed
            }
            goOn(id, before: before, result)
        }
    }

    private mutating func goOn(_ id: Int32, before: Candidate?, _ result: RefreshResult) {
        let candidate = exchanges[id].candidate
        let isNew = candidate?.fingerprint != before?.fingerprint
        let readiness = candidate?.readiness(now: wall) ?? .unusable(.unknownProfile)
        // A token that a provider has just refused is not tried again; one that merely expired may have been renewed in time.
        if readiness == .ready || readiness == .early, isNew || !exchanges[id].attempts.refreshed { return connect(id) }
        if case .unusable = readiness, advance(id) { return }
        if result != .renewed, advance(id) { return }
        holdOrRefuse(id, refusal(after: result, id))
    }

    private func refusal(after result: RefreshResult, _ id: Int32) -> Refusal {
        var refusal: Refusal
        switch result {
        case .needsLogin(let why): refusal = Refusal(.needsLogin, naming: why, profile: profileID(id))
        case .failed(let why, let seconds):
            refusal = Refusal(.refreshFailed, naming: why, profile: profileID(id))
            refusal.retryAfterSeconds = seconds
        case .notRenewed(let why): refusal = Refusal(.overlayExpired, naming: why, profile: profileID(id))
        case .renewed: refusal = Refusal(.profileUnusable, profile: profileID(id))
        }
        refusal.candidates = explanation(id)
        return refusal
    }
}
