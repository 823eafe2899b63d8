/// What a provider's logins need beyond its endpoints: facts from the catalogue, made by Configuration and used by OAuth.
public struct LoginRules: Sendable, Hashable {
    /// Where the browser is sent back to; nil for a provider whose browser login cannot end on this machine.
    public let redirect: LoopbackRedirect?
    /// Parameters of the authorization request beyond OAuth's own, in the order in which they are sent.
    public let authorizeParameters: [LoginParameter]
    /// How to log in without a browser on this machine; nil when the provider offers no such way.
    public var device: DeviceRules?
    /// What is done with the state.
    public var state = StateRule()

    /// Rules from their parts.
    public init(redirect: LoopbackRedirect? = nil, authorizeParameters: [LoginParameter] = [], device: DeviceRules? = nil) {
        self.redirect = redirect
        self.authorizeParameters = authorizeParameters
        self.device = device
    }
}

/// What is done with the state of an authorization request (RFC 6749 §10.12). The callback's has to be right always.
public struct StateRule: Sendable, Hashable {
    /// Whether what a person pastes must have it as well: not a bare code.
    public var isRequiredInPaste = false
    /// Whether the exchange of the code repeats it: some servers compare there.
    public var isSentInExchange = false

    /// The usual.
    public init() {}
}

/// A parameter of an authorization request.
public struct LoginParameter: Sendable, Hashable {
    /// Its name, not encoded.
    public let name: String
    /// Its value, not encoded.
    public let value: String

    /// A parameter from its parts.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    /// The parameter in `name=value`; nil without a name, or with anything but visible ASCII.
    public init?(_ text: String) {
        guard let equals = text.firstIndex(of: "="), equals > text.startIndex, text.utf8.allSatisfy(Secret.accepts) else { return nil }
        self.init(name: String(text[..<equals]), value: String(text[text.index(after: equals)...]))
    }
}

/// A redirect URI of this machine (RFC 8252 §7.3), registered with the provider letter by letter.
public struct LoopbackRedirect: Sendable, Hashable {
    /// The URI as it is registered and sent.
    public let uri: String
    /// The port to listen on.
    public let port: UInt16
    /// The path, from its slash on.
    public let path: String

    /// The redirect in `http://localhost:1455/auth/callback`; nil unless it is http, names this machine and its port, and has a plain
    /// path.
    public init?(_ uri: String) {
        guard let place = EndpointURL(uri), place.scheme == "http", place.isLoopback, !uri.contains("?"), !uri.contains("%") else {
            return nil
        }
        let afterScheme = uri.dropFirst("http://".count)
        guard let slash = afterScheme.firstIndex(of: "/"), afterScheme[..<slash].hasSuffix(":\(place.port)") else { return nil }
        self.uri = uri
        port = place.port
        path = String(afterScheme[slash...])
    }
}

/// How a device login is started and waited for.
public enum DeviceRules: Sendable, Hashable {
    /// RFC 8628: the device authorization endpoint; the token endpoint is polled. An empty address: it is to be discovered.
    case standard(startURL: String, DeviceManners = DeviceManners())
    /// OpenAI's own form (spec/credential-formats.md §4.1): an endpoint for the user code, one to poll, the page a person opens, and the
    /// redirect URI that goes with the code.
    case openai(startURL: String, pollURL: String, pageURL: String, redirectURI: String)
}

/// In what a provider's device login differs from RFC 8628.
public struct DeviceManners: Sendable, Hashable {
    /// The code that names the attempt in polls.
    public enum PollKey: String, Sendable, CaseIterable {
        case deviceCode = "device_code"
        case userCode = "user_code"
    }

    /// Parameters of the start beyond `client_id` and `scope`, in order.
    public var parameters: [LoginParameter] = []
    /// A challenge goes with the start and its verifier with every poll (RFC 7636).
    public var usesPKCE = false
    /// A state goes with the start, and its answer must repeat it.
    public var sendsState = false
    /// The grant of the polls.
    public var grantType = "urn:ietf:params:oauth:grant-type:device_code"
    /// The code that names the attempt in polls, under its own name.
    public var pollKey = PollKey.deviceCode
    /// Where the answer to the start has its life, and how that is written.
    public var expiry = ["expires_in"]
    /// How that is written.
    public var expiryForm = ExpiryForm.life
    /// Values of the answer's status member (``AnswerRules/status``) while the person has not decided.
    public var pending: [String] = []
    /// HTTP statuses that mean the same.
    public var pendingStatuses: [Int] = []

    /// As RFC 8628 has it.
    public init() {}
}
