internal import JSON

/// Where logins begin: the browser's authorization endpoint and two device flows.
///
/// The browser's endpoint approves at once, as a user who is signed in; `login_hint` names the account, `prompt=deny` says no.
/// Devices wait until `POST /sandbox/approve`.
struct LoginEndpoints {
    let records: Records
    let baseURL: String

    /// RFC 6749 §4.1.1 with PKCE (RFC 7636); S256 only.
    func authorize(_ request: Request, _ entry: Audit.Entry) -> Reply {
        let query = Dictionary(request.query.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        guard query["response_type"] == "code", let clientID = query["client_id"], let redirectURI = query["redirect_uri"] else {
            return Reply(response: .text("response_type=code, client_id and redirect_uri are needed.\n", status: 400), entry: entry)
        }
        var back: [(String, String)] = query["state"].map { [("state", $0)] } ?? []
        if query["prompt"] == "deny" {
            back.append(("error", "access_denied"))
        } else if let challenge = query["code_challenge"], query["code_challenge_method"] == "S256" {
            let provider: SandboxProvider = clientID == SandboxProvider.anthropic.clientID ? .anthropic : .openaiCodex
            let code = records.with { state, now in
                let account = state.tokens.account(provider, named: query["login_hint"])
                return state.authorizations.grant(
                    AuthorizationLedger.CodeRequest(
                        account: account, clientID: clientID, redirectURI: redirectURI, challenge: challenge,
                        state: provider == .anthropic ? query["state"] : nil), now: now)
            }
            back.insert(("code", code), at: 0)
        } else {
            back.append(("error", "invalid_request"))
        }
        let pairs = back.map { "\($0.0)=\(Form.escape($0.1))" }.joined(separator: "&")
        return Reply(response: .redirect(to: redirectURI + (redirectURI.contains("?") ? "&" : "?") + pairs), entry: entry)
    }

    /// OpenAI's device flow, first step.
    func userCode(_ request: Request, _ entry: Audit.Entry) -> Reply {
        guard let clientID = request.parameters()["client_id"] else { return refused("client_id is missing.", entry) }
        let start = records.with { state, now in state.authorizations.startDevice(.openaiCodex, clientID: clientID, now: now) }
        return Reply(
            response: .json([
                "device_auth_id": .string(start.deviceCode), "user_code": .string(start.userCode), "interval": "\(start.interval)",
                "expires_in": .integer(Int64(start.expiresIn)),
            ]), entry: entry)
    }

    /// OpenAI's device flow, poll: 403 while pending, then a code whose verifier the server chose.
    func deviceToken(_ request: Request, _ entry: Audit.Entry) -> Reply {
        let parameters = request.parameters()
        guard let deviceCode = parameters["device_auth_id"], let userCode = parameters["user_code"] else {
            return refused("device_auth_id and user_code are needed.", entry)
        }
        let verifier = records.verifier()
        let challenge = AuthorizationLedger.challenge(of: verifier)
        let (answer, code) = records.with { state, now in
            let answer = state.authorizations.poll(deviceCode: deviceCode, userCode: userCode, now: now)
            guard case .approved(let account) = answer else { return (answer, String?.none) }
            let request = AuthorizationLedger.CodeRequest(
                account: account, clientID: SandboxProvider.openaiCodex.clientID,
                redirectURI: "https://auth.openai.com/deviceauth/callback",
                challenge: challenge, state: nil)
            return (answer, state.authorizations.grant(request, now: now))
        }
        if let code {
            return Reply(
                response: .json([
                    "authorization_code": .string(code), "code_verifier": .string(verifier), "code_challenge": .string(challenge),
                ]), entry: entry)
        }
        let isWaiting = answer == .pending || answer == .slowDown
        return Reply(
            response: ErrorShape.tokenRefusal(
                .openai, status: isWaiting ? 403 : 400, code: isWaiting ? "deviceauth_authorization_pending" : "deviceauth_failed",
                message: isWaiting ? "The user has not decided yet." : "The device authorization is \(answer)."), entry: entry)
    }

    /// RFC 8628 §3.1 and §3.2.
    func deviceAuthorization(_ request: Request, _ entry: Audit.Entry) -> Reply {
        guard let clientID = request.parameters()["client_id"] else { return refused("client_id is missing.", entry) }
        let provider: SandboxProvider = clientID == SandboxProvider.anthropic.clientID ? .anthropic : .openaiCodex
        let start = records.with { state, now in state.authorizations.startDevice(provider, clientID: clientID, now: now) }
        return Reply(
            response: .json([
                "device_code": .string(start.deviceCode), "user_code": .string(start.userCode), "verification_uri": "\(baseURL)/device",
                "verification_uri_complete": "\(baseURL)/device?user_code=\(start.userCode)",
                "expires_in": .integer(Int64(start.expiresIn)), "interval": .integer(Int64(start.interval)),
            ]), entry: entry)
    }

    /// Tells a person how to approve.
    func devicePage(_ entry: Audit.Entry) -> Reply {
        Reply(
            response: .text(
                """
                This sandbox has no sign-in page. Approve a device with
                  curl --cacert CA -d '{"user_code":"XXXX-XXXX"}' \(baseURL)/sandbox/approve
                and add "deny":true to refuse it.

                """), entry: entry)
    }

    private func refused(_ message: String, _ entry: Audit.Entry) -> Reply {
        Reply(response: ErrorShape.tokenRefusal(.standard, status: 400, code: "invalid_request", message: message), entry: entry)
    }
}
