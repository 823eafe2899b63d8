public import Credentials
import JSON

extension OAuthClient {
    /// The same, ready for a login: with its own client id and its issuer's endpoints, as far as the data leaves them open.
    public func prepared(
        transport: any TokenTransport = CurlTransport(), proxy: OutboundProxy? = nil,
        environment: (_ name: String) -> String? = ProcessEnvironment.value
    ) throws(LoginFailure) -> OAuthClient {
        var client = self
        if let name = clientIDEnvironment {
            guard let id = environment(name), !id.isEmpty else { throw LoginFailure(.settings, detail: "$\(name) is not set") }
            client.clientID = id
        }
        return try client.discovered(transport, proxy)
    }

    /// The same with the endpoints that its issuer names (OpenID Connect Discovery 1.0 §4), if the token endpoint is not known. What is
    /// named must be at a host that the data allows: the answer decides where codes and refresh tokens go.
    func discovered(_ transport: any TokenTransport, _ proxy: OutboundProxy?) throws(LoginFailure) -> OAuthClient {
        guard let issuer, tokenURL.isEmpty else { return self }
        let home = issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer
        var request = TokenRequest(
            url: home + "/.well-known/openid-configuration", contentType: "", body: SensitiveBytes(), caFile: caFile)
        request.method = .get
        request.proxy = proxy
        let answer: TokenAnswer
        do throws(TransportFailure) {
            answer = try transport.post(request)
        } catch {
            throw LoginFailure(error)
        }
        guard answer.status == 200, let root = try? Reader.parse(answer.body.bytes) else {
            throw LoginFailure(.discovery, status: answer.status)
        }
        // §4.3: another one's endpoints must not be taken for this one's.
        guard root["issuer"]?.string == issuer || root["issuer"]?.string == home else {
            throw LoginFailure(.discovery, detail: "it is another issuer's")
        }
        var client = self
        client.tokenURL = try endpoint("token_endpoint", in: root, mustExist: true) ?? ""
        if authorizeURL == nil { client.authorizeURL = try endpoint("authorization_endpoint", in: root, mustExist: false) }
        if case .standard("", let manners) = login?.device {
            let start = try endpoint("device_authorization_endpoint", in: root, mustExist: false)
            client.login?.device = start.map { .standard(startURL: $0, manners) }
        }
        return client
    }

    private func endpoint(_ name: String, in root: Value, mustExist: Bool) throws(LoginFailure) -> String? {
        guard let url = root[name]?.string else {
            if mustExist { throw LoginFailure(.discovery, detail: "no \(name)") }
            return nil
        }
        guard mayUse(endpoint: url) else {
            throw LoginFailure(.discovery, detail: "its \(name) is at a host that endpointHosts does not have")
        }
        return url
    }
}
