public import Credentials
import Digest
import Synchronization

/// One attempt to log in by browser: where the browser is sent, and what may come back (RFC 6749 §4.1, RFC 7636, RFC 8252).
///
/// Everything that comes back, by the callback or by a paste, goes through ``accept(_:from:)``, so that the state is good once, whoever
/// brings it first.
public final class AuthorizationRequest: Sendable {
    /// How an answer reached us.
    public enum Source: Sendable {
        /// By the browser: anything on this machine can call us, so that only the state tells whose answer it is.
        case callback
        /// By a person, who may leave the state out.
        case paste
    }

    /// What to open in a browser. It carries the challenge and the state, and no secret.
    public let url: String
    /// Where the browser is sent back to.
    public let redirect: LoopbackRedirect

    private let pkce: PKCE
    private let state: String
    private let rule: StateRule
    /// The authorization server by its origin, to tell a mix-up (RFC 9700 §4.4).
    private let origin: String?
    private let isAnswered = Atomic(false)

    /// A fresh attempt. Nil when the client has no authorization endpoint or no redirect on this machine.
    public convenience init?(_ client: OAuthClient) {
        self.init(client, pkce: PKCE(), state: Hexadecimal.encode(Random.bytes(16)))
    }

    /// For tests.
    init?(_ client: OAuthClient, pkce: PKCE, state: String) {
        guard let endpoint = client.authorizeURL, let rules = client.login, let redirect = rules.redirect else { return nil }
        self.pkce = pkce
        self.state = state
        self.redirect = redirect
        rule = rules.state
        origin = EndpointURL(endpoint)?.origin
        // The order is that of spec/credential-formats.md §4.1: some servers have been seen to care.
        var parameters = [("response_type", "code"), ("client_id", client.clientID), ("redirect_uri", redirect.uri)]
        if !client.scopes.isEmpty { parameters.append(("scope", client.scopes.joined(separator: " "))) }
        parameters += [("code_challenge", pkce.challenge), ("code_challenge_method", "S256"), ("state", state)]
        parameters += rules.authorizeParameters.map { ($0.name, $0.value) }
        let query = String(decoding: TokenRequest.form(parameters).bytes, as: UTF8.self)
        url = "\(endpoint)\(endpoint.contains("?") ? "&" : "?")\(query)"
    }

    /// The code in `answer`, if it answers this attempt. A right state, and a paste without any, end the attempt: nothing is accepted
    /// after it. A wrong one changes nothing, so that nobody else on this machine can end it.
    public func accept(_ answer: AuthorizationAnswer, from source: Source) throws(LoginFailure) -> AuthorizationCode {
        guard answer.saysSomething else { throw LoginFailure(.noCode) }
        if let given = answer.state {
            guard ConstantTime.equal(Array(given.utf8), Array(state.utf8)) else { throw LoginFailure(.wrongState) }
        } else if source == .callback || rule.isRequiredInPaste {
            throw LoginFailure(.wrongState)
        }
        guard isFromOurs(answer.issuer) else { throw LoginFailure(.wrongIssuer) }
        let code = answer.code.flatMap { Secret($0) }
        guard code != nil || answer.error != nil else { throw LoginFailure(.noCode) }
        guard !isAnswered.exchange(true, ordering: .acquiringAndReleasing) else { throw LoginFailure(.answeredAlready) }
        if let error = answer.error { throw LoginFailure(.denied, code: ErrorCode.printable(error)) }
        guard let code else { throw LoginFailure(.noCode) }
        return AuthorizationCode(
            code: code, verifier: pkce.verifier, redirectURI: redirect.uri, state: rule.isSentInExchange ? state : nil)
    }

    /// Nobody has to say who they are, but whoever does must be ours (RFC 9207 §2.4).
    private func isFromOurs(_ issuer: String?) -> Bool {
        guard let issuer else { return true }
        guard let place = EndpointURL(issuer), let origin else { return false }
        return place.origin == origin
    }
}

/// A code that can be exchanged for tokens, once, with what the exchange wants besides.
public struct AuthorizationCode: Sendable {
    /// The code.
    public let code: Secret
    /// The verifier to the challenge it was asked for with.
    public let verifier: Secret
    /// The redirect URI it was asked for with.
    public let redirectURI: String
    /// The state it was asked for with, where the exchange repeats it.
    public var state: String?
}

/// Error codes of others, before they are shown.
enum ErrorCode {
    /// The code, if it looks like one: never free text.
    static func printable(_ text: String) -> String? {
        let isCode = (1...64).contains(text.utf8.count) && text.utf8.allSatisfy(isPart)
        return isCode ? text : nil
    }

    private static func isPart(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "_-.".utf8.contains(byte)
        }
    }
}
