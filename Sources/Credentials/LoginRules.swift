/// What a provider's logins need beyond its endpoints: facts from the catalogue, made by Configuration and used by OAuth.
public struct LoginRules: Sendable, Hashable {
    /// Where the browser is sent back to; nil for a provider whose browser login cannot end on this machine.
    public let redirect: LoopbackRedirect?
    /// Parameters of the authorization request beyond OAuth's own, in the order in which they are sent.
    public let authorizeParameters: [LoginParameter]
    /// How to log in without a browser on this machine; nil when the provider offers no such way.
    public let device: DeviceRules?

    /// Rules from their parts.
    public init(redirect: LoopbackRedirect? = nil, authorizeParameters: [LoginParameter] = [], device: DeviceRules? = nil) {
        self.redirect = redirect
        self.authorizeParameters = authorizeParameters
        self.device = device
    }
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
    /// RFC 8628: the device authorization endpoint; the token endpoint is polled.
    case standard(startURL: String)
    /// OpenAI's own form (spec/credential-formats.md §4.1): an endpoint for the user code, one to poll, the page a person opens, and the
    /// redirect URI that goes with the code.
    case openai(startURL: String, pollURL: String, pageURL: String, redirectURI: String)
}
