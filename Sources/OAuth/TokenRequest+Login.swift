import Credentials
import Digest

extension TokenRequest {
    /// The exchange of a code for tokens (RFC 6749 §4.1.3, RFC 7636 §4.5), parameters in the order of spec/credential-formats.md §4.1.
    static func exchange(_ code: AuthorizationCode, client: OAuthClient, clientSecret: String?) -> TokenRequest {
        toTokenEndpoint(
            of: client,
            [
                ("grant_type", "authorization_code"), ("client_id", client.clientID), ("code", code.code.revealed),
                ("code_verifier", code.verifier.revealed), ("redirect_uri", code.redirectURI),
            ] + (code.state.map { [("state", $0)] } ?? []), clientSecret)
    }

    /// A poll of a device login that follows RFC 8628 (§3.4), but for its manners.
    static func device(_ code: DeviceCode, _ manners: DeviceManners, client: OAuthClient, clientSecret: String?) -> TokenRequest {
        let key = manners.pollKey == .userCode ? code.userCode : code.deviceCode.revealed
        let verifier = code.verifier.map { [("code_verifier", $0.revealed)] } ?? []
        return toTokenEndpoint(
            of: client,
            [("grant_type", manners.grantType), ("client_id", client.clientID), (manners.pollKey.rawValue, key)] + verifier, clientSecret)
    }

    /// The start of a device login (RFC 8628 §3.1; OpenAI's form is JSON, with the client id alone).
    static func deviceStart(_ rules: DeviceRules, client: OAuthClient, challenge: String?, state: String?) -> TokenRequest {
        switch rules {
        case .standard(let url, let manners):
            var parameters = manners.parameters.map { ($0.name, $0.value) } + [("client_id", client.clientID)]
            if !client.scopes.isEmpty { parameters.append(("scope", client.scopes.joined(separator: " "))) }
            if let challenge { parameters += [("code_challenge", challenge), ("code_challenge_method", "S256")] }
            if let state { parameters.append(("state", state)) }
            return TokenRequest(url: url, contentType: formType, body: form(parameters), caFile: client.caFile)
        case .openai(let url, _, _, _):
            return TokenRequest(url: url, contentType: jsonType, body: json([("client_id", client.clientID)]), caFile: client.caFile)
        }
    }

    /// A poll of OpenAI's device login, at its own endpoint.
    static func openaiDevicePoll(_ url: String, deviceID: Secret, userCode: String, client: OAuthClient) -> TokenRequest {
        TokenRequest(
            url: url, contentType: jsonType, body: json([("device_auth_id", deviceID.revealed), ("user_code", userCode)]),
            caFile: client.caFile)
    }

    /// A request to the token endpoint in the form, and with the proof of who asks, that the client's data wants.
    static func toTokenEndpoint(
        of client: OAuthClient, _ parameters: [(name: String, value: String)], _ clientSecret: String?
    ) -> TokenRequest {
        var all = parameters + client.tokenParameters.map { ($0.name, $0.value) }
        var proof: SensitiveBytes?
        switch (clientSecret, client.authentication) {
        case (let secret?, .basic):
            // RFC 6749 §2.3.1: both are encoded as in a form first.
            let pair = [client.clientID, secret].map { String(decoding: form([("", $0)]).bytes.dropFirst(), as: UTF8.self) }
            proof = SensitiveBytes("authorization: Basic \(base64(Array(pair.joined(separator: ":").utf8)))")
            all.removeAll { $0.name == "client_id" }
        case (let secret?, .body): all.append(("client_secret", secret))
        case (nil, _): break
        }
        let isJSON = client.bodyForm == .json
        var request = TokenRequest(
            url: client.tokenURL, contentType: isJSON ? jsonType : formType, body: isJSON ? json(all) : form(all),
            caFile: client.caFile)
        request.credential = proof
        return request
    }

    /// RFC 4648 §4, with padding.
    private static func base64(_ bytes: [UInt8]) -> String {
        let text = Base64URL.encode(bytes).map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }
        return String(text) + String(repeating: "=", count: (4 - text.count % 4) % 4)
    }

    private static let formType = "application/x-www-form-urlencoded"
    private static let jsonType = "application/json"
}
