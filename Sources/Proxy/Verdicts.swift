internal import Configuration
internal import HTTP
internal import Routing
internal import Sockets

/// A refusal with all that the answer says of it: status, codes, limit fields, times.
struct UnderstoodRefusal {
    let event: Failover.Event
    let reason: FailureReason?
    /// When the provider says that it will be over; milliseconds since 1970.
    let statedUntil: Int64?

    static let retryAfterMilliseconds = Array("retry-after-ms".utf8)
}

// MARK: - What an answer says of the profile that it was for

extension Worker {
    /// Reads the fields that tell of quotas. Of an answer without any it costs the comparison of a few octets.
    func limits(_ id: Int32, _ head: RawSpan) -> QuotaReport? {
        let origin = exchanges[id].origin
        guard !origins[origin].limits.isEmpty, let slot = exchanges[id].candidate?.slot else { return nil }
        var report = QuotaReport()
        var isTold = false
        for index in 0..<exchanges[id].response.fieldCount {
            let field = exchanges[id].response[index]
            guard field.name == .other, field.nameRange.count > 8 else { continue }
            // Names begin with letters; what else has the same five bits fails the comparison that follows.
            let first = UInt32(FieldText.byte(head, field.nameRange.lowerBound) & 0x1f)
            guard origins[origin].limitInitials >> first & 1 == 1 else { continue }
            let name = unsafe head.extracting(field.nameRange)._unsafeView(as: UInt8.self)
            let value = unsafe head.extracting(field.valueRange)._unsafeView(as: UInt8.self)
            for place in origins[origin].limits.indices {
                let isRead = LimitFields.read(name, value, of: origins[origin].limits[place], into: &report, now: wall)
                if isRead { isTold = true }
            }
        }
        guard isTold else { return nil }
        report.at = wall
        shared.standings.told(slot, report, now: report.at)
        return report
    }

    /// The credential was taken: that ends a rest, and money may have been spent.
    mutating func accepted(_ id: Int32) {
        guard let candidate = exchanges[id].candidate else { return }
        shared.standings.succeeded(candidate.slot, model: exchanges[id].modelKey, sentAt: wall - (now - exchanges[id].sentAt), now: wall)
        if exchanges[id].reason == .paidFallback, let replaced = subscriptionReplaced(id) {
            exchanges[id].paidInsteadOf = "\(PercentText.encode(replaced.profile)); \(replaced.reason)"
            shared.standings.spent(candidate.slot, insteadOf: replaced.profile, reason: replaced.reason, now: wall)
        }
    }

    /// What a refusal means, by status, code and fields.
    func understood(_ id: Int32, _ status: Int, _ head: RawSpan, _ report: QuotaReport?) -> UnderstoodRefusal {
        let look = exchanges[id].refusalLook
        var meaning = look.meaning
        var until = look.resetsAt ?? retryTime(id, head, now: wall)
        // The plan's own fields tell a quota that is used up from too much at once, which share a status and a code.
        if status == 429, meaning == .unknown || meaning == .rate || meaning == .quota, let report, report.isRejected {
            meaning = .quota
            until = report.exhaustedUntil(now: wall) ?? until
        }
        if until == nil, status == 429 { until = report?.exhaustedUntil(now: wall) }
        let hasTime = exchanges[id].response.contains(.retryAfter)
        // A refusal inside a stream stands for the status that it would have had.
        let shown = look.isRefusedStream ? Self.status(for: meaning) : status
        let event = Failover.Event.status(shown, hasRetryAfter: hasTime, refusal: meaning)
        return UnderstoodRefusal(event: event, reason: Failover.rest(after: event), statedUntil: until)
    }

    private static func status(for meaning: RefusalMeaning) -> Int {
        switch meaning {
        case .billing: 402
        case .auth, .entitlement, .model, .nextMayHelp: 403
        case .overloaded: 529
        case .unknown, .quota, .rate: 429
        }
    }

    /// Lets the profile rest for what it was refused for. What the provider has accepted, though it answers an error, ends a rest.
    mutating func blame(_ id: Int32, _ refusal: UnderstoodRefusal) {
        guard let candidate = exchanges[id].candidate else { return }
        guard let reason = refusal.reason else {
            if case .status(let status, _, .unknown) = refusal.event, status < 500, status != 403, status != 408 { accepted(id) }
            return
        }
        let failure = Health.Failure(
            reason, model: Health.ModelName(key: exchanges[id].modelKey, name: exchanges[id].model.name(of: exchanges[id].modelKey)),
            statedUntil: refusal.statedUntil,
            fingerprint: candidate.isRefreshable ? nil : candidate.fingerprint)
        shared.standings.failed(candidate.slot, failure, now: wall)
        shared.log.resting(
            candidate.key, shared.standings.health(candidate.slot).resting(model: exchanges[id].modelKey, now: wall), now: wall)
    }

    /// `Retry-After`, and the finer form of it that some providers send.
    private func retryTime(_ id: Int32, _ head: RawSpan, now: Int64) -> Int64? {
        for index in 0..<exchanges[id].response.fieldCount {
            let field = exchanges[id].response[index]
            guard field.name == .other, FieldText.equals(head, field.nameRange, UnderstoodRefusal.retryAfterMilliseconds) else { continue }
            let value = unsafe head.extracting(field.valueRange)._unsafeView(as: UInt8.self)
            if let time = ResetTime.retryAfter(value, now: 0) { return now + time / 1000 }
        }
        guard let field = exchanges[id].response.first(.retryAfter) else { return nil }
        return ResetTime.retryAfter(unsafe head.extracting(field.valueRange)._unsafeView(as: UInt8.self), now: now)
    }
}
