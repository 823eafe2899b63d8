internal import JSON

/// The sandbox's own doors, for scripts that drive a `keybearer sandbox` in another process. No credential is needed: the
/// sandbox listens on loopback only and holds nothing of worth.
struct ControlDoors {
    let records: Records
    let baseURL: String
    let caFile: String

    private static let help = """
        GET    /sandbox/audit     what arrived, as JSON
        DELETE /sandbox/audit     forget it
        POST   /sandbox/faults    {"path":"/v1/messages","times":1,"account":?,"kind":"status","status":429,"retryAfter":7}
                                  kinds: status, slow (duration), cut (afterBytes), excessLength (bytes), drop, html, tenMegabytes,
                                  garbage, noRefreshToken, otherAccount, commitThenClose
        DELETE /sandbox/faults    forget those not yet played
        POST   /sandbox/accounts  {"provider":"openai-codex","kind":"oauth|token|api_key","expired":false,"account":?}
        POST   /sandbox/approve   {"user_code":"XXXX-XXXX","deny":false,"account":?}
        POST   /sandbox/revoke    {"refresh":"…"}: ends a login from the provider's side
        POST   /sandbox/state     {}: keybearer.json5 and auth-profiles.json for a proxy, as strings

        """

    /// - Parameter rest: what follows `/sandbox/`.
    func response(_ rest: String, _ request: Request) -> Response {
        // A web page could reach loopback; it cannot leave this field out.
        guard request.count(of: "origin") == 0 else { return .text("Not for web pages.\n", status: 403) }
        let body = request.body.count == 0 ? [:] : request.json()
        guard let body else { return .text("The body is not JSON.\n", status: 400) }
        switch (request.method, rest) {
        case ("GET", ""): return .text("\(baseURL)  (CA: \(caFile))\n\n\(Self.help)")
        case ("GET", "audit"): return .json(records.with { state, _ in state.audit }.json)
        case ("DELETE", "audit"):
            records.with { state, _ in state.audit = Audit() }
            return .json([:])
        case ("POST", "faults"): return addFault(body)
        case ("DELETE", "faults"):
            records.with { state, _ in state.faults.clear() }
            return .json([:])
        case ("POST", "accounts"): return addAccount(body)
        case ("POST", "approve"): return approve(body)
        case ("POST", "revoke"):
            let isKnown = records.with { state, _ in state.tokens.revoke(refresh: body["refresh"]?.string ?? "") }
            return isKnown ? .json([:]) : .text("No such refresh token.\n", status: 404)
        case ("POST", "state"):
            let state = SandboxState(records: records, baseURL: baseURL, caFile: caFile)
            return .json(["keybearer.json5": .string(state.configuration), "auth-profiles.json": .string(state.profiles)])
        default: return .text("Nothing is here. Doors:\n\n\(Self.help)", status: 404)
        }
    }

    private func addFault(_ body: Value) -> Response {
        guard let fault = Fault(body) else { return .text("Not a fault. Doors:\n\n\(Self.help)", status: 400) }
        records.with { state, _ in state.faults.add(fault) }
        return .json([:])
    }

    private func addAccount(_ body: Value) -> Response {
        guard let provider = body["provider"]?.string.flatMap(SandboxProvider.init),
            let kind = CredentialKind(rawValue: body["kind"]?.string ?? "oauth")
        else { return .text("provider and kind are needed. Doors:\n\n\(Self.help)", status: 400) }
        let name = body["account"]?.string
        switch kind {
        case .oauth:
            let login = records.login(provider, expired: body["expired"]?.bool ?? false, named: name)
            return .json([
                "provider": .string(provider.rawValue), "account": .string(login.accountID), "email": .string(login.email),
                "access": .string(login.access), "refresh": .string(login.refresh), "expires": .integer(login.expires),
            ])
        case .apiKey, .setupToken:
            let (account, secret) = records.with { state, _ in
                let account = state.tokens.account(provider, named: name)
                return (account, kind == .apiKey ? state.tokens.apiKey(account) : state.tokens.setupToken(account))
            }
            return .json([
                "provider": .string(provider.rawValue), "account": .string(account.id),
                kind == .apiKey ? "key" : "token": .string(secret),
            ])
        }
    }

    private func approve(_ body: Value) -> Response {
        let isDenied = body["deny"]?.bool ?? false
        let name = body["account"]?.string
        let found = records.decideDevice(userCode: body["user_code"]?.string ?? "", approve: !isDenied, named: name)
        return found ? .json([:]) : .text("No device waits under this code.\n", status: 404)
    }
}
