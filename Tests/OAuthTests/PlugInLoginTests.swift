import Credentials
import JSON
import Testing

@testable import OAuth

/// What a provider's data may say of logins beyond OAuth's own way: where answers have things, device logins of another kind, discovery,
/// clients of one's own.
@Suite struct PlugInLoginTests {
    static let start: Int64 = 1_769_000_000_000

    private static func verdict(_ body: String, status: Int = 200, _ change: (inout OAuthClient) -> Void) -> TokenVerdict {
        TokenVerdict(
            JournalledAnswer(status: status, receivedAt: start, body: SensitiveBytes(body)),
            for: Profile(id: "p", provider: "p", kind: .oauth, secret: nil), by: PlugIn.client(change))
    }

    private static func tokens(_ body: String, _ change: (inout OAuthClient) -> Void) -> RenewedTokens? {
        guard case .renewed(let tokens) = verdict(body, change) else { return nil }
        return tokens
    }

    // MARK: Answers

    @Test func `Tokens are found where the data says that they are`() throws {
        let body =
            #"{"data":{"at":"a1","rt":"r1","ends":"2026-02-01T00:00:00Z"},"user":{"id":"acc","name":"ann"},"resource_url":"portal.a.example/v1/"}"#
        let tokens = try #require(
            Self.tokens(body) { client in
                client.answer.access = ["data", "at"]
                client.answer.refresh = ["data", "rt"]
                client.answer.expiry = ["data", "ends"]
                client.answer.expiryForm = .instant
                client.answer.account = ["user", "id"]
                client.answer.email = ["user", "name"]
                client.answer.baseURL = ["resource_url"]
                client.answer.baseURLHosts = ["a.example"]
                client.answer.baseURLWithout = "/v1"
            })
        #expect(tokens.access.revealed == "a1" && tokens.refresh?.revealed == "r1" && tokens.expires == 1_769_904_000_000)
        #expect(tokens.accountID == "acc" && tokens.email == "ann" && tokens.baseURL == "https://portal.a.example")
    }

    @Test func `The account may be any claim of either token`() throws {
        // {"https://b.example/x":{"org":"o-1"},"mail":"ann@b.example"}
        let token = "e30.eyJodHRwczovL2IuZXhhbXBsZS94Ijp7Im9yZyI6Im8tMSJ9LCJtYWlsIjoiYW5uQGIuZXhhbXBsZSJ9.c2ln"
        for body in [
            #"{"access_token":"\#(token)","expires_in":60}"#, #"{"access_token":"opaque","id_token":"\#(token)","expires_in":60}"#,
        ] {
            let tokens = Self.tokens(body) { client in
                client.answer.accountClaim = ["https://b.example/x", "org"]
                client.answer.emailClaim = ["mail"]
            }
            #expect(tokens?.accountID == "o-1" && tokens?.email == "ann@b.example")
        }
    }

    @Test(
        arguments: [
            ("portal.qwen.ai", "https://portal.qwen.ai"), ("https://portal.qwen.ai/", "https://portal.qwen.ai"),
            ("qwen.ai/v1", "https://qwen.ai"),
            ("https://dashscope.aliyuncs.com/compatible-mode/v1", "https://dashscope.aliyuncs.com/compatible-mode"), ("evil.example", nil),
            ("https://qwen.ai.evil.example", nil), ("evilqwen.ai", nil), ("http://portal.qwen.ai", nil), ("https://u:p@qwen.ai", nil),
            ("https://evil.example/qwen.ai", nil), ("https://qwen.ai?x=evil", nil), ("//evil.example", nil), ("", nil),
        ] as [(String, String?)])
    func `An answer sends requests to the hosts that the data names, and nowhere else`(said: String, url: String?) {
        let tokens = Self.tokens(#"{"access_token":"a","expires_in":60,"resource_url":"\#(said)"}"#) { client in
            client.answer.baseURL = ["resource_url"]
            client.answer.baseURLHosts = ["qwen.ai", "aliyuncs.com"]
            client.answer.baseURLWithout = "/v1"
        }
        #expect(tokens != nil && tokens?.baseURL == url)
    }

    @Test(arguments: [
        ("3600", ExpiryForm.life, start + 3_600_000), ("\"3600\"", .life, start + 3_600_000), ("1769003600", .seconds, 1_769_003_600_000),
        ("1769003600123", .milliseconds, 1_769_003_600_123), ("\"2026-01-21T13:00:00.5Z\"", .instant, 1_769_000_400_500),
        ("1769003600123", .any, 1_769_003_600_123), ("1769003600", .any, 1_769_003_600_000), ("\"1769003600\"", .any, 1_769_003_600_000),
        ("7200", .any, start + 7_200_000), ("\"2026-01-21T13:00:00Z\"", .any, 1_769_000_400_000), ("null", .life, start + 3_600_000),
    ])
    func `The end is read as it is written`(text: String, form: ExpiryForm, expires: Int64) {
        let tokens = Self.tokens(#"{"access_token":"a","expired_in":\#(text)}"#) { client in
            client.answer.expiry = ["expired_in"]
            client.answer.expiryForm = form
        }
        #expect(tokens?.expires == expires)
    }

    @Test(arguments: [
        ("-1", ExpiryForm.life), ("\"soon\"", .any), ("1769003600", .instant), ("0", .seconds), ("1e300", .any), ("true", .milliseconds),
    ])
    func `An end that makes no sense is no token`(text: String, form: ExpiryForm) {
        let tokens = Self.tokens(#"{"access_token":"a","expires_in":\#(text)}"#) { $0.answer.expiryForm = form }
        #expect(tokens == nil)
    }

    @Test func `A status of success may say otherwise in its body`() {
        let rules: (inout OAuthClient) -> Void = { client in
            client.answer.status = ["status"]
            client.answer.granted = ["success"]
        }
        #expect(Self.tokens(#"{"status":"success","access_token":"a","expires_in":1}"#, rules) != nil)
        #expect(Self.tokens(#"{"access_token":"a","expires_in":1}"#, rules) != nil, "an answer that does not say")
        guard case .failed(let failure) = Self.verdict(#"{"status":"error","access_token":"a"}"#, rules) else {
            return #expect(Bool(false), "it is no token")
        }
        #expect(failure.reason == .invalidAnswer && failure.detail == "status is error")
    }

    @Test func `What ends a login is OAuth's codes, and those and the statuses that the data names`() {
        func isRefused(_ status: Int, _ code: String) -> Bool {
            let verdict = Self.verdict(#"{"error":"\#(code)"}"#, status: status) { client in
                client.refusedCodes = ["gone_for_good"]
                client.refusedStatuses = [410]
            }
            if case .refused = verdict { return true }
            return false
        }
        #expect(isRefused(400, "invalid_grant") && isRefused(400, "gone_for_good") && isRefused(410, "whatever"))
        #expect(!isRefused(400, "other") && !isRefused(503, "gone_for_good") && !isRefused(403, "invalid_grant"))
    }

    // MARK: Requests

    @Test func `A client proves itself as its data says, and sends what it adds`() {
        let extra: (inout OAuthClient) -> Void = { $0.tokenParameters = [LoginParameter(name: "audience", value: "llm")] }
        let body = TokenRequest.refresh(Secret("r")!, client: PlugIn.client(extra), clientSecret: "s/1")
        #expect(
            String(decoding: body.body.bytes, as: UTF8.self)
                == "grant_type=refresh_token&refresh_token=r&client_id=c%201&audience=llm&client_secret=s%2F1")
        #expect(body.credential == nil)
        let basic = TokenRequest.refresh(
            Secret("r")!,
            client: PlugIn.client { client in
                extra(&client)
                client.authentication = .basic
                client.bodyForm = .json
            }, clientSecret: "s/1")
        #expect(
            String(decoding: basic.body.bytes, as: UTF8.self) == #"{"grant_type":"refresh_token","refresh_token":"r","audience":"llm"}"#)
        // RFC 6749 §2.3.1: base64("c%201:s%2F1")
        #expect(basic.credential.map { String(decoding: $0.bytes, as: UTF8.self) } == "authorization: Basic YyUyMDE6cyUyRjE=")
    }

    @Test func `The state is compared in pastes and repeated in the exchange where the data wants it`() throws {
        var rules = LoginRules(redirect: LoopbackRedirect("http://localhost:1455/cb"))
        rules.state.isRequiredInPaste = true
        rules.state.isSentInExchange = true
        let request = try #require(AuthorizationRequest(PlugIn.client(login: rules), pkce: PKCE(), state: "st"))
        #expect(throws: LoginFailure(.wrongState)) { try request.accept(AuthorizationAnswer(code: "c"), from: .paste) }
        let code = try request.accept(AuthorizationAnswer(code: "c", state: "st"), from: .paste)
        let body = String(decoding: TokenRequest.exchange(code, client: PlugIn.client(), clientSecret: nil).body.bytes, as: UTF8.self)
        #expect(body.hasSuffix("&state=st"))
        let bare = PlugIn.client({ $0.authorizeURL = "https://a.example/page?x=1" }, login: LoginRules(redirect: rules.redirect))
        var withoutScopes = bare
        withoutScopes = OAuthClient(tokenURL: bare.tokenURL, authorizeURL: bare.authorizeURL, clientID: "c", login: bare.login)
        #expect(AuthorizationRequest(withoutScopes)?.url.contains("scope=") == false)
    }

    // MARK: Device logins

    @Test func `A device login may carry a challenge and a state, poll by the user's code, and tell by a member how it stands`() throws {
        var manners = DeviceManners()
        manners.parameters = [LoginParameter(name: "response_type", value: "code")]
        manners.usesPKCE = true
        manners.sendsState = true
        manners.grantType = "urn:x:user_code"
        manners.pollKey = .userCode
        manners.expiry = ["expired_in"]
        manners.expiryForm = .any
        manners.pending = ["pending"]
        let rules = DeviceRules.standard(startURL: "https://a.example/code", manners)
        let start = String(
            decoding: TokenRequest.deviceStart(rules, client: PlugIn.client(), challenge: "ch", state: "st").body.bytes, as: UTF8.self)
        #expect(start == "response_type=code&client_id=c%201&scope=s&code_challenge=ch&code_challenge_method=S256&state=st")
        let answer = { (state: String) in
            TokenAnswer(
                status: 200,
                body: SensitiveBytes(
                    #"{"user_code":"ABC","verification_uri":"https://a.example/d","expired_in":\#(Self.start + 120_000),"state":"\#(state)"}"#
                ))
        }
        #expect(throws: LoginFailure(.wrongState)) { try DeviceCode(answer("other"), rules: rules, state: "st", now: Self.start) }
        var code = try DeviceCode(answer("st"), rules: rules, state: "st", now: Self.start)
        #expect(code.expires == Self.start + 120_000)
        code.verifier = PKCE().verifier
        let poll = String(
            decoding: TokenRequest.device(code, manners, client: PlugIn.client(), clientSecret: nil).body.bytes, as: UTF8.self)
        #expect(poll == "grant_type=urn%3Ax%3Auser_code&client_id=c%201&user_code=ABC&code_verifier=\(code.verifier!.revealed)")
        var told = AnswerRules()
        told.status = ["status"]
        told.granted = ["success"]
        let reply = { (status: Int, body: String) in
            DeviceReply(TokenAnswer(status: status, body: SensitiveBytes(body)), rules: rules, answerRules: told)
        }
        #expect(reply(200, #"{"status":"pending"}"#) == .pending && reply(200, #"{"status":"success"}"#) == .granted)
        #expect(reply(200, #"{"status":"error"}"#) == .failed(LoginFailure(.denied, code: "error")))
        #expect(reply(400, #"{"error":"authorization_pending"}"#) == .pending && reply(400, #"{"error":"slow_down"}"#) == .slowDown)
    }

    @Test func `Statuses may mean that the person has not decided`() {
        var manners = DeviceManners()
        manners.pendingStatuses = [404, 428]
        let rules = DeviceRules.standard(startURL: "https://a.example/code", manners)
        let reply = { DeviceReply(TokenAnswer(status: $0, body: SensitiveBytes("{}")), rules: rules) }
        #expect(reply(428) == .pending && reply(404) == .pending && reply(403) != .pending)
    }
}
