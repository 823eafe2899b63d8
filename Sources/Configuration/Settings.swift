public import Credentials

/// Everything in force: built-in defaults, then the settings file, then flags. Immutable once loaded; holds no secret.
///
/// Default values are written here and nowhere else (DESIGN §10).
public struct Settings: Sendable {
    /// Where connections are accepted; loopback and Unix sockets only.
    public var listen = [ListenAddress(host: "127.0.0.1", port: 5392), ListenAddress(host: "::1", port: 5392)]
    /// Addresses beyond loopback that are served in clear, because the command line says so.
    public internal(set) var insecureListen: [ListenAddress] = []
    /// Event loops. `nil`: 1 below 4 cores, else half the cores, at most 4.
    public var workers: Int?
    /// The folder that holds `agents/<id>/agent/`. `nil`: found by DESIGN §6.
    public var sink: String?
    /// Profiles and their order.
    public var auth = AuthSettings()
    /// The agents that are known by name, in the order of the file.
    public var agents: [AgentSettings] = []
    /// Where the references in profiles lead.
    public var secrets = SecretPlaces()
    /// What models are called.
    public var models = ModelSettings()
    /// How a client's conversation is known.
    public var sessions = SessionSettings()
    /// Trust and pooling towards providers.
    public var upstream = UpstreamSettings()
    /// Requests whose path names no provider.
    public var routes = RouteSettings()
    /// Who is admitted besides the default.
    public var gate = GateSettings()
    /// Which users of this machine are served.
    public var clients = ClientSettings()
    /// What is kept so that a request can be sent again.
    public var replay = ReplaySettings()
    /// What clients may ask for.
    public var limits = LimitSettings()
    /// How long to wait.
    public var timeouts = TimeoutSettings()
    /// The control-plane log.
    public var log = LogSettings()
    /// The catalogue in force: the built-in providers as files changed them, and those that files add. `Provider.index` is the place here.
    public internal(set) var providers: [Provider] = []
    /// Where each member in force comes from.
    public internal(set) var origins = Origins()
    /// What provider files change that should be known: one sentence each, without its full stop.
    public internal(set) var notices: [String] = []
    /// The providers as the schema sees them, for `report`.
    var providerEntries: [ProviderEntry]

    init(providerEntries: [ProviderEntry]) {
        self.providerEntries = providerEntries
    }

    /// The provider with this id.
    public func provider(_ id: String) -> Provider? {
        providers.first { $0.id == id }
    }

    /// The agent that is meant when a request names none: the first with `default: true`, else the first listed, else `main`.
    public var defaultAgent: String {
        (agents.first { $0.isDefault } ?? agents.first)?.id ?? "main"
    }

    /// Whether the agent (in its normal form) has main's profiles beside its own.
    public func inherits(_ agent: String) -> Bool {
        agent != AgentID.main && agents.contains { $0.id == agent && $0.inherits }
    }
}

/// Which profiles are used, in which order. `order` and `profiles` have Moltbot's shape.
public struct AuthSettings: Sendable, Equatable {
    /// For a provider, the only profiles to use and their order; the store's own order goes before this one.
    public var order: [String: [String]] = [:]
    /// Profiles that are declared with their provider and kind; one that differs from its declaration is not used.
    public var profiles: [String: DeclaredProfile] = [:]
    /// Whether a request may move from a subscription to a metered key (DESIGN §8).
    public var allowPaidFallback = false
    /// Which of the profiles that can serve does.
    public var strategy = Strategy.order
    /// How long profiles rest after errors.
    public var cooldowns = CooldownSettings()
    /// How long a request waits for a profile when none can serve. `nil`: it is refused at once.
    public var hold: Duration?

    /// Which of the profiles that can serve does.
    public enum Strategy: String, Sendable, Equatable, CaseIterable {
        /// The first in order.
        case order
        /// The one that has used the least of its quota.
        case leastUsed = "least-used"
        /// The one whose quota is renewed first, so that nothing of it is lost.
        case drainSoonest = "drain-soonest"
        /// The one that has not served for the longest time.
        case roundRobin = "round-robin"
    }
}

/// How long profiles rest after errors, where the provider does not say. Moltbot's names where it has them.
public struct CooldownSettings: Sendable, Equatable {
    /// After the first, second, third error in a row; the last for all further ones.
    public var ladder: [Duration] = [.seconds(30), .seconds(60), .seconds(300)]
    /// Hours after the first billing error; each further one doubles them.
    public var billingBackoffHours = 5
    /// The most hours after billing errors.
    public var billingMaxHours = 24
    /// After so many hours without one, billing errors are counted from one again.
    public var failureWindowHours = 24

    /// The defaults.
    public init() {}
}

