/// Why a profile serves a request: sent to the client as `Keybearer-Reason`, and written in the access log.
public enum ChoiceReason: UInt8, Sendable, CaseIterable {
    /// The first one in order.
    case order
    /// The client named it: in a field of the head, in the path, in the model's name.
    case headerPin, pathPin, modelPin
    /// The client's key, or its session, is pinned to it.
    case keyPin, sessionPin
    /// Its session was served by it before.
    case session
    /// It made the stored answer, file or conversation that the request names.
    case stored
    /// Those before it in order, or the one its session prefers, are cooling down.
    case cooldown
    /// Another one was refused this very request.
    case failover
    /// The subscriptions cannot serve, and the user allows a metered key in their place.
    case paidFallback
    /// By `auth.strategy`.
    case leastUsed, drainSoonest, roundRobin

    /// The word for it.
    public var text: StaticString {
        switch self {
        case .order: "order"
        case .headerPin: "pin-header"
        case .pathPin: "pin-path"
        case .modelPin: "pin-model"
        case .keyPin: "pin-key"
        case .sessionPin: "pin-session"
        case .session: "session"
        case .stored: "stored"
        case .cooldown: "cooldown"
        case .failover: "failover"
        case .paidFallback: "paid-fallback"
        case .leastUsed: "least-used"
        case .drainSoonest: "drain-soonest"
        case .roundRobin: "round-robin"
        }
    }
}
