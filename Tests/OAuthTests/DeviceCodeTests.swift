import Credentials
import Testing

@testable import OAuth

@Suite struct DeviceCodeTests {
    static let openai = DeviceRules.openai(
        startURL: "https://a.example/start", pollURL: "https://a.example/poll", pageURL: "https://a.example/device",
        redirectURI: "https://a.example/cb")
    static let standard = DeviceRules.standard(startURL: "https://a.example/device_authorization")
    static let now: Int64 = 1_769_000_000_000

    static func answer(_ status: Int, _ body: String) -> TokenAnswer { TokenAnswer(status: status, body: SensitiveBytes(body)) }

    @Test("OpenAI's form: the interval as a string, its own page, 15 minutes")
    func openaiForm() throws {
        for name in ["user_code", "usercode"] {
            let code = try DeviceCode(
                Self.answer(200, #"{"device_auth_id":"d","\#(name)":"ABCD-EFGH","interval":"7"}"#), rules: Self.openai, now: Self.now)
            #expect(code.userCode == "ABCD-EFGH")
            #expect(code.pageURL == "https://a.example/device")
            #expect(code.completeURL == nil)
            #expect(code.interval == .seconds(7))
            #expect(code.expires == Self.now + 900_000)
        }
    }

    @Test("RFC 8628 §3.2: everything from the answer, five seconds where it says nothing, at most 15 minutes")
    func standardForm() throws {
        let code = try DeviceCode(
            Self.answer(
                200,
                #"{"device_code":"d","user_code":"X","verification_uri":"https://a.example/d","verification_uri_complete":"https://a.example/d?c=X","expires_in":60}"#
            ), rules: Self.standard, now: Self.now)
        #expect(code.pageURL == "https://a.example/d")
        #expect(code.completeURL == "https://a.example/d?c=X")
        #expect(code.interval == .seconds(5))
        #expect(code.expires == Self.now + 60_000)
        let long = try DeviceCode(
            Self.answer(
                200, #"{"device_code":"d","user_code":"X","verification_url":"https://a.example/d","expires_in":86400,"interval":1}"#),
            rules: Self.standard, now: Self.now)
        #expect(long.expires == Self.now + 900_000)
        #expect(long.interval == .seconds(1))
    }

    @Test(
        "What cannot be shown or polled with is refused",
        arguments: [
            (200, "", LoginFailure.Reason.invalidAnswer), (200, "[]", .invalidAnswer), (200, "{}", .invalidAnswer),
            (200, #"{"device_code":"d","user_code":"X"}"#, .invalidAnswer),
            (200, #"{"device_code":"d","user_code":"X","verification_uri":"http://evil.example/"}"#, .invalidAnswer),
            (200, #"{"device_code":"d","user_code":"X","verification_uri":"https://a.example/\u001b[2J"}"#, .invalidAnswer),
            (200, #"{"device_code":"d","user_code":"\u001b[2J","verification_uri":"https://a.example/"}"#, .invalidAnswer),
            (200, #"{"device_code":"d e","user_code":"X","verification_uri":"https://a.example/"}"#, .invalidAnswer),
            (404, #"{"error":"not_found"}"#, .status), (500, "<html>", .status),
        ])
    func refused(status: Int, body: String, reason: LoginFailure.Reason) {
        #expect {
            try DeviceCode(Self.answer(status, body), rules: Self.standard, now: Self.now)
        } throws: { ($0 as? LoginFailure)?.reason == reason }
    }

    @Test(
        "Replies are read by status and code",
        arguments: [
            (standard, 200, "{}", .granted), (standard, 400, #"{"error":"authorization_pending"}"#, .pending),
            (standard, 400, #"{"error":"slow_down"}"#, .slowDown), (standard, 429, "", .slowDown), (standard, 503, "<html>", .unclear),
            (standard, 400, #"{"error":"access_denied"}"#, .failed(LoginFailure(.denied, code: "access_denied"))),
            (standard, 400, #"{"error":"expired_token"}"#, .failed(LoginFailure(.expired, code: "expired_token"))),
            (standard, 400, #"{"error":"invalid_grant"}"#, .failed(LoginFailure(.status, status: 400, code: "invalid_grant"))),
            (standard, 403, "", .failed(LoginFailure(.status, status: 403))),
            (standard, 302, "", .failed(LoginFailure(.status, status: 302))),
            (openai, 403, "", .pending), (openai, 404, "<html>", .pending),
            (openai, 403, #"{"error":{"code":"access_denied"}}"#, .failed(LoginFailure(.denied, code: "access_denied"))),
            (
                openai, 400, #"{"error":{"code":"deviceauth_failed"}}"#,
                .failed(LoginFailure(.status, status: 400, code: "deviceauth_failed"))
            ),
            (openai, 200, "{}", .granted),
        ] as [(DeviceRules, Int, String, DeviceReply)])
    func replies(rules: DeviceRules, status: Int, body: String, reply: DeviceReply) {
        #expect(DeviceReply(Self.answer(status, body), rules: rules) == reply)
    }

    @Test("slow_down adds five seconds for good, a silent server is asked ever less often, and the code's end ends it")
    func pace() throws {
        let code = try DeviceCode(
            Self.answer(200, #"{"device_auth_id":"d","user_code":"X","interval":"5"}"#), rules: Self.openai, now: Self.now)
        var polling = DevicePolling(code)
        #expect(polling.take(.pending, now: Self.now) == .wait)
        #expect(polling.interval == .seconds(5))
        #expect(polling.take(.slowDown, now: Self.now) == .wait)
        #expect(polling.interval == .seconds(10))
        #expect(polling.take(.pending, now: Self.now) == .wait)
        #expect(polling.interval == .seconds(10))
        for expected in [20, 40, 60, 60] {
            #expect(polling.take(.unclear, now: Self.now) == .wait)
            #expect(polling.interval == .seconds(expected))
        }
        #expect(polling.take(.pending, now: Self.now + 830_000) == .wait)
        #expect(polling.take(.pending, now: Self.now + 840_000) == .fail(LoginFailure(.expired)))
        #expect(polling.take(.granted, now: Self.now + 899_000) == .take)
    }
}
