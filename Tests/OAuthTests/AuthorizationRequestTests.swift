import Credentials
import Testing

@testable import OAuth

@Suite struct AuthorizationRequestTests {
    static let redirect = "http://localhost:1455/auth/callback"
    static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

    static func client(authorizeURL: String? = "https://auth.example/oauth/authorize", redirect: String? = redirect) -> OAuthClient {
        OAuthClient(
            tokenURL: "https://auth.example/oauth/token", authorizeURL: authorizeURL, clientID: "client-1", scopes: ["openid", "email"],
            login: LoginRules(
                redirect: redirect.flatMap(LoopbackRedirect.init),
                authorizeParameters: [
                    LoginParameter(name: "simple", value: "a b&c"), LoginParameter(name: "originator", value: "keybearer"),
                ]))
    }

    static func request(_ client: OAuthClient = client(), state: String = "state-1") throws -> AuthorizationRequest {
        try #require(AuthorizationRequest(client, pkce: PKCE(verifier: verifier)!, state: state))
    }

    /// The code, or the reason there is none.
    static func outcome(_ request: AuthorizationRequest, _ answer: AuthorizationAnswer, _ source: AuthorizationRequest.Source = .callback)
        -> String
    {
        do throws(LoginFailure) {
            return try request.accept(answer, from: source).code.revealed
        } catch {
            return error.reason.rawValue
        }
    }

    @Test("The address carries the parameters in the documented order, encoded, and no secret")
    func address() throws {
        let request = try Self.request()
        #expect(
            request.url == "https://auth.example/oauth/authorize?response_type=code&client_id=client-1"
                + "&redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback&scope=openid%20email"
                + "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&state=state-1"
                + "&simple=a%20b%26c&originator=keybearer")
        #expect(!request.url.contains(Self.verifier))
    }

    @Test("An endpoint that has a query keeps it")
    func query() throws {
        let request = try Self.request(Self.client(authorizeURL: "https://auth.example/a?tenant=1"))
        #expect(request.url.hasPrefix("https://auth.example/a?tenant=1&response_type=code&"))
    }

    @Test("Without an endpoint, rules or a redirect on this machine there is no login by browser")
    func impossible() {
        #expect(AuthorizationRequest(Self.client(authorizeURL: nil)) == nil)
        #expect(AuthorizationRequest(Self.client(redirect: nil)) == nil)
        #expect(
            AuthorizationRequest(OAuthClient(tokenURL: "https://a.example/t", authorizeURL: "https://a.example/a", clientID: "c")) == nil)
    }

    @Test("Two attempts share neither state nor challenge")
    func fresh() throws {
        let urls = try (0..<20).map { _ in try #require(AuthorizationRequest(Self.client())).url }
        for name in ["state=", "code_challenge="] {
            let values = urls.compactMap { $0.split(separator: "&").first { $0.hasPrefix(name) } }
            #expect(Set(values).count == 20)
            #expect(values.allSatisfy { $0.count >= name.count + 32 })
        }
    }

    typealias Answer = AuthorizationAnswer

    @Test(
        "An answer is taken when its state, its issuer and its code are right",
        arguments: [
            (Answer(code: "code-1", state: "state-1"), .callback, "code-1"),
            (Answer(code: "code-1", state: "state-2"), .callback, "wrong_state"),
            (Answer(code: "code-1", state: "state-11"), .callback, "wrong_state"),
            (Answer(code: "code-1", state: ""), .callback, "wrong_state"), (Answer(code: "code-1"), .callback, "wrong_state"),
            (Answer(code: "code-1"), .paste, "code-1"), (Answer(code: "code-1", state: "state-2"), .paste, "wrong_state"),
            (Answer(state: "state-1"), .callback, "no_code"), (Answer(), .paste, "no_code"),
            (Answer(code: "co de", state: "state-1"), .callback, "no_code"),
            (Answer(code: "c", state: "state-1", issuer: "https://auth.example"), .callback, "c"),
            (Answer(code: "c", state: "state-1", issuer: "https://auth.example:443/"), .callback, "c"),
            (Answer(code: "c", state: "state-1", issuer: "https://evil.example"), .callback, "wrong_issuer"),
            (Answer(code: "c", state: "state-1", issuer: "auth.example"), .callback, "wrong_issuer"),
            (Answer(state: "state-1", error: "access_denied"), .callback, "denied"),
            (Answer(state: "state-2", error: "access_denied"), .callback, "wrong_state"),
            (Answer(error: "access_denied"), .callback, "wrong_state"), (Answer(error: "access_denied"), .paste, "denied"),
        ] as [(Answer, AuthorizationRequest.Source, String)])
    func accepted(answer: Answer, source: AuthorizationRequest.Source, outcome: String) throws {
        #expect(Self.outcome(try Self.request(), answer, source) == outcome)
    }

    @Test("The code comes with the verifier and the redirect it was asked for with")
    func code() throws {
        let code = try Self.request().accept(Answer(code: "c", state: "state-1"), from: .callback)
        #expect(code.verifier.revealed == Self.verifier)
        #expect(code.redirectURI == Self.redirect)
    }

    @Test("A state is good once, whoever brings it first; a wrong one uses nothing up")
    func once() throws {
        let request = try Self.request()
        #expect(Self.outcome(request, Answer(code: "c1", state: "other")) == "wrong_state")
        #expect(Self.outcome(request, Answer(code: "c2", state: "state-1")) == "c2")
        #expect(Self.outcome(request, Answer(code: "c3", state: "state-1")) == "answered_already")
        #expect(Self.outcome(request, Answer(code: "c4"), .paste) == "answered_already")
    }

    @Test("A refusal shows the provider's code only when it looks like one")
    func refusal() throws {
        for (error, shown) in [("access_denied", "access_denied"), ("<script>", nil), ("no such\u{1b}[2J", nil)] as [(String, String?)] {
            #expect {
                try Self.request().accept(Answer(state: "state-1", error: error), from: .callback)
            } throws: { ($0 as? LoginFailure)?.code == shown }
        }
    }

    @Test(
        "Queries are read strictly",
        arguments: [
            ("code=a%2Fb+c&state=s", Answer(code: "a/b c", state: "s")), ("", Answer()), ("other=1&code=a", Answer(code: "a")),
            ("code=a&code=b", nil), ("code=a&c%6fde=b", nil), ("code=%4", nil), ("code=%zz", nil), ("code=%ff", nil), ("code", nil),
            ("code=&state=", Answer()), ("code=a=b", Answer(code: "a=b")),
            ("iss=https%3A%2F%2Fa&error=e", Answer(error: "e", issuer: "https://a")),
        ] as [(String, Answer?)])
    func queries(text: String, answer: Answer?) {
        #expect(AuthorizationAnswer(query: text) == answer)
    }
}
