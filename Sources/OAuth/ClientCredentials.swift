import Credentials
import JSON

extension TokenRequest {
    /// A token for the client itself (RFC 6749 §4.4.2).
    static func clientCredentials(_ client: OAuthClient, clientSecret: String) -> TokenRequest {
        let scopes = client.scopes.isEmpty ? [] : [("scope", client.scopes.joined(separator: " "))]
        return toTokenEndpoint(of: client, [("grant_type", "client_credentials"), ("client_id", client.clientID)] + scopes, clientSecret)
    }
}

extension Minter {
    /// Has a token issued to the client by its own secret.
    func ask(_ client: OAuthClient, for profile: Profile) throws(Ending) -> MintedToken {
        let ready: OAuthClient
        do throws(LoginFailure) {
            ready = try client.prepared(transport: transport, proxy: profile.proxy, environment: environment)
        } catch {
            throw .failed(
                error.reason == .unreachable ? .unreachable : .settings, status: error.status, code: error.code, detail: error.description)
        }
        guard let name = client.clientSecretEnvironment, let secret = environment(name), !secret.isEmpty else {
            throw .failed(.settings, detail: client.clientSecretEnvironment.map { "$\($0) is not set" })
        }
        let answer = try post(TokenRequest.clientCredentials(ready, clientSecret: secret).through(profile.proxy))
        let journalled = JournalledAnswer(status: answer.status, receivedAt: clock.now(), body: answer.body)
        switch TokenVerdict(journalled, for: profile, by: client) {
        case .renewed(let tokens): return MintedToken(secret: tokens.access, expires: tokens.expires)
        case .refused(let failure), .failed(let failure):
            throw Ending(
                .transient(
                    RefreshFailure(.status, status: failure.status, code: failure.code, detail: failure.detail),
                    retryAfter: answer.retryAfter))
        }
    }

    /// Sends `request`; there is nothing that it could spend.
    func post(_ request: TokenRequest) throws(Ending) -> TokenAnswer {
        do throws(TransportFailure) {
            return try transport.post(request)
        } catch {
            switch error {
            case .notSent(let code), .inDoubt(let code): throw .failed(.unreachable, code: code)
            case .tooLarge(let status): throw .failed(.invalidAnswer, status: status, detail: "larger than any token answer")
            }
        }
    }
}
