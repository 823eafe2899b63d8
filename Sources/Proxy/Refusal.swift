internal import HTTP
internal import Routing
internal import Sockets

/// Why a request is answered by us and not by a provider: the one list of codes (documented in README.md).
enum RefusalCode: String, CaseIterable, Sendable {
    // The request itself
    case badRequest = "bad_request"
    case methodRefused = "method_refused"
    case badTarget = "bad_target"
    case contradictingPins = "contradicting_pins"
    case malformedPin = "malformed_pin"
    case headTimeout = "head_timeout"
    case bodyTimeout = "body_timeout"
    case bodyTooLarge = "body_too_large"
    case userLimit = "user_limit"
    case outOfDescriptors = "out_of_descriptors"
    case upgradeNotServed = "upgrade_not_served"
    // The gate
    case callerRefused = "caller_refused"
    case keyRequired = "key_required"
    case keyRefused = "key_refused"
    case keyPolicy = "key_policy"
    case keyRate = "key_rate"
    case wrongHost = "wrong_host"
    case originRefused = "origin_refused"
    case crossSite = "cross_site_refused"
    // Routing and choice
    case noRoute = "no_route"
    case unknownProvider = "unknown_provider"
    case unknownAgent = "unknown_agent"
    case unknownProfile = "unknown_profile"
    case unknownPath = "unknown_path"
    case notOwnUser = "not_own_user"
    case noAddress = "provider_without_address"
    case noProfile = "no_profile"
    case profileUnusable = "profile_unusable"
    case needsLogin = "needs_login"
    case overlayExpired = "overlay_expired"
    case refreshFailed = "refresh_failed"
    case allCooling = "all_cooling"
    case storeUnreadable = "store_unreadable"
    case keeperUnusable = "keeper_unusable"
    // The provider
    case upstreamUnreachable = "upstream_unreachable"
    case upstreamCertificate = "upstream_certificate"
    case upstreamInvalid = "upstream_invalid_answer"
    case upstreamClosed = "upstream_closed"
    case upstreamTimeout = "upstream_timeout"

    /// DESIGN §9. 401 is never ours: a client would answer it by logging in itself.
    var status: Int {
        switch self {
        case .badRequest, .methodRefused, .badTarget, .contradictingPins, .malformedPin: 400
        case .callerRefused, .keyRequired, .keyRefused, .keyPolicy, .originRefused, .crossSite, .notOwnUser, .needsLogin, .overlayExpired,
            .profileUnusable, .noProfile,
            .keeperUnusable:
            403
        case .noRoute, .unknownProvider, .unknownAgent, .unknownProfile, .unknownPath: 404
        case .headTimeout, .bodyTimeout: 408
        case .bodyTooLarge: 413
        case .wrongHost: 421
        case .upgradeNotServed: 426
        case .allCooling, .keyRate: 429
        case .upstreamUnreachable, .upstreamCertificate, .upstreamInvalid, .upstreamClosed: 502
        case .userLimit, .outOfDescriptors, .refreshFailed, .storeUnreadable, .noAddress: 503
        case .upstreamTimeout: 504
        }
    }

