internal import Digest
internal import JSON
internal import Sockets

/// The model APIs: one credential is checked, then the answer says which account it belongs to.
struct ModelEndpoints {
    let records: Records
    let eventInterval: Duration

    func reply(_ provider: SandboxProvider, _ operation: Door.Operation, _ request: Request, _ entry: Audit.Entry) -> Reply {
        let requestID = "req_" + Hexadecimal.encode(Random.bytes(12))
        var entry = entry
        entry.provider = provider.rawValue
        records.with { state, _ in state.audit.modelRequests += 1 }
        let holder: TokenLedger.Holder
        do throws(CredentialCheck.Refusal) {
            let found = try CredentialCheck(provider: provider, request: request).holder(records.holder)
            holder = found.holder
            entry.credit(holder, secret: found.secret)
        } catch {
            entry.refusal = error.reason
            return Reply(
                response: ErrorShape.response(provider, status: error.status, message: error.message, requestID: requestID), entry: entry)
        }
        let (fault, delay) = records.with { state, _ in state.faults.take(path: request.path, account: holder.account.id) }
        var reply = Reply(
            response: response(operation, holder.account, request, &entry, requestID), entry: entry, fault: fault, delay: delay)
        reply.response.fields += limits(provider, requestID: requestID)
        if let fault, let spoilt = spoilt(fault, provider, requestID) {
            reply.response = spoilt
            reply.entry.fault = "\(fault)"
            reply.fault = nil
        }
        return reply
    }

    /// The answer if all goes well, or a 400 for a body that the provider would not read.
    private func response(
        _ operation: Door.Operation, _ account: Account, _ request: Request, _ entry: inout Audit.Entry, _ requestID: String
    ) -> Response {
        let steering = Steering(request)
        if let bytes = steering.bytes {
            var response = Response(fields: [("Content-Type", "application/octet-stream")], body: .pattern(bytes))
            response.framing = steering.framing
            return response
        }
        switch operation {
        case .models: return .json(models(account.provider))
        case .usage: return .json(Self.codexUsage(account))
        case .accounts: return .json(Self.codexAccounts(account))
        case .countTokens: return .json(["input_tokens": 12])
        case .files:
            return .json([
                "id": "file_\(requestID)", "type": "file", "object": "file", "bytes": .integer(request.body.count),
                "size_bytes": .integer(request.body.count), "created_at": .integer(Clock.wall() / 1000), "filename": "upload.bin",
                "mime_type": "application/octet-stream", "purpose": "user_data", "status": "processed",
            ])
        case .embeddings:
            guard let model = ModelRequest(request) else { return unreadable(account.provider, requestID) }
            return .json(ChatCompletions.embedding(model: model.model))
        case .messages, .chatCompletions, .responses, .generateContent:
            return modelAnswer(operation, account, request, steering, &entry, requestID)
        }
    }

    private func modelAnswer(
        _ operation: Door.Operation, _ account: Account, _ request: Request, _ steering: Steering, _ entry: inout Audit.Entry,
        _ requestID: String
    ) -> Response {
        var path: (model: String, stream: Bool)?
        if case .generateContent(let model, let stream) = operation { path = (model, stream) }
        guard let model = ModelRequest(request, model: path?.model) else { return unreadable(account.provider, requestID) }
        let id = String(requestID.dropFirst(4))
        let created = Clock.wall() / 1000
        let pieces = Pieces(account: account.id, steering: steering)
        let answer =
            switch operation {
            case .messages: AnthropicMessages.answer(to: model, id: id, pieces: pieces)
            case .chatCompletions: ChatCompletions.answer(to: model, id: id, created: created, pieces: pieces)
            case .generateContent: GenerateContent.answer(to: model, id: id, pieces: pieces)
            default: Responses.answer(to: model, id: id, created: created, pieces: pieces)
            }
        // The ChatGPT backend streams and does nothing else.
        let stream = path?.stream ?? (model.stream || account.provider == .openaiCodex)
        entry.stream = stream
        if stream { return .events(answer.script, interval: steering.interval ?? eventInterval) }
        var response = Response.json(answer.plain(pieces.whole(now: 0)))
        response.framing = steering.framing
        return response
    }

    private func models(_ provider: SandboxProvider) -> Value {
        switch provider {
        case .anthropic: AnthropicMessages.models
        case .google: GenerateContent.models
        case .openai, .openaiCodex: ChatCompletions.models
        }
    }

    private func unreadable(_ provider: SandboxProvider, _ requestID: String) -> Response {
        ErrorShape.response(provider, status: 400, message: "The body is not a JSON object.", requestID: requestID)
    }

    /// The answer that a fault puts in place of the right one; nil where the fault plays while the right one is written.
    private func spoilt(_ fault: Fault.Kind, _ provider: SandboxProvider, _ requestID: String) -> Response? {
        switch fault {
        case .status(let status, let retryAfter):
            ErrorShape.response(provider, status: status, retryAfter: retryAfter, requestID: requestID)
        case .html: .captivePortal
        case .garbage: .garbage
        case .tenMegabytes: .tenMegabytes
        case .slow, .cut, .drop, .excessLength, .noRefreshToken, .otherAccount, .commitThenClose: nil
        }
    }

    /// A few of the fields by which each provider tells how much is left.
    private func limits(_ provider: SandboxProvider, requestID: String) -> [(name: String, value: String)] {
        switch provider {
        case .anthropic:
            [
                ("request-id", requestID), ("anthropic-organization-id", "org-sandbox"),
                ("anthropic-ratelimit-unified-status", "allowed"), ("anthropic-ratelimit-unified-5h-utilization", "0.25"),
            ]
        case .openai:
            [
                ("x-request-id", requestID), ("x-ratelimit-limit-requests", "10000"), ("x-ratelimit-remaining-requests", "9999"),
                ("x-ratelimit-reset-requests", "6ms"),
            ]
        case .openaiCodex:
            [
                ("x-request-id", requestID), ("x-codex-primary-used-percent", "12"), ("x-codex-primary-window-minutes", "300"),
                ("x-codex-secondary-used-percent", "34"),
            ]
        case .google: [("X-Gemini-Service-Tier", "standard")]
        }
    }

    /// What Codex asks for before its first turn (spec/clients.md): the account's own id, and no rule about where it is served.
    private static func codexAccounts(_ account: Account) -> Value {
        [
            "accounts": [
                [
                    "id": .string(account.id), "workspace_backend_origin": "NO_CONSTRAINT",
                    "account_routing_override": "NO_CONSTRAINT",
                ]
            ]
        ]
    }

    private static func codexUsage(_ account: Account) -> Value {
        let window: (Int64, Int64) -> Value = { seconds, percent in
            [
                "limit_window_seconds": .integer(seconds), "used_percent": .integer(percent),
                "reset_at": .integer(Clock.wall() / 1000 + seconds),
            ]
        }
        return [
            "plan_type": "pro", "email": .string(account.email),
            "rate_limit": [
                "allowed": true, "limit_reached": false, "primary_window": window(18_000, 12), "secondary_window": window(604_800, 34),
            ],
        ]
    }
}

extension Response {
    /// What a hotel's network answers instead of the provider.
    static let captivePortal = Response.text("<!doctype html><title>Sign in to Wi-Fi</title>", type: "text/html")
    static let garbage = Response(
        fields: [("Content-Type", "application/json")], body: .bytes([0x7b, 0x22, 0xff, 0xfe, 0x00, 0x80, 0x22, 0x3a]))
    static var tenMegabytes: Response {
        Response(fields: [("Content-Type", "application/json")], body: .bytes([UInt8](repeating: 0x20, count: 10_000_000)))
    }
}
