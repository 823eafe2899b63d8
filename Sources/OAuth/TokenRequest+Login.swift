import Credentials

extension TokenRequest {
    /// The exchange of a code for tokens (RFC 6749 §4.1.3, RFC 7636 §4.5), parameters in the order of spec/credential-formats.md §4.1.
    static func exchange(_ code: AuthorizationCode, client: OAuthClient, clientSecret: String?) -> TokenRequest {
        toTokenEndpoint(
            of: client,
            [
                ("grant_type", "authorization_code"), ("client_id", client.clientID), ("code", code.code.revealed),
                ("code_verifier", code.verifier.revealed), ("redirect_uri", code.redirectURI),
            ], clientSecret)
    }

    /// A poll of a device login that follows RFC 8628 (§3.4).
    static func device(_ code: Secret, client: OAuthClient, clientSecret: String?) -> TokenRequest {
        toTokenEndpoint(
            of: client,
            [
                ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("client_id", client.clientID),
                ("device_code", code.revealed),
            ], clientSecret)
    }

    /// The start of a device login (RFC 8628 §3.1; OpenAI's form is JSON, with the client id alone).
    static func deviceStart(_ rules: DeviceRules, client: OAuthClient) -> TokenRequest {
        switch rules {
        case .standard(let url):
            let scopes = client.scopes.isEmpty ? [] : [("scope", client.scopes.joined(separator: " "))]
            return TokenRequest(
                url: url, contentType: formType, body: form([("client_id", client.clientID)] + scopes), caFile: client.caFile)
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

    private static func toTokenEndpoint(
        of client: OAuthClient, _ parameters: [(name: String, value: String)], _ clientSecret: String?
    ) -> TokenRequest {
        let all = parameters + (clientSecret.map { [("client_secret", $0)] } ?? [])
        switch client.bodyForm {
        case .form: return TokenRequest(url: client.tokenURL, contentType: formType, body: form(all), caFile: client.caFile)
        case .json: return TokenRequest(url: client.tokenURL, contentType: jsonType, body: json(all), caFile: client.caFile)
        }
    }

    private static let formType = "application/x-www-form-urlencoded"
    private static let jsonType = "application/json"
}
