import Configuration
import Testing

@testable import Routing

/// 2026-09-21T14:13:20Z
private let now: Int64 = 1_790_000_000_000

private func report(_ fields: [(String, String)], _ family: LimitFamily, prefix: String? = nil) -> QuotaReport {
    var report = QuotaReport()
    for (name, value) in fields {
        _ = LimitFields.read(Array(name.utf8).span, Array(value.utf8).span, of: LimitNames(family, prefix: prefix), into: &report, now: now)
    }
    return report
}

@Suite struct ResetTimeTests {
    @Test(
        "Every form in which providers say when",
        arguments: [
            ("1790000060", 60_000), ("1790000060.5", 60_500), ("1790000060123", 60_123), ("60", 60_000), ("59.5", 59_500), ("0", 0),
            ("6m0s", 360_000), ("1s", 1_000), ("17ms", 17), ("1h2m3.5s", 3_723_500), ("34.07s", 34_070), ("2d", 172_800_000),
            ("1.5h", 5_400_000), ("2026-09-21T14:14:20Z", 60_000), ("2026-09-21T14:14:20.250Z", 60_250),
            ("2026-09-21T16:14:20+02:00", 60_000), ("2026-09-21t09:14:20-05:00", 60_000), ("2026-09-22T14:13:20Z", 86_400_000),
            ("Mon, 21 Sep 2026 14:14:20 GMT", 60_000), ("", nil), ("soon", nil), ("1x", nil), ("2026-09-21", nil),
            ("2026-13-01T00:00:00Z", nil),
            ("1s2", nil), ("-5", nil), ("99999999999999999999", nil),
        ] as [(String, Int64?)])
    func forms(text: String, offset: Int64?) {
        #expect(ResetTime.parse(Array(text.utf8).span, now: now) == offset.map { now + $0 })
    }

    @Test(
        "Retry-After: seconds, an HTTP date, and what else is sent",
        arguments: [
            ("120", 120_000), ("1", 1_000), ("0", 0), ("0.25", 250), ("20s", 20_000), ("1500ms", 1_500),
            ("Mon, 21 Sep 2026 14:13:50 GMT", 30_000),
            ("Fri, 01 Jan 2027 00:00:00 GMT", 8_761_600_000), ("later", nil), ("", nil),
        ] as [(String, Int64?)])
    func retryAfter(text: String, offset: Int64?) {
        #expect(ResetTime.retryAfter(Array(text.utf8).span, now: now) == offset.map { now + $0 })
    }

    @Test("Every day of four years, as a date of HTTP and of RFC 3339, is the same instant")
    func days() {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        var expected: Int64 = 1_767_225_600_000  // 2026-01-01
        for year in 2026...2029 {
            for month in 1...12 {
                let length = month == 2 ? (year == 2028 ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
                for day in 1...length {
                    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
                    let iso = "\(year)-\(two(month))-\(two(day))T00:00:00Z"
                    let http = "Xxx, \(two(day)) \(months[month - 1]) \(year) 00:00:00 GMT"
                    #expect(ResetTime.parse(Array(iso.utf8).span, now: now) == expected)
                    #expect(ResetTime.retryAfter(Array(http.utf8).span, now: now) == expected)
                    expected += 86_400_000
                }
            }
        }
    }
}

@Suite struct LimitFieldsTests {
    @Test("Anthropic's windows of an API key")
    func anthropic() {
        let report = report(
            [
                ("anthropic-ratelimit-requests-limit", "1000"), ("anthropic-ratelimit-requests-remaining", "250"),
                ("anthropic-ratelimit-requests-reset", "2026-09-21T14:14:20Z"), ("anthropic-ratelimit-input-tokens-limit", "40000"),
                ("Anthropic-RateLimit-Input-Tokens-Remaining", "40000"), ("anthropic-organization-id", "x"),
            ], .anthropic)
        #expect(report.all.map(\.name.text) == ["requests", "input-tokens"])
        #expect(report[0].used == 750)
        #expect(report[0].resetsAt == now + 60_000)
        #expect(report[1].used == 0)
        #expect(report.pressure(now: now) == 750)
        #expect(report.exhaustedUntil(now: now) == nil)
    }

