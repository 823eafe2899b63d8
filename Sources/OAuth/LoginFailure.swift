/// Why a login, or one step of it, did not work. Never the text of an answer: only its status and its error code.
public struct LoginFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// What failed; the raw value is stable.
    public enum Reason: String, Sendable {
        /// The answer belongs to another attempt, or to nobody's.
        case wrongState = "wrong_state"
        /// This attempt has been answered already.
        case answeredAlready = "answered_already"
        /// The answer says that it is from another authorization server (RFC 9207).
        case wrongIssuer = "wrong_issuer"
        /// The answer holds neither a code nor an error.
        case noCode = "no_code"
        /// The person, or the provider on the person's behalf, said no.
        case denied
        /// The device code was not confirmed in time.
        case expired
        /// The provider refused the code: used, too old, or another login's.
        case refused
        /// The provider answered otherwise than with a token.
        case status
        /// A 2xx answer that is not what was asked for.
        case invalidAnswer = "invalid_answer"
        /// The answer lacks something that this provider's requests need.
        case incomplete
        /// Nothing was sent: name look-up, connection or TLS failed.
        case unreachable
        /// The code may have arrived, and no whole answer came.
        case inDoubt = "in_doubt"
        /// The store or its journal cannot be written, so the code was not spent; or it was, and the answer waits in the journal.
        case notDurable = "not_durable"
        /// Another process is finishing a login of this provider.
        case busy
        /// The issuer's endpoints could not be had, or are not to be trusted.
        case discovery
        /// The provider's settings cannot be used for this login.
        case settings
    }

    /// What failed.
    public let reason: Reason
    /// The HTTP status, if there was an answer.
    public let status: Int?
    /// The provider's error code, or libcurl's name for a transport error.
    public let code: String?
    /// More for people, made by us.
    public let detail: String?

    /// A failure from its parts.
    public init(_ reason: Reason, status: Int? = nil, code: String? = nil, detail: String? = nil) {
        self.reason = reason
        self.status = status
        self.code = code
        self.detail = detail
    }

    /// One sentence for people, without its full stop.
    public var description: String {
        let what =
            switch reason {
            case .wrongState: "this answer belongs to another login"
            case .answeredAlready: "this login has been answered already"
            case .wrongIssuer: "this answer comes from another authorization server"
            case .noCode: "there is no code in this answer"
            case .denied: "the login was refused on the provider's page"
            case .expired: "the code was not confirmed in time"
            case .refused: "the provider does not accept the code: it is used, too old, or another login's"
            case .status: "the provider did not give a token"
            case .invalidAnswer: "the provider's answer is not what was asked for"
            case .incomplete: "the provider's answer lacks something that its requests need"
            case .unreachable: "the provider could not be reached; nothing was sent"
            case .inDoubt: "the code was sent and no whole answer came back"
            case .notDurable: "the login cannot be stored"
            case .busy: "another process is finishing a login of this provider"
            case .discovery: "the issuer's .well-known/openid-configuration cannot be used"
            case .settings: "the provider's settings cannot be used for this login"
            }
        let facts = [status.map { "HTTP \($0)" }, code, detail].compactMap { $0 }
        return facts.isEmpty ? what : "\(what) (\(facts.joined(separator: ", ")))"
    }
}
