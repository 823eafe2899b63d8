/// Decides whether a request shows exactly one credential, in the form its provider takes. Pure.
struct CredentialCheck {
    /// A refusal, with the provider's own status and a sentence that tells what is wrong.
    struct Refusal: Error, Sendable, Equatable {
        let status: Int
        /// Short and stable, for the audit: `missing`, `duplicate`, `wrong-header`…
        let reason: String
        let message: String
    }

    /// Fields that a proxy must never let through to a provider, whatever they hold.
    private static let leftovers: Set<String> = [
        "proxy-authorization", "proxy-connection", "cookie", "openai-organization", "openai-project", "api-key",
    ]
    private static let credentialFields = ["authorization", "x-api-key", "x-goog-api-key"]

    let provider: SandboxProvider
    let request: Request

    /// The account that the request's credential stands for.
    ///
    /// - Parameter find: looks a secret up; throws what is wrong with it.
    func holder(
        _ find: (String) throws(TokenLedger.AccessRefusal) -> TokenLedger.Holder
    ) throws(Refusal) -> (holder: TokenLedger.Holder, secret: String) {
        try refuseLeftovers()
        let (field, secret) = try presented()
        let holder: TokenLedger.Holder
        do { holder = try find(secret) } catch { throw unauthorized(error) }
        guard holder.account.provider == provider else {
            throw Refusal(
                status: 401, reason: "other-provider",
                message: "This credential belongs to \(holder.account.provider.rawValue), not \(provider.rawValue).")
        }
        guard field == Self.field(for: provider, kind: holder.kind) else {
            throw Refusal(
                status: 401, reason: "wrong-header",
                message:
                    "A credential of type \(holder.kind.rawValue) must come in \(Self.field(for: provider, kind: holder.kind)), not in \(field)."
            )
        }
        try checkCompanions(of: holder)
        return (holder, secret)
    }

    /// The one field a credential may come in.
    static func field(for provider: SandboxProvider, kind: CredentialKind) -> String {
        switch (provider, kind) {
        case (.anthropic, .apiKey): "x-api-key"
        case (.google, _): "x-goog-api-key"
        default: "authorization"
        }
    }

    private func refuseLeftovers() throws(Refusal) {
        for (name, _) in request.fields where Self.leftovers.contains(name) || name.hasPrefix("keybearer-") {
            throw Refusal(status: 400, reason: "leftover", message: "The field \(name) must not reach a provider.")
        }
        if provider != .openaiCodex, request.count(of: "chatgpt-account-id") > 0 {
            throw Refusal(status: 400, reason: "leftover", message: "The field chatgpt-account-id must not reach \(provider.rawValue).")
        }
        if request.query.contains(where: { $0.name == "key" || $0.name == "api_key" }) {
            throw Refusal(status: 400, reason: "key-in-query", message: "A credential must not come in the query.")
        }
    }

    /// The only credential field and its secret.
    private func presented() throws(Refusal) -> (field: String, secret: String) {
        let present = Self.credentialFields.flatMap { field in request.values(of: field).map { (field, $0) } }
        guard let (field, value) = present.first else {
            throw Refusal(status: 401, reason: "missing", message: "No credential was sent.")
        }
        guard present.count == 1 else {
            throw Refusal(
                status: 401, reason: "duplicate",
                message: "More than one credential was sent: \(present.map(\.0).joined(separator: ", ")).")
        }
        guard field == "authorization" else { return (field, value) }
        let parts = value.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == "Bearer", !parts[1].isEmpty else {
            throw Refusal(status: 401, reason: "not-bearer", message: "Authorization must be exactly one Bearer token.")
        }
        return (field, String(parts[1]))
    }

    /// Fields that must go with the credential.
    private func checkCompanions(of holder: TokenLedger.Holder) throws(Refusal) {
        switch (provider, holder.kind) {
        case (.openaiCodex, _):
            guard request.values(of: "chatgpt-account-id") == [holder.account.id] else {
                throw Refusal(
                    status: 401, reason: "account-header",
                    message: "chatgpt-account-id must be sent once and name the token's account.")
            }
        case (.anthropic, .oauth), (.anthropic, .setupToken):
            let beta = request.list("anthropic-beta").filter { $0 == "oauth-2025-04-20" }
            guard beta.count == 1 else {
                let found = beta.isEmpty ? "missing" : "there \(beta.count) times"
                throw Refusal(
                    status: 401, reason: "oauth-beta",
                    message: "OAuth authentication needs oauth-2025-04-20 once in anthropic-beta; it is \(found).")
            }
        default: break
        }
    }

    private func unauthorized(_ refusal: TokenLedger.AccessRefusal) -> Refusal {
        switch refusal {
        case .unknown: Refusal(status: 401, reason: "unknown", message: "This credential is not known.")
        case .expired: Refusal(status: 401, reason: "expired", message: "The access token has expired.")
        case .revoked: Refusal(status: 401, reason: "revoked", message: "The login behind this token was revoked.")
        }
    }
}