/// One entry of `agents.list`.
public struct AgentSettings: Sendable, Equatable {
    /// The agent's id in its normal form: the name of its folder.
    public var id: String
    /// Whether it is meant when a request names no agent.
    public var isDefault: Bool
    /// Whether it has the profiles of the agent `main` as well, beside its own. They stay main's: nothing is copied.
    public var inherits: Bool
    /// The folder of which the agent serves every process that works in it and names no agent. `nil`: none.
    public var workspace: String?
}

/// What models are called.
public struct ModelSettings: Sendable, Equatable {
    /// Names that clients may send in the place of a provider's, in any case.
    public var aliases: [String: String] = [:]
}

/// How a client's conversation is known, so that it stays with one profile.
public struct SessionSettings: Sendable, Equatable {
    /// Fields whose value is a conversation's id, the first one there is; `Keybearer-Session` goes before them.
    public var headers = ["X-Claude-Code-Session-Id", "session_id", "session-id", "thread-id", "X-Session-Id"]
    /// Whether the member `prompt_cache_key` of a body is one, where no field is.
    public var promptCacheKey = true
}

/// How providers are reached.
public struct UpstreamSettings: Sendable, Equatable {
    /// A PEM file of further certificate authorities, beside the system's.
    public var caFile: String?
    /// Idle connections kept for one pool key.
    public var idlePerKey = 128
}

/// Where a request goes whose path names no provider.
public struct RouteSettings: Sendable, Equatable {
    /// The provider of everything else. `nil`: such a request is answered 404.
    public var `default`: String?
    /// Provider by the `Host` field's name: lower case, without port.
    public var hosts: [String: String] = [:]
}

/// What the gate lets in besides loopback names and requests without an `Origin`.
public struct GateSettings: Sendable, Equatable {
    /// Further names accepted in `Host`: lower case, without port.
    public var hosts: [String] = []
    /// Accepted values of `Origin`, such as `http://localhost:3000`.
    public var origins: [String] = []
}

/// Whose processes may use the credentials. Our own user's and root's always may.
public struct ClientSettings: Sendable, Equatable {
    /// Further users by their number.
    public var uids: [Int] = []
    /// Who is served on a loopback port.
    public var loopback = Loopback.sameUser

    /// Who is served on a loopback port. A Unix socket always tells who calls.
    public enum Loopback: String, Sendable, Equatable, CaseIterable {
        /// Those users only, as the kernel tells; whom it does not tell is refused.
        case sameUser = "same-user"
        /// Every process of this machine.
        case any
    }
}

/// How much of request bodies is kept so that they can be sent again. Octets.
public struct ReplaySettings: Sendable, Equatable {
    /// A body with Content-Length.
    public var maxBytes = 32 << 20
    /// A chunked body.
    public var chunkedMaxBytes = 1 << 20
    /// All bodies together.
    public var totalBytes = 128 << 20
}

/// What clients may ask of us. Octets where not a count.
public struct LimitSettings: Sendable, Equatable {
    /// Client connections at one time.
    public var connections = 10_000
    /// Connections of one user of this machine at one time. `nil`: as many as there may be.
    public var connectionsPerUser: Int?
    /// A message's head, in octets.
    public var headBytes = 64 << 10
    /// Fields in a message's head.
    public var headFields = 128
    /// `nil`: no cap, bodies are streamed.
    public var requestBody: Int?
}

/// How long to wait for whom.
public struct TimeoutSettings: Sendable, Equatable {
    /// A request head, from its first byte to its last.
    public var head = Duration.seconds(15)
    /// A client's connection between requests.
    public var keepAlive = Duration.seconds(75)
    /// A request body of which nothing arrives.
    public var bodyIdle = Duration.seconds(60)
    /// A client that reads nothing of its response.
    public var streamStall = Duration.seconds(60)
    /// Name look-up, connect and TLS of an upstream connection together.
    public var connect = Duration.seconds(10)
    /// An idle upstream connection in the pool.
    public var upstreamIdle = Duration.seconds(55)
    /// From the end of a request to the first byte of its response. `nil`: as long as TCP keep-alive finds the peer alive.
    public var firstByte: Duration?
    /// Requests in flight when the server is told to stop.
    public var drain = Duration.seconds(30)
}

/// The control-plane log, on standard error.
public struct LogSettings: Sendable, Equatable {
    /// The least serious message that is written.
    public var level = Level.info
    /// Text or JSON.
    public var format = Format.auto

    /// The least serious message that is written.
    public enum Level: String, Sendable, Equatable, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    /// How a message is written. `auto`: text on a terminal, JSON otherwise.
    public enum Format: String, Sendable, Equatable, CaseIterable {
        case auto, text, json
    }
}
