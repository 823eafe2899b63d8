public import Configuration

/// When a request is sent again, and with which credential: the table of DESIGN §8 as a function. Anything it does not allow is not done.
///
/// It holds only until the first byte of a response has gone to the client; after that nothing is ever sent twice.
public enum Failover {
    /// Upstream attempts for one request, the first included.
    public static let maximumAttempts = 3

    /// What happened to an attempt.
    public enum Event: Sendable, Equatable {
        /// The provider has certainly not seen the request: connect or TLS failure, an HTTP/2 stream refused or above GOAWAY's last.
        case unreachable
        /// Reset, end or time-out after bytes of the request were written: the provider may have acted on it.
        case broken
        /// A complete answer.
        case status(Int, hasRetryAfter: Bool, refusal: RefusalMeaning)
    }

    /// What is known when an attempt has ended.
    public struct Attempt: Sendable, Equatable {
        /// Attempts so far, this one included.
        public var number: Int
        /// Whether this credential has been sent twice already, for whatever reason.
        public var isReplay: Bool
        /// GET and HEAD (RFC 9110 §9.2.1): asking twice changes nothing.
        public var isSafeMethod: Bool
        /// The body, if there is one, can be sent again from its start.
        public var bodyIsKept: Bool
        /// The client has pinned this profile.
        public var isPinned: Bool
        /// An oauth profile, so that a 401 may be cured by a refresh.
        public var isRefreshable: Bool
        /// Who pays for this credential's requests.
        public var billing: Billing
        /// Who pays for the next candidate's; `nil` when there is no further one.
        public var nextBilling: Billing?
        /// `auth.allowPaidFallback`.
        public var allowsPaidFallback: Bool
        /// The provider's rule for server errors.
        public var replay: FailoverRules.Replay

        /// What is known of an attempt.
        public init(
            number: Int, isReplay: Bool, isSafeMethod: Bool, bodyIsKept: Bool, isPinned: Bool, isRefreshable: Bool, billing: Billing,
            nextBilling: Billing?, allowsPaidFallback: Bool, replay: FailoverRules.Replay
        ) {
            self.number = number
            self.isReplay = isReplay
            self.isSafeMethod = isSafeMethod
            self.bodyIsKept = bodyIsKept
            self.isPinned = isPinned
            self.isRefreshable = isRefreshable
            self.billing = billing
            self.nextBilling = nextBilling
            self.allowsPaidFallback = allowsPaidFallback
            self.replay = replay
        }
    }

    /// What to do now.
    public enum Decision: Sendable, Equatable {
        /// Send it again with the same credential, after a refresh if so said.
        case retrySame(afterRefresh: Bool)
        /// Send it with the next candidate.
        case next
        /// Give the client what there is: the answer, or our error.
        case deliver
    }

    /// Decides by the row of the table that `event` is in. With the same credential first, since it costs the client no cached prompt.
    public static func decide(_ event: Event, _ attempt: Attempt) -> Decision {
        let row = row(event, attempt)
        guard attempt.number < maximumAttempts, attempt.bodyIsKept else { return .deliver }
        if row.same != .no, !attempt.isReplay { return .retrySame(afterRefresh: row.same == .afterRefresh) }
        guard row.another, !attempt.isPinned, let next = attempt.nextBilling else { return .deliver }
        return mayFollow(next, after: attempt.billing, allowsPaidFallback: attempt.allowsPaidFallback) ? .next : .deliver
    }

    /// Whether a candidate may be tried after another: never from a subscription to a metered key, unless the user allowed it. A chooser
    /// that skips what may not follow gives `decide` the first candidate that may.
    public static func mayFollow(_ next: Billing, after previous: Billing, allowsPaidFallback: Bool) -> Bool {
        allowsPaidFallback || !(previous == .subscription && next == .metered)
    }

    /// Why a refusal lets the credential rest, if it does. An entitlement refusal does not: the account is sound, only not meant for this
    /// kind of client. A 401 of a login that can be renewed is one only after that was done.
    public static func rest(after event: Event) -> FailureReason? {
        guard case .status(let status, let hasRetryAfter, let refusal) = event, isRefusal(status) else { return nil }
        switch refusal {
        case .entitlement: return nil
        case .billing: return .billing
        case .quota: return .quota
        case .rate: return .rate
        case .overloaded: return .overloaded
        case .auth: return .auth
        case .model: return .model
        case .unknown, .nextMayHelp: break
        }
        switch status {
        case 401: return .auth
        case 402: return .billing
        case 403: return refusal == .nextMayHelp ? .auth : nil
        case 429: return .rate
        case 529: return .overloaded
        case 503: return hasRetryAfter ? .overloaded : nil
        default: return nil
        }
    }

    /// Whether an answer with this status may mean the credential, so that its body's code is worth a look.
    public static func isRefusal(_ status: Int) -> Bool {
        switch status {
        case 400, 401, 402, 403, 404, 429, 503, 529: true
        default: false
        }
    }

    /// Whether the provider's code names a fault of the credential.
    private static func names(_ refusal: RefusalMeaning) -> Bool { refusal != .unknown && refusal != .nextMayHelp }

    private enum Same {
        case no, once, afterRefresh
    }

    /// The table: may the same credential be sent once more, and may another one be sent?
    private static func row(_ event: Event, _ attempt: Attempt) -> (same: Same, another: Bool) {
        switch event {
        case .unreachable: return (.once, true)
        case .broken: return attempt.isSafeMethod ? (.once, true) : (.no, false)
        case .status(let status, let hasRetryAfter, let refusal):
            switch status {
            case 401: return (attempt.isRefreshable ? .afterRefresh : .no, true)
            case 402, 429, 529: return (.no, true)
            case 403: return (.no, refusal != .unknown)
            // What is a request's own fault elsewhere is the credential's where the provider's code says so.
            case 400 where names(refusal), 404 where names(refusal), 503 where names(refusal): return (.no, true)
            case 503 where hasRetryAfter: return (.no, true)
            case 500, 502, 503, 504: return (.no, attempt.replay == .unserved)
            default: return (.no, false)
            }
        }
    }
}
