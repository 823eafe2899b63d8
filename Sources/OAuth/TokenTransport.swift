public import Credentials

/// Sends one token request. The real one is ``CurlTransport``; tests script theirs.
public protocol TokenTransport: Sendable {
    /// Sends `request` and waits for the whole answer, whatever its status. Blocks; must return within ``TokenRequest/timeout``.
    func post(_ request: TokenRequest) throws(TransportFailure) -> TokenAnswer
}

/// A token request as it goes on the wire.
public struct TokenRequest {
    /// How long a request may take in all.
    public static let timeout = Duration.seconds(30)

    /// The endpoint; https, or http to a loopback host.
    public let url: String
    /// `application/x-www-form-urlencoded` or `application/json`.
    public let contentType: String
    /// The parameters in that form; they hold a refresh token.
    public let body: SensitiveBytes
    /// A PEM file of certificate authorities instead of the system's.
    public let caFile: String?
    /// A mint may want a GET, which has no body.
    public internal(set) var method = Mint.Method.post
    /// A header line with a credential, where that is not in the body.
    public internal(set) var credential: SensitiveBytes?
    /// What it goes through; nil: what the environment says.
    public var proxy: OutboundProxy?

    /// The same by way of `proxy`.
    func through(_ proxy: OutboundProxy?) -> TokenRequest {
        var request = self
        request.proxy = proxy
        return request
    }
}

/// A whole answer.
public struct TokenAnswer {
    /// The HTTP status.
    public let status: Int
    /// `Retry-After`, if the answer has one.
    public let retryAfter: Duration?
    /// The raw body; it may hold secrets.
    public let body: SensitiveBytes

    /// An answer from its parts.
    public init(status: Int, retryAfter: Duration? = nil, body: SensitiveBytes) {
        self.status = status
        self.retryAfter = retryAfter
        self.body = body
    }
}

/// Why there is no whole answer.
public enum TransportFailure: Error, Sendable, Equatable {
    /// Certainly nothing of the request was sent; the token is as good as before. `code` is libcurl's name.
    case notSent(code: String)
    /// The request may have arrived. `code` is libcurl's name.
    case inDoubt(code: String)
    /// An answer began and was larger than any token answer.
    case tooLarge(status: Int)
}
