import Credentials
import JSON

/// A device login that has begun: what the person is shown, and what is polled with.
public struct DeviceCode: Sendable {
    /// What the person types.
    public let userCode: String
    /// The page to open, on any device.
    public let pageURL: String
    /// The same with the code already in it; nil when the provider offers none.
    public let completeURL: String?
    /// Between polls, at first.
    public let interval: Duration
    /// When it ends, in ms since 1970.
    public let expires: Int64
    /// The device code itself, or OpenAI's `device_auth_id`.
    let deviceCode: Secret
    /// To the challenge that the login was started with.
    var verifier: Secret?

    /// What the standard says where the answer says nothing (RFC 8628 §3.2).
    static let assumedInterval = 5.0
    /// OpenAI's limit, and the longest that anybody is waited for.
    static let longestLife = Duration.seconds(15 * 60)

    /// Reads the answer to the start of a device login.
    init(_ answer: TokenAnswer, rules: DeviceRules, state: String? = nil, now: Int64) throws(LoginFailure) {
        guard (200...299).contains(answer.status) else { throw DeviceReply.failure(answer) }
        guard let members = (try? Reader.parse(answer.body.bytes))?.object else {
            throw LoginFailure(.invalidAnswer, status: answer.status, detail: "no JSON object")
        }
        if let state, members["state"]?.string != state { throw LoginFailure(.wrongState) }
        let names = Self.names(rules)
        guard let userCode = names.userCode.lazy.compactMap({ members[$0]?.string }).first, Self.isTypeable(userCode),
            let deviceCode = (members[names.deviceCode]?.string ?? (names.isByUserCode ? userCode : nil)).flatMap({ Secret($0) })
        else { throw LoginFailure(.invalidAnswer, status: answer.status, detail: "no device code") }
        self.deviceCode = deviceCode
        self.userCode = userCode
        if case .openai(_, _, let page, _) = rules {
            (pageURL, completeURL) = (page, nil)
        } else {
            // Google's older name for it is still about.
            let page = members["verification_uri"] ?? members["verification_url"]
            guard let page = page?.string, Self.isPage(page) else {
                throw LoginFailure(.invalidAnswer, status: answer.status, detail: "no verification_uri")
            }
            pageURL = page
            completeURL = members["verification_uri_complete"]?.string.flatMap { Self.isPage($0) ? $0 : nil }
        }
        let seconds = Self.seconds(members["interval"]) ?? Self.assumedInterval
        interval = .milliseconds(Int64(min(max(seconds, 0), 60) * 1000))
        var manners = DeviceManners()
        if case .standard(_, let given) = rules { manners = given }
        let told = Value.object(members).member(at: manners.expiry)
        // A life of nothing is one.
        let end = Self.seconds(told).map { $0 <= 0 } == true ? now : manners.expiryForm.end(told, now: now)
        expires = min(max(end ?? .max, now), now + Self.longestLife.milliseconds)
    }

    private static func names(_ rules: DeviceRules) -> (deviceCode: String, userCode: [String], isByUserCode: Bool) {
        switch rules {
        case .standard(_, let manners): ("device_code", ["user_code"], manners.pollKey == .userCode)
        case .openai: ("device_auth_id", ["user_code", "usercode"], false)
        }
    }

    /// It is shown on a terminal, and typed: nothing that moves a cursor.
    private static func isTypeable(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20...0x7e).contains($0) }
    }

    private static func isPage(_ text: String) -> Bool { EndpointURL(text) != nil && text.utf8.count <= 2048 }

    /// OpenAI writes the interval as a string.
    private static func seconds(_ value: Value?) -> Double? { value?.double ?? value?.string.flatMap { Double($0) } }
}

extension AuthorizationCode {
    /// The code in OpenAI's answer to the last poll, with the verifier that the provider chose.
    init?(openaiDevice answer: TokenAnswer, redirectURI: String) {
        let members = (try? Reader.parse(answer.body.bytes))?.object
        guard let code = members?["authorization_code"]?.string.flatMap({ Secret($0) }),
            let verifier = members?["code_verifier"]?.string.flatMap({ PKCE(verifier: $0)?.verifier })
        else { return nil }
        self.init(code: code, verifier: verifier, redirectURI: redirectURI)
    }
}

/// What one poll of a device login was told (RFC 8628 §3.5).
enum DeviceReply: Equatable {
    /// The person has not decided yet.
    case pending
    /// The same, and we ask too often.
    case slowDown
    /// The person said yes.
    case granted
    /// The end.
    case failed(LoginFailure)
    /// Nothing that says anything: asked again, less often.
    case unclear

    /// The answer of a token endpoint, or of OpenAI's own, to a poll.
    init(_ answer: TokenAnswer, rules: DeviceRules, answerRules: AnswerRules = AnswerRules()) {
        var manners = DeviceManners()
        if case .standard(_, let given) = rules { manners = given }
        if (200...299).contains(answer.status) {
            self = Self.reply(answer, manners, answerRules)
            return
        }
        if manners.pendingStatuses.contains(answer.status) {
            self = .pending
            return
        }
        let failure = Self.failure(answer)
        switch (failure.code, answer.status) {
        case ("authorization_pending", _): self = .pending
        case ("slow_down", _), (_, 429): self = .slowDown
        case ("access_denied", _): self = .failed(LoginFailure(.denied, code: failure.code))
        case ("expired_token", _): self = .failed(LoginFailure(.expired, code: failure.code))
        case (_, 500...599): self = .unclear
        case (_, 403), (_, 404):
            // OpenAI says no more than that until the person has decided.
            if case .openai = rules { self = .pending } else { self = .failed(failure) }
        default: self = .failed(failure)
        }
    }

    /// An answer with a status of success may say something else in its body.
    private static func reply(_ answer: TokenAnswer, _ manners: DeviceManners, _ rules: AnswerRules) -> DeviceReply {
        guard let word = (try? Reader.parse(answer.body.bytes))?.member(at: rules.status)?.string else { return .granted }
        if rules.granted.contains(word) { return .granted }
        if manners.pending.contains(word) { return .pending }
        return .failed(LoginFailure(.denied, code: ErrorCode.printable(word)))
    }

    /// What a refusal says by its status and code.
    static func failure(_ answer: TokenAnswer) -> LoginFailure {
        let error = (try? Reader.parse(answer.body.bytes))?["error"]
        let code = [error?.string, error?["code"]?.string, error?["type"]?.string].compactMap { $0 }.compactMap(ErrorCode.printable).first
        return LoginFailure(.status, status: answer.status, code: code)
    }
}

/// When to poll, and what the replies come to. A value; times are ms since 1970.
struct DevicePolling: Equatable {
    /// What to do after a reply.
    enum Step: Equatable {
        case wait
        case take
        case fail(LoginFailure)
    }

    private(set) var interval: Duration
    let expires: Int64

    init(_ code: DeviceCode) {
        interval = code.interval
        expires = code.expires
    }

    /// RFC 8628 §3.5: `slow_down` adds five seconds for good; after time-outs the client backs off exponentially.
    mutating func take(_ reply: DeviceReply, now: Int64) -> Step {
        switch reply {
        case .granted: return .take
        case .failed(let failure): return .fail(failure)
        case .pending: break
        case .slowDown: interval += .seconds(5)
        case .unclear: interval = min(max(interval * 2, .seconds(1)), .seconds(60))
        }
        return now + interval.milliseconds < expires ? .wait : .fail(LoginFailure(.expired))
    }
}
