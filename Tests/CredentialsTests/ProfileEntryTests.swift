import JSON
import Testing

@testable import Credentials

@Suite struct ProfileEntryTests {
    /// An entry, and what is made of it: kind, secret, refresh, expires; or a problem.
    struct Row: CustomTestStringConvertible, Sendable {
        let entry: String
        var kind: Profile.Kind?
        var secret: String?
        var refresh: String?
        var expires: Int64?
        var problem: StoreProblem.Code?
        var testDescription: String { entry }
    }

    static let rows = [
        Row(entry: #"{"type":"api_key","provider":"p","key":"K"}"#, kind: .apiKey, secret: "K"),
        Row(entry: #"{"mode":"api_key","provider":"p","apiKey":"K"}"#, kind: .apiKey, secret: "K"),
        Row(entry: #"{"type":"apiKey","provider":"p","key":"K"}"#, kind: .apiKey, secret: "K"),
        Row(entry: #"{"type":"api_key","provider":"p","key":"","apiKey":"K"}"#, kind: .apiKey, secret: "K"),
        Row(entry: #"{"type":"api_key","provider":"p"}"#, kind: .apiKey),
        Row(entry: #"{"type":"api_key","provider":"p","key":"  "}"#, kind: .apiKey),
        Row(entry: #"{"type":"token","provider":"p","token":"T"}"#, kind: .token, secret: "T"),
        Row(entry: #"{"type":"token","provider":"p","token":"T","expires":1e3}"#, kind: .token, secret: "T", expires: 1000),
        Row(entry: #"{"type":"token","provider":"p","token":"T","expires":1000.75}"#, kind: .token, secret: "T", expires: 1000),
        Row(
            entry: #"{"type":"oauth","provider":"p","access":"A","refresh":"R","expires":5}"#, kind: .oauth, secret: "A", refresh: "R",
            expires: 5),
        Row(entry: #"{"type":"oauth","provider":"p","access":"","refresh":"R"}"#, kind: .oauth, refresh: "R"),
        Row(entry: #"{"type":"api_key","provider":"p","keyRef":{"source":"env","id":"X"}}"#, kind: .apiKey, problem: .unresolvedReference),
        Row(entry: #"{"type":"api_key","provider":"p","key":"K","keyRef":{"source":"env","id":"X"}}"#, kind: .apiKey, secret: "K"),
        Row(entry: #"{"type":"api_key","provider":"p","key":{"source":"env","id":"X"}}"#, kind: .apiKey, problem: .unresolvedReference),
        Row(entry: #"{"type":"api_key","provider":"p","key":"${OPENAI_KEY}"}"#, kind: .apiKey, problem: .unresolvedReference),
        Row(entry: #"{"type":"api_key","provider":"p","key":"${lower}"}"#, kind: .apiKey, secret: "${lower}"),
        Row(entry: #"{"type":"token","provider":"p","tokenRef":{"source":"file","id":"/x"}}"#, kind: .token, problem: .unresolvedReference),
        Row(entry: #"{"type":"token","provider":"p","token":"a\r\nX: y"}"#, problem: .unusableSecret),
        Row(entry: #"{"type":"token","provider":"p","token":"a\u0000"}"#, problem: .unusableSecret),
        Row(entry: #"{"type":"api_key","provider":"p","key":"schlüssel"}"#, problem: .unusableSecret),
        Row(entry: #"{"type":"api_key","provider":"p","key":7}"#, problem: .unusableSecret),
        Row(entry: #"{"type":"oauth","provider":"p","access":"A","refresh":"R\n"}"#, problem: .unusableSecret),
        Row(entry: #"{"type":"oauth","provider":"p","access":"A","accountId":"x\ny"}"#, problem: .unusableSecret),
        Row(entry: #"{"type":"ssh","provider":"p"}"#, problem: .invalidType),
        Row(entry: #"{"provider":"p"}"#, problem: .invalidType),
        Row(entry: #"{"type":"api_key","key":"K"}"#, problem: .missingProvider),
        Row(entry: #"{"type":"api_key","provider":" ","key":"K"}"#, problem: .missingProvider),
        Row(entry: #""text""#, problem: .notAnObject),
        Row(entry: "null", problem: .notAnObject),
    ]

    @Test(arguments: rows)
    func entriesAreReadByTheTable(row: Row) throws {
        let (profile, problem) = ProfileEntry.read(id: "p:1", value: try Reader.parse(Array(row.entry.utf8)))
        #expect(profile?.kind == row.kind)
        #expect(profile?.secret?.revealed == row.secret)
        #expect(profile?.refresh?.revealed == row.refresh)
        #expect(profile?.expires == row.expires)
        #expect(problem?.code == row.problem)
        #expect(profile?.hasUnresolvedReference ?? false == (row.problem == .unresolvedReference))
    }

    @Test func aProblemNamesTheProfileAndQuotesNoValue() throws {
        let entry = try Reader.parse(Array(#"{"type":"token","provider":"p","token":"sk-canary\n"}"#.utf8))
        let problem = try #require(ProfileEntry.read(id: "p:\u{1b}[31m", value: entry).problem)
        #expect(!problem.message.contains("canary"))
        #expect(!problem.message.contains("\u{1b}"))
    }

    @Test func accountAndExpiryComeFromTheAccessTokenWhenTheFileHasNone() throws {
        // {"exp":1700000000,"https://api.openai.com/auth":{"chatgpt_account_id":"acc-9"}}
        let token =
            "e30.eyJleHAiOjE3MDAwMDAwMDAsImh0dHBzOi8vYXBpLm9wZW5haS5jb20vYXV0aCI6eyJjaGF0Z3B0X2FjY291bnRfaWQiOiJhY2MtOSJ9fQ.x"
        let bare: Value = ["type": "oauth", "provider": "p", "access": .string(token), "refresh": "R"]
        let derived = try #require(ProfileEntry.read(id: "p", value: bare).profile)
        #expect(derived.accountID == "acc-9")
        #expect(derived.expires == 1_700_000_000_000)
        let stated: Value = ["type": "oauth", "provider": "p", "access": .string(token), "expires": 5, "accountId": "acc-1"]
        let kept = try #require(ProfileEntry.read(id: "p", value: stated).profile)
        #expect(kept.accountID == "acc-1")
        #expect(kept.expires == 5)
    }

    @Test(arguments: [
        (#""token","token":"T","expires":1000"#, Int64(999), Expiry.valid(until: 1000)),
        (#""token","token":"T","expires":1000"#, 1000, .expired(since: 1000)),
        (#""token","token":"T","expires":0"#, 1, .invalid),
        (#""token","token":"T","expires":-5"#, 1, .invalid),
        (#""token","token":"T","expires":"soon""#, 1, .invalid),
        (#""token","token":"T""#, 1, .never),
        (#""oauth","access":"A","expires":0"#, 1, .expired(since: 0)),
        (#""oauth","access":"A","expires":1e99"#, 1, .expired(since: 0)),
        (#""api_key","key":"K","expires":1"#, 5, .never),
    ])
    func expiryIsReadStrictlyForTokensAndAsExpiredForOAuth(members: String, now: Int64, expected: Expiry) throws {
        let entry = try Reader.parse(Array(#"{"provider":"p","type":\#(members)}"#.utf8))
        let profile = try #require(ProfileEntry.read(id: "p", value: entry).profile)
        #expect(profile.expiry(now: now) == expected)
    }
}
