import Testing

@testable import Sandbox

/// One request's fields and what the check must say of them.
struct CredentialCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let provider: SandboxProvider
    let fields: [String]
    var query = ""
    /// Nil: accepted.
    let refusal: String?
}

@Suite struct CredentialCheckTests {
    private static let beta = "anthropic-beta: oauth-2025-04-20"
    private static let codex = ["authorization: Bearer CODEX", "chatgpt-account-id: acct"]

    static let cases: [CredentialCase] = [
        .init(testDescription: "anthropic key", provider: .anthropic, fields: ["x-api-key: KEY"], refusal: nil),
        .init(testDescription: "anthropic setup-token", provider: .anthropic, fields: ["authorization: Bearer SETUP", beta], refusal: nil),
        .init(
            testDescription: "anthropic oauth, beta among others", provider: .anthropic,
            fields: ["authorization: Bearer OAUTH", "anthropic-beta: a, oauth-2025-04-20 ,b", "anthropic-beta: c"], refusal: nil),
        .init(testDescription: "openai key", provider: .openai, fields: ["authorization: Bearer OPENAI"], refusal: nil),
        .init(testDescription: "codex", provider: .openaiCodex, fields: codex, refusal: nil),
        .init(testDescription: "google key", provider: .google, fields: ["x-goog-api-key: GOOGLE"], refusal: nil),

        .init(testDescription: "nothing", provider: .anthropic, fields: [], refusal: "missing"),
        .init(testDescription: "two of a kind", provider: .anthropic, fields: ["x-api-key: KEY", "x-api-key: KEY"], refusal: "duplicate"),
        .init(
            testDescription: "key beside a bearer token", provider: .anthropic,
            fields: ["x-api-key: KEY", "authorization: Bearer SETUP", beta],
            refusal: "duplicate"),
        .init(
            testDescription: "another provider's field beside", provider: .openai,
            fields: ["authorization: Bearer OPENAI", "x-goog-api-key: GOOGLE"], refusal: "duplicate"),
        .init(testDescription: "key as bearer", provider: .anthropic, fields: ["authorization: Bearer KEY"], refusal: "wrong-header"),
        .init(testDescription: "token as key", provider: .anthropic, fields: ["x-api-key: SETUP", beta], refusal: "wrong-header"),
        .init(
            testDescription: "google key as bearer", provider: .google, fields: ["authorization: Bearer GOOGLE"], refusal: "wrong-header"),
        .init(testDescription: "basic", provider: .openai, fields: ["authorization: Basic OPENAI"], refusal: "not-bearer"),
        .init(testDescription: "two tokens", provider: .openai, fields: ["authorization: Bearer OPENAI, Bearer X"], refusal: "not-bearer"),
        .init(testDescription: "lower-case scheme", provider: .openai, fields: ["authorization: bearer OPENAI"], refusal: "not-bearer"),
        .init(testDescription: "unknown", provider: .openai, fields: ["authorization: Bearer nobody"], refusal: "unknown"),
        .init(testDescription: "expired", provider: .openai, fields: ["authorization: Bearer EXPIRED"], refusal: "expired"),
        .init(testDescription: "revoked", provider: .openai, fields: ["authorization: Bearer REVOKED"], refusal: "revoked"),
        .init(testDescription: "other provider's", provider: .openai, fields: ["authorization: Bearer GOOGLE"], refusal: "other-provider"),
        .init(testDescription: "beta missing", provider: .anthropic, fields: ["authorization: Bearer OAUTH"], refusal: "oauth-beta"),
        .init(
            testDescription: "beta twice", provider: .anthropic,
            fields: ["authorization: Bearer OAUTH", "anthropic-beta: oauth-2025-04-20,x", beta], refusal: "oauth-beta"),
        .init(testDescription: "codex without account", provider: .openaiCodex, fields: [codex[0]], refusal: "account-header"),
        .init(
            testDescription: "codex, other account", provider: .openaiCodex, fields: [codex[0], "chatgpt-account-id: other"],
            refusal: "account-header"),
        .init(testDescription: "codex, account twice", provider: .openaiCodex, fields: codex + [codex[1]], refusal: "account-header"),
        .init(
            testDescription: "account header elsewhere", provider: .openai,
            fields: ["authorization: Bearer OPENAI", "chatgpt-account-id: acct"],
            refusal: "leftover"),
        .init(testDescription: "cookie", provider: .openai, fields: ["authorization: Bearer OPENAI", "cookie: a=b"], refusal: "leftover"),
        .init(
            testDescription: "organization", provider: .openai, fields: ["authorization: Bearer OPENAI", "openai-organization: org"],
            refusal: "leftover"),
        .init(
            testDescription: "project", provider: .openai, fields: ["authorization: Bearer OPENAI", "openai-project: p"],
            refusal: "leftover"),
        .init(
            testDescription: "proxy credential", provider: .openai,
            fields: ["authorization: Bearer OPENAI", "proxy-authorization: Basic x"],
            refusal: "leftover"),
        .init(
            testDescription: "our own field", provider: .anthropic, fields: ["x-api-key: KEY", "keybearer-session: s"], refusal: "leftover"),
        .init(
            testDescription: "azure's field", provider: .openai, fields: ["authorization: Bearer OPENAI", "api-key: x"], refusal: "leftover"
        ),
        .init(
            testDescription: "key in query", provider: .google, fields: ["x-goog-api-key: GOOGLE"], query: "key=x", refusal: "key-in-query"),
    ]

    @Test(arguments: cases)
    func `each credential is taken in its own form only`(_ test: CredentialCase) throws {
        let fields = test.fields.map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (name: String(parts[0]), value: trimmed(parts[1]))
        }
        let request = Request(method: "POST", path: "/", query: Form.decode(test.query), fields: fields)
        let check = CredentialCheck(provider: test.provider, request: request)
        do {
            let (holder, _) = try check.holder(Self.find)
            #expect(test.refusal == nil)
            #expect(holder.account.provider == test.provider)
        } catch {
            #expect(error.reason == test.refusal)
            #expect(error.status == (test.refusal == "leftover" || test.refusal == "key-in-query" ? 400 : 401))
            // The message may go into logs of the client.
            #expect(!error.message.contains("OPENAI") && !error.message.contains("KEY"))
        }
    }

    private static func find(_ secret: String) throws(TokenLedger.AccessRefusal) -> TokenLedger.Holder {
        let holder: (SandboxProvider, CredentialKind) -> TokenLedger.Holder = { provider, kind in
            TokenLedger.Holder(account: Account(id: "acct", provider: provider), kind: kind, expires: nil)
        }
        switch secret {
        case "KEY": return holder(.anthropic, .apiKey)
        case "SETUP": return holder(.anthropic, .setupToken)
        case "OAUTH": return holder(.anthropic, .oauth)
        case "OPENAI": return holder(.openai, .apiKey)
        case "CODEX": return holder(.openaiCodex, .oauth)
        case "GOOGLE": return holder(.google, .apiKey)
        case "EXPIRED": throw .expired
        case "REVOKED": throw .revoked
        default: throw .unknown
        }
    }
}