    @Test("Anthropic's windows of a subscription, with what holds for all of them")
    func unified() {
        let report = report(
            [
                ("anthropic-ratelimit-unified-status", "rejected"), ("anthropic-ratelimit-unified-reset", "1790003600"),
                ("anthropic-ratelimit-unified-5h-utilization", "1.02"), ("anthropic-ratelimit-unified-5h-status", "rejected"),
                ("anthropic-ratelimit-unified-5h-reset", "1790003600"), ("anthropic-ratelimit-unified-7d-utilization", "0.4"),
                ("anthropic-ratelimit-unified-7d-status", "allowed"), ("anthropic-ratelimit-unified-7d-reset", "1790300000"),
                ("anthropic-ratelimit-unified-representative-claim", "five_hour"),
                ("anthropic-ratelimit-unified-overage-status", "rejected"),
                ("anthropic-ratelimit-unified-fallback-percentage", "0.5"),
            ], .anthropic)
        #expect(report.all.map(\.name.text) == ["unified", "5h", "7d"])
        #expect(report.isRejected)
        #expect(report.exhaustedUntil(now: now) == now + 3_600_000)
        #expect(report.pressure(now: now) == 1020)
        #expect(report.nextReset(now: now) == now + 3_600_000)
    }

    @Test("OpenAI's windows and those who follow it, with pauses for resets")
    func openai() {
        let report = report(
            [
                ("x-ratelimit-limit-requests", "60"), ("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "6m0s"),
                ("x-ratelimit-limit-tokens", "150000"), ("x-ratelimit-remaining-tokens", "149984"), ("x-ratelimit-reset-tokens", "17ms"),
                ("x-request-id", "x"),
            ], .openai)
        #expect(report.all.map(\.name.text) == ["requests", "tokens"])
        #expect(report[0].isExhausted(now: now))
        #expect(report.exhaustedUntil(now: now) == now + 360_000)
        #expect(report[1].used == 0)
    }

    @Test("OpenRouter's fields without a window are those of requests")
    func openrouter() {
        let report = report([("X-RateLimit-Limit", "20"), ("X-RateLimit-Remaining", "5"), ("X-RateLimit-Reset", "1790000060000")], .openai)
        #expect(report.all.map(\.name.text) == ["requests"])
        #expect(report[0].used == 750)
        #expect(report[0].resetsAt == now + 60_000)
    }

    @Test("Codex's primary and secondary windows")
    func codex() {
        let report = report(
            [
                ("x-codex-primary-used-percent", "42.5"), ("x-codex-primary-window-minutes", "300"),
                ("x-codex-primary-reset-at", "1790003600"),
                ("x-codex-secondary-used-percent", "100"), ("x-codex-secondary-reset-after-seconds", "86400"),
                ("x-codex-credits-has-credits", "False"), ("x-codex-promo-message", "hi"),
            ], .codex)
        #expect(report.all.map(\.name.text) == ["primary", "secondary"])
        #expect(report[0].used == 425)
        #expect(report[0].minutes == 300)
        #expect(report.exhaustedUntil(now: now) == now + 86_400_000)
    }

    @Test(
        "What is none of a family's fields, or is not understood, makes no window",
        arguments: [
            (LimitFamily.anthropic, "x-ratelimit-limit-requests", "5"), (.openai, "anthropic-ratelimit-requests-limit", "5"),
            (.codex, "x-ratelimit-limit-requests", "5"), (.openai, "x-ratelimit-limit-requests", "many"),
            (.anthropic, "anthropic-ratelimit-", "5"),
            (.anthropic, "anthropic-ratelimit-tokens-reset", "soon"), (.codex, "x-codex-primary", "5"), (.openai, "x-ratelimit-", "5"),
            (.openai, "x-ratelimit-remaining-tokens", "-1"),
        ])
    func others(family: LimitFamily, name: String, value: String) {
        #expect(report([(name, value)], family).count == 0)
    }

    @Test("A provider may have names of its own for fields of a family's form")
    func ownNames() {
        let openai = report(
            [("X-Acme-Left-remaining-tokens", "7"), ("x-ratelimit-remaining-tokens", "1")], .openai, prefix: "x-acme-left-")
        #expect(openai.count == 1 && openai[0].remaining == 7)
        let anthropic = report([("quota-5h-utilization", "0.5")], .anthropic, prefix: "quota-")
        #expect(anthropic.count == 1 && anthropic[0].usedPermille == 500)
        #expect(report([("quota-", "1"), ("quot", "1")], .openai, prefix: "quota-").count == 0)
    }

    @Test("A ninth window is left out, and a newer report replaces the windows that it names")
    func capacity() {
        let many = report((0..<12).map { ("x-ratelimit-limit-w\($0)", "\($0)") }, .openai)
        #expect(many.count == QuotaReport.capacity)
        var kept = report([("x-ratelimit-limit-a", "1"), ("x-ratelimit-limit-b", "2")], .openai)
        kept.merge(report([("x-ratelimit-limit-b", "3"), ("x-ratelimit-limit-c", "4")], .openai))
        #expect(kept.all.map { "\($0.name.text) \($0.limit)" } == ["a 1", "b 3", "c 4"])
    }

    @Test("A window that has begun anew presses no more")
    func renewed() {
        let report = report([("x-codex-primary-used-percent", "100"), ("x-codex-primary-reset-at", "1790003600")], .codex)
        #expect(report.pressure(now: now) == 1000)
        #expect(report.pressure(now: now + 3_600_001) == 0)
        #expect(report.exhaustedUntil(now: now + 3_600_001) == nil)
    }
}

@Suite struct RefusalTextTests {
    @Test(
        "Codes and times, where each provider puts them",
        arguments: [
            (#"{"type":"error","error":{"type":"rate_limit_error","message":"m"}}"#, ["rate_limit_error", "error"], nil),
            (
                #"{"error":{"message":"m","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#, ["insufficient_quota"],
                nil
            ),
            (#"{"error":{"message":"m","type":"tokens","code":"rate_limit_exceeded"}}"#, ["rate_limit_exceeded", "tokens"], nil),
            (#"{"error":{"type":"usage_limit_reached","plan_type":"plus","resets_at":1790003600}}"#, ["usage_limit_reached"], 3_600_000),
            (#"{"error":{"type":"usage_limit_reached","resets_in_seconds":90.5}}"#, ["usage_limit_reached"], 90_500),
            (#"{"detail":{"code":"usage_not_included"}}"#, [], nil),
            (
                #"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"@type":"QuotaFailure","violations":[{"quotaId":"PerDay"}]},{"@type":"RetryInfo","retryDelay":"34.07s"}]}}"#,
                ["RESOURCE_EXHAUSTED", "PerDay"], 34_070
            ),
            (
                #"[{"error":{"code":400,"status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}]"#,
                ["INVALID_ARGUMENT", "API_KEY_INVALID"], nil
            ),
            (#"{"__type":"com.amazon.coral.service#ThrottlingException","message":"m"}"#, ["ThrottlingException"], nil),
            (#"{"error":{"code":"1113","message":"m"}}"#, ["1113"], nil), (#"{"error":"quota"}"#, ["quota"], nil),
            (
                #"{"type":"response.failed","response":{"error":{"code":"rate_limit_exceeded"}}}"#,
                ["rate_limit_exceeded", "response.failed"], nil
            ),
            ("not json", [], nil), ("", [], nil), ("[]", [], nil), (#"{"error":{"code":42}}"#, [], nil),
            (#"{"error":{"type":"cut"#, [], nil),
        ] as [(String, [String], Int64?)])
    func bodies(text: String, codes: [String], offset: Int64?) {
        let refusal = RefusalText(Array(text.utf8), now: now)
        #expect(refusal.codes == codes)
        #expect(refusal.resetsAt == offset.map { now + $0 })
    }

    @Test(
        "What built-in providers' codes mean",
        arguments: [
            ("anthropic", ["rate_limit_error"], .rate), ("anthropic", ["overloaded_error"], .overloaded),
            ("anthropic", ["billing_error"], .billing),
            ("anthropic", ["authentication_error"], .auth), ("anthropic", ["permission_error"], .entitlement),
            ("anthropic", ["invalid_request_error"], .unknown), ("openai", ["insufficient_quota"], .billing),
            ("openai", ["rate_limit_exceeded"], .rate),
            ("openai", ["invalid_api_key"], .auth), ("openai", ["model_not_found"], .model),
            ("openai", ["context_length_exceeded"], .unknown),
            ("openai-codex", ["usage_limit_reached"], .quota), ("openai-codex", ["usage_not_included"], .entitlement),
            ("chatgpt", ["usage_limit_reached"], .quota), ("google", ["RESOURCE_EXHAUSTED"], .rate),
            ("google", ["RESOURCE_EXHAUSTED", "GenerateRequestsPerDayPerProjectPerModel-FreeTier"], .quota),
            ("google", ["INVALID_ARGUMENT", "API_KEY_INVALID"], .auth), ("google", ["INVALID_ARGUMENT"], .unknown),
            ("google", ["PERMISSION_DENIED", "BILLING_DISABLED"], .billing),
            ("google", ["PERMISSION_DENIED", "SERVICE_DISABLED"], .nextMayHelp),
            ("groq", ["rate_limit_exceeded"], .rate), ("moonshot", ["exceeded_current_quota_error"], .billing), ("zai", ["1113"], .billing),
            ("zai", ["1302"], .rate), ("amazon-bedrock", ["ThrottlingException"], .rate), ("azure-openai", ["DeploymentNotFound"], .model),
        ] as [(String, [String], RefusalMeaning)])
    func meanings(provider: String, codes: [String], meaning: RefusalMeaning) throws {
        let provider = try #require(try Settings().provider(provider))
        #expect(provider.failover.meaning(ofCodes: codes) == meaning)
    }
}
