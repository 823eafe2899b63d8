internal import JSON

/// Errors as each provider words and shapes them.
enum ErrorShape {
    /// - Parameters:
    ///   - message: our sentence; nil takes the provider's usual one.
    ///   - retryAfter: seconds, where the provider would say when to come back.
    static func response(
        _ provider: SandboxProvider, status: Int, message: String? = nil, retryAfter: Int? = nil, requestID: String
    ) -> Response {
        let kind = kind(provider, status)
        let text = message ?? kind.message
        var fields = retryAfter.map { [("Retry-After", String($0))] } ?? []
        let body: Value
        switch provider {
        case .anthropic:
            body = [
                "type": "error", "error": ["type": .string(kind.type), "message": .string(text)], "request_id": .string(requestID),
            ]
            if status == 429 { fields.append(("anthropic-ratelimit-unified-status", "rejected")) }
        case .openai:
            body = ["error": ["message": .string(text), "type": .string(kind.type), "param": nil, "code": .string(kind.code)]]
        case .openaiCodex:
            body = ["error": .object(codexMembers(kind, text, status: status, retryAfter: retryAfter))]
        case .google:
            var error: Object = ["code": .integer(Int64(status)), "message": .string(text), "status": .string(kind.code)]
            if let retryAfter {
                error["details"] = [["@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "\(retryAfter)s"]]
                // Gemini says it in the body only.
                fields = []
            }
            body = ["error": .object(error)]
        }
        return .json(body, status: status, fields: fields)
    }

    private static func codexMembers(
        _ kind: (type: String, code: String, message: String), _ text: String, status: Int, retryAfter: Int?
    ) -> Object {
        var error: Object = ["type": .string(kind.type), "message": .string(text), "code": .string(kind.code)]
        if status == 429 {
            error["plan_type"] = "pro"
            error["resets_in_seconds"] = .integer(Int64(retryAfter ?? 3600))
        }
        return error
    }

    /// Type and code of a status, and the sentence that usually goes with it. For Gemini the code is its `status`.
    private static func kind(_ provider: SandboxProvider, _ status: Int) -> (type: String, code: String, message: String) {
        switch provider {
        case .anthropic:
            switch status {
            case 401: ("authentication_error", "", "invalid x-api-key")
            case 403: ("permission_error", "", "OAuth authentication is currently not allowed for this organization.")
            case 404: ("not_found_error", "", "Not found")
            case 429: ("rate_limit_error", "", "This request would exceed your account's rate limit. Please try again later.")
            case 529: ("overloaded_error", "", "Overloaded")
            case 500...: ("api_error", "", "Internal server error")
            default: ("invalid_request_error", "", "Invalid request")
            }
        case .openai, .openaiCodex:
            switch status {
            case 401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided.")
            case 403 where provider == .openaiCodex:
                ("usage_not_included", "usage_not_included", "To use Codex with your ChatGPT plan, upgrade to Plus.")
            case 403: ("invalid_request_error", "insufficient_permissions", "You have insufficient permissions for this operation.")
            case 404: ("invalid_request_error", "unknown_url", "Invalid URL")
            case 429 where provider == .openaiCodex: ("usage_limit_reached", "usage_limit_reached", "The usage limit has been reached")
            case 429: ("requests", "rate_limit_exceeded", "Rate limit reached for requests.")
            case 500...: ("server_error", "server_error", "The server had an error while processing your request.")
            default: ("invalid_request_error", "invalid_request", "Invalid request")
            }
        case .google:
            switch status {
            case 401: ("", "UNAUTHENTICATED", "API key not valid. Please pass a valid API key.")
            case 403: ("", "PERMISSION_DENIED", "The caller does not have permission.")
            case 404: ("", "NOT_FOUND", "Requested entity was not found.")
            case 429: ("", "RESOURCE_EXHAUSTED", "You exceeded your current quota.")
            case 503, 529: ("", "UNAVAILABLE", "The model is overloaded. Please try again later.")
            case 500...: ("", "INTERNAL", "An internal error has occurred.")
            default: ("", "INVALID_ARGUMENT", "Invalid request")
            }
        }
    }

    /// A refusal of a token endpoint: OpenAI's shape, or RFC 6749 §5.2's, which Anthropic uses.
    static func tokenRefusal(_ form: TokenForm, status: Int, code: String, message: String) -> Response {
        switch form {
        case .openai:
            .json(
                ["error": ["message": .string(message), "type": "invalid_request_error", "param": nil, "code": .string(code)]],
                status: status)
        case .standard: .json(["error": .string(code), "error_description": .string(message)], status: status)
        }
    }
}

/// Whose manners a token endpoint has.
enum TokenForm: Sendable {
    /// OpenAI: errors as an object with a code.
    case openai
    /// RFC 6749, as Anthropic follows it.
    case standard
}
