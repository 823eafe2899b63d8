internal import Configuration
internal import Credentials
internal import HTTP
internal import JSON
internal import Routing
internal import Sockets

// MARK: - Answers of our own

extension Worker {
    /// Answers an exchange ourselves, in the shape that the provider's clients can read.
    mutating func refuse(_ id: Int32, _ refusal: Refusal) {
        let routed = exchanges[id].lineup != nil
        let shape = routed ? exchanges[id].setup.settings.providers[exchanges[id].provider].errorShape : .plain
        if refusal.status >= 500 { shared.log.refused(refusal, request: RequestID.text(exchanges[id].number)) }
        let body = RefusalBody(refusal: refusal, requestID: RequestID.text(exchanges[id].number)).text(shape)
        var fields = "Content-Type: application/json\r\nx-should-retry: \(refusal.code.mayRetry)\r\n"
        if let seconds = refusal.retryAfterSeconds { fields += "Retry-After: \(seconds)\r\n" }
        if refusal.status == 426 { fields += "Upgrade: HTTP/1.1\r\n" }
        if let profile = refusal.profile { fields += "Keybearer-Profile: \(PercentText.encode(profile))\r\n" }
        answer(id, status: refusal.status, fields: fields, body: body)
    }

    /// Writes a whole answer. A request that broke the rules, or whose body is unread, ends the connection.
    mutating func answer(_ id: Int32, status: Int, fields: String, body: String) {
        let client = exchanges[id].downstream
        dropUpstream(id)
        guard exchanges[id].stage < .responding else { return truncate(id) }
        exchanges[id].status = status
        exchanges[id].answeredAt = now
        exchanges[id].ownBytes = body.utf8.count
        exchanges[id].isWhole = true
        let isBroken = exchanges[id].stage == .head
        let keepAlive = !isBroken && mayKeepAlive(id)
        let isHead = exchanges[id].head.method == .head && !isBroken
        var text = "HTTP/1.1 \(status) \(StatusText.reason(status))\r\n\(fields)"
        text += crossOriginFields(id) + "Keybearer-Request-Id: \(RequestID.text(exchanges[id].number))\r\n"
        // RFC 9110 §8.6
        if status != 204 { text += "Content-Length: \(body.utf8.count)\r\n" }
        text += connectionField(id, keepAlive: keepAlive, names: status == 426 ? "Upgrade" : nil)
        downstreams[client].outbound.append(text: text + "\r\n")
        sendHead(to: client)
        if !isHead { downstreams[client].outbound.append(text: body) }
        endAnswer(id)
        let unread = isBroken || !exchanges[id].request.isComplete
        closeExchange(id)
        nextRequest(client, keepAlive: keepAlive, requestUnread: unread)
    }
}

extension Worker {
    /// The `Connection` field of an answer of ours; none where HTTP/1.1's default says it all.
    private func connectionField(_ id: Int32, keepAlive: Bool, names option: String?) -> String {
        var options = option.map { [$0] } ?? []
        if !keepAlive { options.append("close") } else if exchanges[id].head.version == .http10 { options.append("keep-alive") }
        return options.isEmpty ? "" : "Connection: \(options.joined(separator: ", "))\r\n"
    }
}

/// The JSON body of a refusal: the provider's own shape, and beside it what only we know.
struct RefusalBody {
    let refusal: Refusal
    let requestID: String

    func text(_ shape: ErrorShape) -> String {
        var body = Object()
        switch shape {
        case .anthropic:
            body["type"] = "error"
            body["error"] = ["type": .string(anthropicType), "message": .string(refusal.message)]
            body["request_id"] = .string(requestID)
        case .openai, .plain:
            body["error"] = [
                "message": .string(refusal.message), "type": .string(openAIType), "param": .null, "code": .string(refusal.code.rawValue),
            ]
        case .google:
            body["error"] = [
                "code": .number(NumberText(Int64(refusal.status))), "message": .string(refusal.message), "status": .string(googleStatus),
            ]
        }
        body["keybearer"] = .object(keybearer)
        return KnownSecrets.masked(String(decoding: Writer.compact(.object(body)), as: UTF8.self))
    }

    private var keybearer: Object {
        var own = Object()
        own["code"] = .string(refusal.code.rawValue)
        if let detail = refusal.detail { own["detail"] = .string(detail) }
        own["profile"] = refusal.profile.map { .string($0) } ?? .null
        own["candidates"] = .array(refusal.candidates.map { ["profile": .string($0.profile), "reason": .string($0.reason)] })
        own["requestId"] = .string(requestID)
        return own
    }

    private var anthropicType: String {
        switch refusal.status {
        case 403: "permission_error"
        case 404: "not_found_error"
        case 413: "request_too_large"
        case 429: "rate_limit_error"
        case 400..<500: "invalid_request_error"
        default: "api_error"
        }
    }
    private var openAIType: String {
        switch refusal.status {
        case 429: "rate_limit_error"
        case 400..<500: "invalid_request_error"
        default: "server_error"
        }
    }
    private var googleStatus: String {
        switch refusal.status {
        case 403: "PERMISSION_DENIED"
        case 404: "NOT_FOUND"
        case 408, 504: "DEADLINE_EXCEEDED"
        case 429: "RESOURCE_EXHAUSTED"
        case 400..<500: "INVALID_ARGUMENT"
        default: "UNAVAILABLE"
        }
    }
}

/// The reason phrases of the statuses that we answer ourselves (RFC 9110 §15).
enum StatusText {
    static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 204: "No Content"
        case 400: "Bad Request"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 408: "Request Timeout"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 426: "Upgrade Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: "Error"
        }
    }
}
