internal import Digest
internal import JSON
internal import Sockets
internal import Synchronization

/// Plays a provider of any shape (``ProviderShape``): its logins and refreshes by its own rules, and a model API that answers whoever shows a
/// token of this sandbox. What breaks a rule is refused with the rule's name as the error's code.
final class ShapedProvider: Sendable {
    private struct State {
        /// Codes and device codes by what they were asked for with.
        var codes: [String: (challenge: String?, state: String?, redirect: String?)] = [:]
        var polled: Set<String> = []
        var refreshes: Set<String> = []
        var accesses: Set<String> = []
        var arrivals: [ShapedArrival] = []
    }
    private let shape: ProviderShape
    private let mint = TokenMint()
    private let state = Mutex(State())

    init(_ shape: ProviderShape) { self.shape = shape }

    var arrivals: [ShapedArrival] { state.withLock { $0.arrivals } }

    /// Takes a credential for a good one: a key or token that nobody has to log in for.
    func accept(_ credential: String) { state.withLock { _ = $0.accesses.insert(credential) } }

    func response(to request: Request, at base: String) -> Response {
        switch request.path {
        case shape.issuer.map { $0 + "/.well-known/openid-configuration" }: return discovery(base)
        case shape.authorize where request.method == "GET": return authorize(request)
        case shape.deviceStart where request.method == "POST": return startDevice(request, base)
        case shape.token where request.method == "POST": return token(request, base)
        case shape.userinfo where request.method == "GET": return userinfo(request)
        case shape.mint where request.method == shape.mintMethod: return minted(request)
        default: return model(request)
        }
    }

    // MARK: Logins

    private func discovery(_ base: String) -> Response {
        let places = [
            ("authorization_endpoint", shape.authorize), ("token_endpoint", shape.token),
            ("device_authorization_endpoint", shape.deviceStart),
        ]
        let members: [(String, Value)] = places.compactMap { name, path in path.map { (name, .string(base + $0)) } }
        return .json(.object(Object([("issuer", .string(base + (shape.issuer ?? "")))] + members)))
    }

    private func authorize(_ request: Request) -> Response {
        let given = Dictionary(request.query.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        guard given["response_type"] == "code", given["client_id"] == shape.clientID else { return refusal("unauthorized_client") }
        guard let redirect = given["redirect_uri"], let state = given["state"] else { return refusal("invalid_request") }
        guard given["code_challenge_method"] == "S256", let challenge = given["code_challenge"] else { return refusal("no_challenge") }
        let code = "code-" + mint.opaque(16)
        self.state.withLock { $0.codes[code] = (challenge, shape.wantsState ? state : nil, redirect) }
        return .redirect(to: "\(redirect)?code=\(code)&state=\(Form.escape(state))")
    }

    /// Where a browser ends that opens `url` and whose person says yes; nil: nowhere.
    func signIn(at url: String) -> String? {
        let query = url.split(separator: "?", maxSplits: 1).dropFirst().first.map { Form.decode($0) } ?? []
        let response = authorize(Request(method: "GET", path: shape.authorize ?? "", query: query, fields: []))
        return response.fields.first { $0.name == "Location" }?.value
    }

    private func startDevice(_ request: Request, _ base: String) -> Response {
        let given = request.parameters()
        guard given["client_id"] == shape.clientID else { return refusal("unauthorized_client") }
        if let absent = shape.startParameters.first(where: { given[$0.key] != $0.value }) { return refusal("no_\(absent.key)") }
        if shape.devicePKCE, given["code_challenge"] == nil { return refusal("no_challenge") }
        if shape.deviceState, given["state"] == nil { return refusal("no_state") }
        let (device, user) = ("device-" + mint.opaque(16), "CODE-" + mint.opaque(3).uppercased())
        state.withLock { $0.codes[shape.deviceKey == "user_code" ? user : device] = (given["code_challenge"], nil, nil) }
        var answer: Value = ["user_code": .string(user), "verification_uri": .string(base + "/device"), "interval": 0]
        if shape.deviceKey == "device_code" { answer.set("device_code", to: .string(device)) }
        answer.set(shape.deviceExpiry, to: end(shape.deviceEnd))
        if shape.deviceState, let state = given["state"] { answer.set("state", to: .string(state)) }
        return .json(answer)
    }

    /// Exchanges, polls, refreshes and clients that ask for themselves.
    private func token(_ request: Request, _ base: String) -> Response {
        let type = request.value(of: "content-type") ?? ""
        guard type.hasPrefix("application/json") == shape.takesJSON else { return refusal("wrong_body_form") }
        let given = request.parameters()
        guard proves(request, given) else { return refusal("invalid_client", status: 401) }
        if let absent = shape.parameters.first(where: { given[$0.key] != $0.value }) { return refusal("no_\(absent.key)") }
        switch given["grant_type"] {
        case "authorization_code"?: return exchange(given, code: given["code"], base)
        case shape.deviceGrant?: return poll(given, base)
        case "refresh_token"?:
            // Each is good once.
            let isKnown = state.withLock { $0.refreshes.remove(given["refresh_token"] ?? "") != nil }
            return isKnown ? issue(base, withRefresh: true) : refusal("invalid_grant")
        case "client_credentials"?: return issue(base, withRefresh: false)
        default: return refusal("unsupported_grant_type")
        }
    }

    private func proves(_ request: Request, _ given: [String: String]) -> Bool {
        guard let secret = shape.clientSecret, shape.isBasic else {
            return given["client_id"] == shape.clientID && given["client_secret"] == shape.clientSecret
        }
        let pair = Array("\(Form.escape(shape.clientID)):\(Form.escape(secret))".utf8)
        let shown = (request.value(of: "authorization") ?? "").replacing("Basic ", with: "")
        // The alphabet of URLs has two letters of its own, and no padding.
        let text = String(shown.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }.filter { $0 != "=" })
        return Base64URL.decode(text) == pair && given["client_secret"] == nil
    }

