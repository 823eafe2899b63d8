internal import Configuration
internal import JSON

/// What an answer, or the lack of one, says about a credential. Pure.
struct ProbeVerdict: Equatable {
    /// The words of Moltbot's probes (spec/credential-formats.md §7.2).
    enum Status: String {
        /// The provider has served a request with it.
        case ok
        /// It refuses the credential.
        case auth
        /// It takes the credential, and no request for now.
        case rateLimit = "rate_limit"
        /// Somebody has to pay, or the plan does not hold this.
        case billing
        case timeout
        /// What came back is no answer of this API, or the request was not understood.
        case format
        case unknown
    }

    let status: Status
    /// Why it is not ok, in one line; never the provider's prose, which may quote a key.
    let reason: String?
    /// What the provider answered, when it is ok.
    let gist: String?

    init(_ status: Status, _ reason: String? = nil, gist: String? = nil) {
        self.status = status
        self.reason = reason
        self.gist = gist
    }

    /// The verdict on an answer that has come in whole.
    init(_ answer: ProbeAnswer, of provider: Provider) {
        let body = try? Reader.parse(answer.body)
        if let own = body?["keybearer"], let code = own["code"]?.string {
            self = Self.refusal(code, detail: body?["error"]?["message"]?.string)
            return
        }
        let code = Self.code(in: body)
        let text = (["HTTP \(answer.status)"] + [code].compactMap { $0 }).joined(separator: " ")
        switch answer.status {
        case 200..<300:
            guard let body, body.object != nil else {
                self.init(.format, "\(text) without the JSON of this API: something in between has answered")
                return
            }
            self.init(.ok, gist: ProbeRequest.gist(of: body))
        case 401: self.init(.auth, text)
        case 402: self.init(.billing, text)
        case 403: self.init(code.map(provider.failover.entitlementCodes.contains) == true ? .billing : .auth, text)
        case 400 where Self.keyReasons.contains(code ?? ""): self.init(.auth, text)
        // A 429 may say that nothing will be served until somebody pays.
        case 429: self.init(Self.billingCodes.contains(code ?? "") ? .billing : .rateLimit, text)
        // Anthropic's "overloaded": nothing is wrong with the credential.
        case 529: self.init(.rateLimit, text)
        case 408, 504, 522, 524: self.init(.timeout, text)
        case 400..<500: self.init(.format, text)
        default: self.init(.unknown, text)
        }
    }

    /// One of our own refusals (README.md, "Errors"): the sentence is ours.
    private static func refusal(_ code: String, detail: String?) -> ProbeVerdict {
        let reason = [code, detail].compactMap { $0 }.joined(separator: ": ")
        switch code {
        case "needs_login": return ProbeVerdict(.auth, reason)
        case "upstream_timeout": return ProbeVerdict(.timeout, reason)
        case "upstream_invalid_answer": return ProbeVerdict(.format, reason)
        default: return ProbeVerdict(.unknown, reason)
        }
    }

    /// Google answers 400 to a key that it does not know.
    private static let keyReasons: Set<String> = ["API_KEY_INVALID"]
    private static let billingCodes: Set<String> = ["insufficient_quota", "billing_hard_limit_reached", "billing_not_active"]

    /// The provider's own name for what is wrong. Only a name: words with spaces are prose.
    private static func code(in body: Value?) -> String? {
        guard let error = body?["error"] else { return nil }
        let reasons = error["details"]?.array?.compactMap { $0["reason"]?.string } ?? []
        let candidates = reasons + [error["code"]?.string, error["type"]?.string, error["status"]?.string].compactMap { $0 }
        return candidates.first { name in
            (1...64).contains(name.utf8.count)
                && name.utf8.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x5f
                }
        }
    }
}
