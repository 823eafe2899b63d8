/// What a provider's refusals mean, and what they allow beyond the table of DESIGN §8. Codes are values of `error.code`, `error.type`,
/// `error.status` or `error.details[].reason`; a message's words are never looked at.
public struct FailoverRules: Sendable, Equatable {
    /// Codes that another credential may cure, for reasons not told apart.
    public var nextCodes: [String]
    /// Codes saying that the account may not be used by this kind of client or plan. Another credential may be tried, but the refused
    /// profile is not cooled: nothing is wrong with it.
    public var entitlementCodes: [String]
    /// Codes saying that the account has to pay first.
    public var billingCodes: [String] = []
    /// Codes saying that what the plan holds for a period is used up.
    public var quotaCodes: [String] = []
    /// Codes saying that there was too much at once.
    public var rateCodes: [String] = []
    /// Codes saying that the provider has more to do than it can.
    public var overloadedCodes: [String] = []
    /// Codes saying that the key is refused for good.
    public var authCodes: [String] = []
    /// Codes saying that the account has no such model.
    public var modelCodes: [String] = []
    /// For people, after an entitlement refusal: which client the credential is for.
    public var entitlementAdvice: String?
    /// Whether 500, 502, 504 and a plain 503 prove that the request was not served.
    public var replay: Replay
    /// Names of the stream events in which this provider hides a refusal behind a 200. Empty: streams are never held back.
    public var streamErrors: [String]

    /// Rules from their parts; by default the most cautious ones.
    public init(nextCodes: [String] = [], entitlementCodes: [String] = [], replay: Replay = .never, streamErrors: [String] = []) {
        self.nextCodes = nextCodes
        self.entitlementCodes = entitlementCodes
        self.replay = replay
        self.streamErrors = streamErrors
    }

    /// Whether a server error of this provider may be answered by another credential.
    public enum Replay: String, Sendable, Equatable, CaseIterable {
        /// A request that may have been served is not sent twice.
        case never
        /// The provider promises that such an answer means the request was not served.
        case unserved
    }

    /// How the code in an error body is to be understood.
    public func meaning(ofCode code: String) -> RefusalMeaning { meaning(ofCodes: [code]) }

    /// How the codes of an error body are to be understood: the gravest meaning that one of them has. A `rate_limit` that comes with
    /// `billing_hard_limit_reached` does not pass by waiting.
    public func meaning(ofCodes codes: [String]) -> RefusalMeaning {
        let lists: [(RefusalMeaning, [String])] = [
            (.entitlement, entitlementCodes), (.billing, billingCodes), (.quota, quotaCodes), (.auth, authCodes), (.model, modelCodes),
            (.overloaded, overloadedCodes), (.rate, rateCodes), (.nextMayHelp, nextCodes),
        ]
        return lists.first { $0.1.contains { codes.contains($0) } }?.0 ?? .unknown
    }
}

/// What a provider's error code says about the credential that was refused.
public enum RefusalMeaning: Sendable, Equatable, CaseIterable {
    /// Nothing the provider's data knows.
    case unknown
    /// Another credential may be accepted.
    case nextMayHelp
    /// The account may not be used in this way: another may, and this one must not be cooled.
    case entitlement
    /// The account has to pay first.
    case billing
    /// What the plan holds for a period is used up.
    case quota
    /// Too much at once.
    case rate
    /// The provider has more to do than it can.
    case overloaded
    /// The key is refused for good.
    case auth
    /// The account has no such model.
    case model
}