    private func exchange(_ given: [String: String], code: String?, _ base: String) -> Response {
        let attempt = state.withLock { $0.codes.removeValue(forKey: code ?? "") }
        guard let attempt else { return refusal("invalid_grant") }
        guard attempt.redirect == given["redirect_uri"] else { return refusal("wrong_redirect_uri") }
        guard attempt.state == nil || attempt.state == given["state"] else { return refusal("wrong_state") }
        return verified(attempt.challenge, given) ? issue(base, withRefresh: true) : refusal("wrong_verifier")
    }

    private func verified(_ challenge: String?, _ given: [String: String]) -> Bool {
        guard let challenge else { return true }
        return given["code_verifier"].map { Base64URL.encode(SHA256.hash($0)) } == challenge
    }

    /// Nobody has decided at the first poll; at the second the person has said yes.
    private func poll(_ given: [String: String], _ base: String) -> Response {
        let key = given[shape.deviceKey] ?? ""
        let (attempt, isFirst) = state.withLock { ($0.codes[key], $0.polled.insert(key).inserted) }
        guard let attempt, verified(attempt.challenge, given) else { return refusal("invalid_grant") }
        guard isFirst else { return issue(base, withRefresh: true) }
        if let word = shape.pending, !shape.status.isEmpty {
            var answer: Value = [:]
            answer.set(shape.status, to: .string(word))
            return .json(answer)
        }
        if let status = shape.pendingStatus { return .json([:], status: status) }
        return refusal("authorization_pending")
    }

    private func issue(_ base: String, withRefresh: Bool) -> Response {
        var claims: Value = ["jti": .string(mint.opaque(12))]
        claims.set(shape.accountClaim, to: .string(ProviderShape.accountID))
        claims.set(shape.emailClaim, to: .string(ProviderShape.person))
        let access = "e30.\(Base64URL.encode(Writer.compact(claims))).c2ln"
        let refresh = "refresh-" + mint.opaque(24)
        state.withLock { state in
            state.accesses.insert(access)
            if withRefresh { state.refreshes.insert(refresh) }
        }
        var answer: Value = ["token_type": "Bearer"]
        answer.set(shape.access, to: .string(access))
        if withRefresh { answer.set(shape.refresh, to: .string(refresh)) }
        answer.set(shape.expiry, to: end(shape.end))
        if shape.userinfo == nil { name(in: &answer) }
        answer.set(shape.address, to: .string(base + "/moved"))
        answer.set(shape.status, to: .string(shape.granted))
        return .json(answer)
    }

    private func name(in answer: inout Value) {
        answer.set(shape.account, to: .string(ProviderShape.accountID))
        answer.set(shape.email, to: .string(ProviderShape.person))
    }

    private func userinfo(_ request: Request) -> Response {
        guard isLive(request.value(of: "authorization"), after: "Bearer ") else { return refusal("invalid_token", status: 401) }
        var answer: Value = [:]
        name(in: &answer)
        return .json(answer)
    }

    private func end(_ form: ProviderShape.End) -> Value {
        let now = Clock.wall()
        return switch form {
        case .life: 3600
        case .seconds: .integer(now / 1000 + 3600)
        case .milliseconds: .integer(now + 3_600_000)
        case .instant: "2099-01-01T00:00:00Z"
        }
    }

    // MARK: Requests

    private func minted(_ request: Request) -> Response {
        guard isLive(request.value(of: shape.mintHeader), after: shape.mintPrefix) else { return refusal("invalid_token", status: 401) }
        let token = "minted-" + mint.opaque(24)
        accept(token)
        var answer: Value = [:]
        answer.set(shape.minted, to: .string(token))
        answer.set(shape.mintedEnd, to: end(.seconds))
        return .json(answer, status: 200)
    }

    private func isLive(_ value: String?, after prefix: String) -> Bool {
        guard let value, value.hasPrefix(prefix) else { return false }
        return state.withLock { $0.accesses.contains(String(value.dropFirst(prefix.count))) }
    }

    private func model(_ request: Request) -> Response {
        let target =
            request.path + (request.query.isEmpty ? "" : "?" + request.query.map { "\($0.name)=\($0.value)" }.joined(separator: "&"))
        let isGood = state.withLock { state in
            state.arrivals.append(ShapedArrival(target: target, fields: request.fields))
            return shape.takesAnyone || request.fields.contains { field in state.accesses.contains { field.value.hasSuffix($0) } }
        }
        return isGood ? .json(["ok": true]) : .json(["error": ["code": "invalid_credential"]], status: 401)
    }

    private func refusal(_ code: String, status: Int = 400) -> Response { .json(["error": .string(code)], status: status) }
}

extension Value {
    /// Sets the member that a path of names leads to, making objects on the way; nothing for an empty path.
    fileprivate mutating func set(_ path: [String], to value: Value) {
        guard let name = path.first else { return }
        var members = object ?? [:]
        var inner = members[name] ?? [:]
        if path.count == 1 { inner = value } else { inner.set(Array(path.dropFirst()), to: value) }
        members[name] = inner
        self = .object(members)
    }

    fileprivate mutating func set(_ name: String, to value: Value) { set([name], to: value) }
}
