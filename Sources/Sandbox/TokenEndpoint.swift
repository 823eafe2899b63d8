internal import JSON

/// The token endpoint: refresh with rotation, codes with PKCE, device codes. One for OpenAI's manners, one for RFC 6749's.
struct TokenEndpoint {
    let records: Records
    let form: TokenForm

    /// Why tokens are not given, in the words of the endpoint's form.
    private struct Refusal: Error {
        let status: Int
        let code: String
        let message: String
    }

    func reply(_ request: Request, _ entry: Audit.Entry) -> Reply {
        let parameters = request.parameters()
        let (fault, delay) = records.with { state, _ in
            state.audit.tokenPosts += 1
            return state.faults.take(path: request.path, account: nil)
        }
        var reply = Reply(response: Response(body: .bytes([])), entry: entry, fault: fault, delay: delay)
        reply.entry.provider = form == .openai ? SandboxProvider.openaiCodex.rawValue : SandboxProvider.anthropic.rawValue
        if let fault, let spoilt = spoilt(fault) {
            reply.response = spoilt
            reply.entry.fault = "\(fault)"
            reply.fault = nil
            return reply
        }
        // Not carried out: a request that was dropped on the way has spent nothing.
        if fault == .drop { return reply }
        do throws(Refusal) {
            let login = try granted(parameters, request, fault)
            reply.entry.account = login.accountID
            reply.response = .json(
                body(login, clientID: parameters["client_id"] ?? "", withRefresh: fault != .noRefreshToken),
                fields: [("Cache-Control", "no-store")])
        } catch {
            reply.entry.refusal = error.code
            reply.response = ErrorShape.tokenRefusal(form, status: error.status, code: error.code, message: error.message)
        }
        return reply
    }

    private func granted(_ parameters: [String: String], _ request: Request, _ fault: Fault.Kind?) throws(Refusal) -> SandboxLogin {
        guard request.value(of: "authorization") == nil, request.value(of: "cookie") == nil else {
            throw invalid("Public clients send no Authorization or Cookie field.")
        }
        guard let clientID = parameters["client_id"], !clientID.isEmpty else { throw invalid("client_id is missing.") }
        switch parameters["grant_type"] {
        case "refresh_token":
            guard let token = parameters["refresh_token"] else { throw invalid("refresh_token is missing.") }
            return try refresh(token, clientID, fault)
        case "authorization_code": return try exchange(parameters, clientID)
        case "urn:ietf:params:oauth:grant-type:device_code": return try device(parameters, clientID)
        default: throw Refusal(status: 400, code: "unsupported_grant_type", message: "This grant type is not supported.")
        }
    }

    private func refresh(_ token: String, _ clientID: String, _ fault: Fault.Kind?) throws(Refusal) -> SandboxLogin {
        let result = records.with { state, now in
            let keepsToken = fault == .noRefreshToken || fault == .otherAccount
            let result = Result { () throws(TokenLedger.RefreshRefusal) in
                try state.tokens.refresh(token, clientID: clientID, rotating: !keepsToken, now: now)
            }
            state.audit.familiesRevoked = state.tokens.familiesRevoked
            switch result {
            case .success: state.audit.refreshesGranted += 1
            case .failure(.reused): state.audit.reusesDetected += 1
            case .failure: break
            }
            guard fault == .otherAccount, let login = try? result.get() else { return result }
            let other = state.tokens.account(login.provider)
            return .success(state.tokens.login(other, clientID: clientID, now: now))
        }
        do { return try result.get() } catch { throw words(for: error) }
    }

    private func exchange(_ parameters: [String: String], _ clientID: String) throws(Refusal) -> SandboxLogin {
        let result = records.with { state, now in
            Result { () throws(AuthorizationLedger.CodeRefusal) in
                let account = try state.authorizations.exchange(
                    code: parameters["code"] ?? "", clientID: clientID, redirectURI: parameters["redirect_uri"],
                    verifier: parameters["code_verifier"] ?? "", state: parameters["state"], now: now)
                state.audit.loginsGranted += 1
                return state.tokens.login(account, clientID: clientID, now: now)
            }
        }
        do { return try result.get() } catch {
            throw Refusal(status: 400, code: "invalid_grant", message: "The authorization code is not accepted: \(error).")
        }
    }

