import Configuration
import Testing

@testable import keybearer

@Suite struct ProbeVerdictTests {
    private static func verdict(_ status: Int, _ body: String, _ id: String = "openai") throws -> ProbeVerdict {
        let provider = try #require(try Settings().provider(id))
        return ProbeVerdict(ProbeAnswer(status: status, body: Array(body.utf8)), of: provider)
    }

    @Test(arguments: [
        (200, "{}", ProbeVerdict.Status.ok), (200, "<html>", .format), (200, "[]", .format), (200, "", .format), (401, "", .auth),
        (402, "{}", .billing), (403, #"{"error":{"type":"permission_error"}}"#, .auth),
        (429, #"{"error":{"code":"rate_limit"}}"#, .rateLimit),
        (429, #"{"error":{"code":"insufficient_quota"}}"#, .billing), (529, "{}", .rateLimit), (408, "", .timeout), (504, "", .timeout),
        (400, "{}", .format), (404, "{}", .format), (422, "{}", .format), (500, "{}", .unknown), (503, "", .unknown), (302, "", .unknown),
    ])
    func `Status and code decide`(status: Int, body: String, expected: ProbeVerdict.Status) throws {
        #expect(try Self.verdict(status, body).status == expected)
    }

    @Test func `Codes mean what their provider's data says`() throws {
        let body = #"{"error":{"type":"usage_not_included"}}"#
        #expect(try Self.verdict(403, body, "openai-codex").status == .billing)
        #expect(try Self.verdict(403, body, "openai").status == .auth)
        let google = #"{"error":{"code":400,"status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#
        #expect(try Self.verdict(400, google, "google").status == .auth)
    }

    @Test(arguments: [
        ("needs_login", ProbeVerdict.Status.auth), ("upstream_timeout", .timeout), ("upstream_invalid_answer", .format),
        ("upstream_unreachable", .unknown), ("refresh_failed", .unknown),
    ])
    func `Our own refusals are told by their code`(code: String, expected: ProbeVerdict.Status) throws {
        let verdict = try Self.verdict(503, #"{"error":{"message":"A sentence."},"keybearer":{"code":"\#(code)"}}"#)
        #expect(verdict == ProbeVerdict(expected, "\(code): A sentence."))
    }

    @Test(arguments: [
        #"{"error":{"message":"Incorrect API key provided: sk-canary"}}"#, #"{"error":{"code":"bad key sk-canary"}}"#,
        #"{"error":{"type":"sk-canary"}}"#, #"{"error":"sk-canary"}"#,
    ])
    func `A provider's prose is never quoted`(body: String) throws {
        #expect(try Self.verdict(401, body).reason == "HTTP 401")
    }
}
