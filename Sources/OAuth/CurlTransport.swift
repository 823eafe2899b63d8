import Credentials

/// Sends token requests by libcurl's easy interface: one handle, one request, one blocking call. Outbound proxies come from the request's
/// profile, else from the environment (`ProxyEnvironment`).
public struct CurlTransport: TokenTransport {
    private let timeout: Duration
    private let connectTimeout: Duration
    private let environment = ProxyEnvironment.ofProcess

    /// More than any token answer, and what a hostile one may cost at most.
    static let answerLimit = 1 << 20

    /// The real transport.
    public init() {
        self.init(timeout: TokenRequest.timeout)
    }

    /// For tests of slow endpoints.
    init(timeout: Duration) {
        self.timeout = timeout
        connectTimeout = min(timeout, .seconds(10))
    }

    /// Whether libcurl can be opened on this machine.
    public static var isAvailable: Bool { CurlTransfer.isAvailable }

    /// Sends `request`. https with verified TLS 1.2 or later, or http to a loopback host; no redirects.
    public func post(_ request: TokenRequest) throws(TransportFailure) -> TokenAnswer {
        guard let endpoint = EndpointURL(request.url) else { throw .notSent(code: "url_not_allowed") }
        guard var transfer = CurlTransfer(answerLimit: Self.answerLimit) else { throw .notSent(code: "curl_unavailable") }
        transfer.setEndpoint(request.url, isHTTPS: endpoint.scheme == "https", caFile: request.caFile)
        // Decided here and not by libcurl, so that requests go the same way.
        switch environment.route(to: endpoint.host, isLoopback: endpoint.isLoopback, own: request.proxy) {
        case .direct: transfer.bypassProxy()
        case .through(let proxy): transfer.use(proxy)
        case .unusable: throw .notSent(code: "proxy_not_usable")
        }
        transfer.setTimeouts(whole: timeout, connect: connectTimeout)
        if let credential = request.credential { transfer.setField(credential) }
        if request.method == .post { transfer.setBody(request.body, contentType: request.contentType) }
        return try transfer.perform()
    }
}
