internal import Digest
internal import JSON

/// Makes the strings that stand for credentials, each in its provider's form.
struct TokenMint: Sendable {
    /// Signs access tokens; made afresh for every sandbox, so that no token outlives it.
    private let signingKey = Random.bytes(32)

    /// A JWT (RFC 7519, HS256) with the claims that Codex and its imitators read.
    func jwt(account: Account, issuedAt: Int64, expires: Int64, audience: String = "https://api.openai.com/v1") -> String {
        let header: Value = ["alg": "HS256", "typ": "JWT", "kid": "sandbox"]
        let claims: Value = [
            "iss": "https://auth.openai.com",
            "aud": [.string(audience)],
            "sub": "user-\(account.id)",
            "iat": .integer(issuedAt / 1000),
            "exp": .integer(expires / 1000),
            "jti": .string(opaque(16)),
            "https://api.openai.com/auth": [
                "chatgpt_account_id": .string(account.id),
                "chatgpt_user_id": "user-\(account.id)",
                "chatgpt_plan_type": "pro",
            ],
            "https://api.openai.com/profile": ["email": .string(account.email), "email_verified": true],
        ]
        let signed = Base64URL.encode(Writer.compact(header)) + "." + Base64URL.encode(Writer.compact(claims))
        return signed + "." + Base64URL.encode(HMACSHA256.authenticate(Array(signed.utf8), key: signingKey))
    }

    func accessToken(for account: Account, issuedAt: Int64, expires: Int64) -> String {
        switch account.provider {
        case .anthropic: "sk-ant-oat01-" + opaque(64)
        case .openai, .openaiCodex, .google: jwt(account: account, issuedAt: issuedAt, expires: expires)
        }
    }

    func refreshToken(for provider: SandboxProvider) -> String {
        provider == .anthropic ? "sk-ant-ort01-" + opaque(64) : "rt_" + opaque(48)
    }

    func apiKey(for provider: SandboxProvider) -> String {
        switch provider {
        case .anthropic: "sk-ant-api03-" + opaque(64)
        case .openai, .openaiCodex: "sk-proj-" + opaque(48)
        case .google: "AIza" + opaque(26)
        }
    }

    /// A long-lived token in the form `claude setup-token` prints.
    func setupToken() -> String { "sk-ant-oat01-" + opaque(64) }

    /// Letters, digits, `-` and `_` from `count` random bytes.
    func opaque(_ count: Int) -> String { Base64URL.encode(Random.bytes(count)) }
}
