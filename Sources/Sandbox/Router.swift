/// Which door of which provider a request knocks at. Pure.
enum Door: Sendable, Equatable {
    /// A model API; the provider's credential is needed.
    case model(SandboxProvider, Operation)
    /// An OAuth token endpoint.
    case token(TokenForm)
    case authorize
    /// OpenAI's own device flow: start and poll.
    case deviceUserCode, deviceToken
    /// RFC 8628.
    case deviceAuthorization
    /// The page a person opens to approve a device.
    case devicePage
    /// `/sandbox/…`: the sandbox's own doors, by the rest of the path.
    case control(String)

    /// What a model API is asked to do.
    enum Operation: Sendable, Equatable {
        case messages, countTokens, chatCompletions, responses, embeddings, models, files, usage, accounts
        case generateContent(model: String, stream: Bool)
    }

    /// Nil when nothing is there.
    init?(_ request: Request) {
        switch (request.method, request.path) {
        case ("POST", "/oauth/token"): self = .token(.openai)
        case ("POST", "/v1/oauth/token"): self = .token(.standard)
        case ("GET", "/oauth/authorize"): self = .authorize
        case ("POST", "/api/accounts/deviceauth/usercode"): self = .deviceUserCode
        case ("POST", "/api/accounts/deviceauth/token"): self = .deviceToken
        case ("POST", "/oauth/device/code"): self = .deviceAuthorization
        case ("GET", "/codex/device"), ("GET", "/device"): self = .devicePage
        case ("POST", "/v1/messages"): self = .model(.anthropic, .messages)
        case ("POST", "/v1/messages/count_tokens"): self = .model(.anthropic, .countTokens)
        case ("POST", "/v1/chat/completions"): self = .model(.openai, .chatCompletions)
        case ("POST", "/v1/responses"): self = .model(.openai, .responses)
        case ("POST", "/v1/embeddings"): self = .model(.openai, .embeddings)
        case ("POST", "/backend-api/codex/responses"): self = .model(.openaiCodex, .responses)
        case ("GET", "/backend-api/codex/models"): self = .model(.openaiCodex, .models)
        case ("GET", "/backend-api/wham/usage"): self = .model(.openaiCodex, .usage)
        case ("GET", "/backend-api/wham/accounts/check"): self = .model(.openaiCodex, .accounts)
        case ("POST", "/v1/files"): self = .model(Self.sharedPathProvider(request), .files)
        case ("GET", "/v1/models"), ("HEAD", "/v1/models"): self = .model(Self.sharedPathProvider(request), .models)
        case ("GET", "/v1beta/models"): self = .model(.google, .models)
        case ("GET", "/"): self = .control("")
        case (_, let path) where path == "/sandbox" || path.hasPrefix("/sandbox/"):
            self = .control(String(path.dropFirst("/sandbox/".count)))
        case ("POST", let path):
            guard let operation = Self.gemini(path) else { return nil }
            self = .model(.google, operation)
        default: return nil
        }
    }

    /// Three providers share some paths; clients of two of them can be told by a field.
    private static func sharedPathProvider(_ request: Request) -> SandboxProvider {
        if request.count(of: "anthropic-version") > 0 { return .anthropic }
        return request.count(of: "x-goog-api-key") > 0 ? .google : .openai
    }

    /// `/v1beta/models/M:generateContent` or `/v1/models/M:streamGenerateContent`.
    private static func gemini(_ path: String) -> Operation? {
        guard let prefix = ["/v1beta/models/", "/v1/models/"].first(where: path.hasPrefix) else { return nil }
        let parts = path.dropFirst(prefix.count).split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else { return nil }
        switch parts[1] {
        case "generateContent": return .generateContent(model: String(parts[0]), stream: false)
        case "streamGenerateContent": return .generateContent(model: String(parts[0]), stream: true)
        default: return nil
        }
    }
}

/// What is sent back, and how.
struct Reply: Sendable {
    var response: Response
    /// Goes into the audit once the answer is out.
    var entry: Audit.Entry
    /// To be played while the answer is written.
    var fault: Fault.Kind?
    /// A pause before the answer.
    var delay = Duration.zero
    /// False for the sandbox's own doors: who asks for the audit does not want to see that he asked.
    var isAudited = true
}

/// Answers requests. Called by connection threads, many at once.
struct Router: Sendable {
    let records: Records
    let baseURL: String
    let caFile: String
    /// Between the deltas of a stream, where the request asks for nothing else.
    let eventInterval: Duration
    /// In place of all providers that the sandbox knows by itself.
    var shaped: ShapedProvider?

    func reply(to request: Request) -> Reply {
        let entry = Audit.Entry(request)
        if let shaped { return Reply(response: shaped.response(to: request, at: baseURL), entry: entry, isAudited: false) }
        var reply: Reply
        switch Door(request) {
        case .model(let provider, let operation):
            reply = ModelEndpoints(records: records, eventInterval: eventInterval).reply(provider, operation, request, entry)
        case .token(let form): reply = TokenEndpoint(records: records, form: form).reply(request, entry)
        case .authorize: reply = LoginEndpoints(records: records, baseURL: baseURL).authorize(request, entry)
        case .deviceUserCode: reply = LoginEndpoints(records: records, baseURL: baseURL).userCode(request, entry)
        case .deviceToken: reply = LoginEndpoints(records: records, baseURL: baseURL).deviceToken(request, entry)
        case .deviceAuthorization: reply = LoginEndpoints(records: records, baseURL: baseURL).deviceAuthorization(request, entry)
        case .devicePage: reply = LoginEndpoints(records: records, baseURL: baseURL).devicePage(entry)
        case .control(let rest):
            let doors = ControlDoors(records: records, baseURL: baseURL, caFile: caFile)
            return Reply(response: doors.response(rest, request), entry: entry, isAudited: false)
        case nil:
            reply = Reply(
                response: ErrorShape.response(.openai, status: 404, message: "Nothing is at \(request.path).", requestID: "req_none"),
                entry: entry)
        }
        // So that byte-exactness can be checked from outside, whatever was answered.
        if request.body.count > 0 { reply.response.fields.append(("Sandbox-Body-SHA256", request.body.sha256)) }
        reply.entry.status = reply.response.status
        reply.entry.fault = reply.fault.map { "\($0)" } ?? reply.entry.fault
        return reply
    }
}