    /// What is wrong and what to do, for a person; a refusal may say it more precisely.
    var sentence: String {
        switch self {
        case .badRequest: "The request is malformed."
        case .methodRefused: "CONNECT and TRACE are not served: Keybearer is a reverse proxy. Use it as a base URL, not as HTTP_PROXY."
        case .badTarget: "The request's target cannot be used."
        case .contradictingPins:
            "The path, the Keybearer-Profile or Keybearer-Agent field and the model's name say different things; send one of them."
        case .malformedPin: "A profile or agent is named in percent-encoded UTF-8 of at most 256 octets, once."
        case .headTimeout: "The request's head did not arrive in time."
        case .bodyTimeout: "The request's body stopped arriving."
        case .bodyTooLarge: "The request's body is larger than limits.requestBody allows."
        case .userLimit: "This user of the machine has as many connections here as one may have (limits.connectionsPerUser)."
        case .outOfDescriptors: "The limit of open files is reached; what is left is for the store."
        case .upgradeNotServed: "This upgrade is not served here; use plain HTTP. WebSockets are, where the provider has them."
        case .callerRefused:
            "Keybearer serves the user it runs as, and this process is another user's. Run it as that user, give it a key "
                + "(`keybearer clients add`), or add the user's number to clients.uids."
        case .keyRequired:
            "A client key is needed here: make one with `keybearer clients add NAME`, and give it to the tool as its API key."
        case .keyRefused:
            "This client key is not taken: it is unknown, revoked, replaced or has expired. `keybearer clients list` shows those there are."
        case .keyPolicy: "This client key does not allow that."
        case .keyRate: "This client key has made as many requests as it may for now."
        case .notOwnUser: "What is under /-/ is for the user that Keybearer runs as."
        case .wrongHost: "This Host is not one of ours. Reach Keybearer as 127.0.0.1 or localhost, or add the name to gate.hosts."
        case .originRefused: "Web pages may not use your credentials. If this one may, name its origin: `keybearer clients allow-origin`."
        case .crossSite: "A page of another site may not use your credentials."
        case .noRoute: "The path names no provider: start it with one, such as /anthropic or /openai, or set routes.default."
        case .unknownProvider: "No provider has this name; `keybearer config show` lists them."
        case .unknownAgent: "No agent has this name; add it to agents.list in keybearer.json5."
        case .unknownProfile: "No profile has this name; `keybearer models status` lists them. A pin never falls back to another profile."
        case .unknownPath: "Keybearer has nothing at this path; /-/healthz tells whether it is up."
        case .noAddress: "This provider has no address yet; set its baseURL in keybearer.json5."
        case .noProfile: "There is no profile for this provider; add one with `keybearer models auth paste-api-key` or `paste-token`."
        case .profileUnusable: "No profile of this provider can be used now."
        case .needsLogin: "The login of this profile has ended; log in again with `keybearer models auth`."
        case .overlayExpired: "This profile is another program's login, which only that program renews."
        case .refreshFailed: "The access token has expired and could not be refreshed for now."
        case .allCooling: "Every profile of this provider rests after a refusal; `candidates` says why and for how long."
        case .storeUnreadable: "The credential store cannot be read; `keybearer models status` says where and why."
        case .keeperUnusable:
            "What this request refers to (an answer, a file, a batch, a conversation) belongs to a profile that cannot serve now. No other has it."
        case .upstreamUnreachable: "The provider cannot be reached."
        case .upstreamCertificate: "The provider's certificate was not accepted; nothing of the request was sent."
        case .upstreamInvalid: "The provider's answer is not valid HTTP."
        case .upstreamClosed: "The provider closed the connection before it answered."
        case .upstreamTimeout: "The provider did not answer in time."
        }
    }

    /// Whether the same request may succeed if it is sent again soon.
    var mayRetry: Bool {
        switch self {
        case .allCooling, .keyRate, .upstreamUnreachable, .upstreamClosed, .upstreamTimeout, .refreshFailed, .headTimeout, .bodyTimeout,
            .userLimit,
            .outOfDescriptors:
            true
        default: false
        }
    }
}

/// One refusal: the code, and what makes it concrete. Never a secret.
struct Refusal {
    let code: RefusalCode
    var status: Int
    var message: String
    var detail: String?
    var profile: String?
    var candidates: [(profile: String, reason: String)] = []
    var retryAfterSeconds: Int?

    init(_ code: RefusalCode, naming subject: String? = nil, profile: String? = nil, candidates: [(profile: String, reason: String)] = []) {
        self.code = code
        status = code.status
        message = subject.map { "\(code.sentence) (\($0))" } ?? code.sentence
        self.profile = profile
        self.candidates = candidates
    }

    /// The request breaks a rule of HTTP.
    init(_ rejection: Rejection) {
        self.init(.badRequest)
        status = rejection.status
        message = "\(rejection.message)"
        detail = "\(rejection.code)"
    }

    /// The body names a model twice.
    static var twoModels: Refusal {
        var refusal = Refusal(.badRequest, naming: "the body has two members called \"model\"; send one")
        refusal.detail = "duplicate_model"
        return refusal
    }

    /// No profile has all that the request refers to.
    static var severalKeepers: Refusal {
        Refusal(.contradictingPins, naming: "the request refers to things that different profiles made, such as an answer and a file")
    }

    /// The target leads nowhere.
    init(_ error: RouteError) {
        switch error {
        case .unknownProvider: self.init(RefusalCode.unknownProvider)
        case .noRoute: self.init(RefusalCode.noRoute)
        default: self.init(RefusalCode.badTarget)
        }
        message = error.sentence
        detail = error.code
    }
}