    private func device(_ parameters: [String: String], _ clientID: String) throws(Refusal) -> SandboxLogin {
        let code = parameters["device_code"] ?? ""
        let (answer, login) = records.with { state, now in
            let answer = state.authorizations.poll(deviceCode: code, clientID: clientID, now: now)
            guard case .approved(let account) = answer else { return (answer, SandboxLogin?.none) }
            state.audit.loginsGranted += 1
            return (answer, state.tokens.login(account, clientID: clientID, now: now))
        }
        if let login { return login }
        // RFC 8628 §3.5.
        switch answer {
        case .pending: throw Refusal(status: 400, code: "authorization_pending", message: "The user has not decided yet.")
        case .slowDown: throw Refusal(status: 400, code: "slow_down", message: "Polled too early.")
        case .denied: throw Refusal(status: 400, code: "access_denied", message: "The user said no.")
        case .expired: throw Refusal(status: 400, code: "expired_token", message: "The device code has expired.")
        case .approved, .unknown: throw Refusal(status: 400, code: "invalid_grant", message: "The device code is not known.")
        }
    }

    private func invalid(_ message: String) -> Refusal { Refusal(status: 400, code: "invalid_request", message: message) }

    /// OpenAI answers 401 with codes of its own (openai/codex #6028 and others); RFC 6749 §5.2 has one code and 400.
    private func words(for refusal: TokenLedger.RefreshRefusal) -> Refusal {
        guard form == .openai else {
            return Refusal(status: 400, code: "invalid_grant", message: "Refresh token not found or invalid")
        }
        return switch refusal {
        case .reused:
            Refusal(
                status: 401, code: "refresh_token_reused",
                message: "Your refresh token has already been used to generate a new access token. Please try signing in again.")
        case .revoked:
            Refusal(
                status: 401, code: "refresh_token_invalidated", message: "Your session has ended. Please log in again.")
        case .unknown, .otherClient:
            Refusal(status: 401, code: "token_expired", message: "Could not validate your token. Please try signing in again.")
        }
    }

    private func body(_ login: SandboxLogin, clientID: String, withRefresh: Bool) -> Value {
        var members: Object = ["token_type": "Bearer", "access_token": .string(login.access)]
        members["expires_in"] = .integer(Int64(records.accessTokenLifetime))
        if withRefresh { members["refresh_token"] = .string(login.refresh) }
        switch form {
        case .openai:
            members["id_token"] = .string(records.idToken(for: login, clientID: clientID))
            members["scope"] = "openid profile email offline_access"
        case .standard:
            members["scope"] = "user:inference user:profile"
            members["organization"] = ["uuid": "org-sandbox", "name": "Sandbox"]
            members["account"] = ["uuid": .string(login.accountID), "email_address": .string(login.email)]
        }
        return .object(members)
    }

    /// The answer of an endpoint that does not do its work; nil where the fault plays in another place.
    private func spoilt(_ fault: Fault.Kind) -> Response? {
        switch fault {
        case .status(let status, _) where status == 400:
            ErrorShape.tokenRefusal(form, status: 400, code: "invalid_grant", message: "Refresh token not found or invalid")
        case .status(let status, let retryAfter):
            ErrorShape.response(form == .openai ? .openai : .anthropic, status: status, retryAfter: retryAfter, requestID: "req_fault")
        case .html: .captivePortal
        case .garbage: .garbage
        case .tenMegabytes: .tenMegabytes
        case .slow, .cut, .drop, .excessLength, .noRefreshToken, .otherAccount, .commitThenClose: nil
        }
    }
}
