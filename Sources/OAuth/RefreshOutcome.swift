public import Credentials

/// Why a refresh is wanted. Where a fingerprint is asked for, it is that of the access token the caller holds.
public enum Cause: Sendable, Equatable {
    /// The access token has expired.
    case expired
    /// It is in its early window (``RefreshWindow``): nobody waits for this refresh.
    case early(holding: String)
    /// An upstream answered 401 to it. It is refreshed once for that, however many requests say so.
    case rejected(String)
}

/// How a refresh ended.
public enum RefreshOutcome: Sendable {
    /// We refreshed, and the store holds the new token.
    case refreshed(StoreSnapshot)
    /// Someone else's newer token is in the store; nothing was sent.
    case adopted(StoreSnapshot)
    /// There was nothing to do: the profile is gone or cannot be refreshed, the token was already refreshed for this very rejection, or
    /// a token in doubt is left alone while the access token works.
    case unchanged
    /// It failed for now. The profile keeps what it has, and an access token still in its life stays in use. `retryAfter` is the
    /// provider's wish; ``Backoff`` says when to try again.
    case transient(RefreshFailure, retryAfter: Duration?)
    /// The provider has definitely refused the refresh token; the store says so until a new login.
    case needsLogin(RefreshFailure)
}

/// Why a refresh failed, for logs, errors and `status`. Never the text of an answer: only its status and its error code.
public struct RefreshFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// What failed; the raw value is stable.
    public enum Reason: String, Sendable {
        /// The provider's error code is in the class of `invalid_grant`.
        case refused
        /// The provider answered otherwise than with a token: 429, 5xx, 403, a redirect, an unknown error code.
        case status
        /// A 2xx answer that is no token answer.
        case invalidAnswer = "invalid_answer"
        /// The answer holds another account's token.
        case otherAccount = "other_account"
        /// Nothing was sent: name look-up, connection or TLS failed.
        case unreachable
        /// The request may have arrived and no whole answer came: the token is in doubt.
        case inDoubt = "in_doubt"
        /// Another process held the lane for the whole wait.
        case laneHeld = "lane_held"
        /// The journal or the store cannot be written, so the token was not spent; or it was, and waits in the journal.
        case notDurable = "not_durable"
        /// It is another program's login, which that program has not renewed.
        case notRenewed = "not_renewed"
        /// The store cannot be read.
        case store
        /// The provider's settings cannot be used (token URL, client secret).
        case settings
        /// The secret is had from elsewhere, and was not to be had.
        case reference
    }

    /// What failed.
    public let reason: Reason
    /// The HTTP status, if there was an answer.
    public let status: Int?
    /// The provider's error code (at most 64 letters, digits, `_`, `-`, `.`), or libcurl's name for a transport error.
    public let code: String?
    /// More for people, made by us: a path, a setting.
    public let detail: String?

    /// A failure from its parts.
    public init(_ reason: Reason, status: Int? = nil, code: String? = nil, detail: String? = nil) {
        self.reason = reason
        self.status = status
        self.code = code
        self.detail = detail
    }

    /// One sentence for people.
    public var description: String {
        let what =
            switch reason {
            case .refused: "the provider refused the refresh token; log in again"
            case .status: "the token endpoint refused for now"
            case .invalidAnswer: "the token endpoint's answer is no token answer"
            case .otherAccount: "the token endpoint answered with another account's token, which was not stored"
            case .unreachable: "the token endpoint could not be reached; nothing was sent"
            case .inDoubt: "the refresh token was sent and no whole answer came back"
            case .laneHeld: "another process is refreshing this account and did not finish in time"
            case .notDurable: "the store or its journal cannot be written"
            case .notRenewed: "it is another program's login, which that program has not renewed"
            case .store: "the store cannot be read"
            case .settings: "the provider's OAuth settings cannot be used"
            case .reference: "the secret that the profile refers to could not be had"
            }
        let facts = [status.map { "HTTP \($0)" }, code, detail].compactMap { $0 }
        return facts.isEmpty ? what : "\(what) (\(facts.joined(separator: ", ")))"
    }
}
