import Digest
import JSON

/// What an access token says about itself when it is a JWT. Read without verifying the signature, as facts for our own bookkeeping
/// (whose token, until when): the provider that receives the token is the one that decides.
public struct AccessTokenClaims: Sendable, Equatable {
    /// `exp` in ms since 1970.
    public let expiry: Int64?
    /// `sub`.
    public let subject: String?
    /// `https://api.openai.com/auth`.`chatgpt_account_id`.
    public let accountID: String?
    /// `https://api.openai.com/profile`.`email`, else `email` (OpenID Connect Core §5.1, as id tokens have it).
    public let email: String?
    /// Who it is, in a form that stays the same from login to login (spec/credential-formats.md §4.1): the first of
    /// `https://api.openai.com/auth`.`chatgpt_account_user_id`, `chatgpt_user_id`, `user_id`, else `iss|sub`, else `sub`.
    public let stableSubject: String?

    private let payload: Object

    /// The text of the claim that a path of names leads to.
    public func claim(at path: [String]) -> String? { Self.text(Value.object(payload).member(at: path)) }

    /// The claims of `token`; nil when it is no JWT with a JSON object as payload.
    public init?(_ token: Secret) {
        self.init(jwt: token.revealed)
    }

    /// The claims of a compact JWT (RFC 7519 §3): three parts between dots, the middle one base64url (upstream decodes it as plain
    /// base64 and fails on `-` and `_`).
    public init?(jwt: String) {
        // By bytes: walking the characters of a long token would be most of the time a store takes to load.
        var bytes = Array(jwt.utf8)
        defer { Memory.cleanse(&bytes) }
        let dots = bytes.indices.filter { bytes[$0] == UInt8(ascii: ".") }
        guard dots.count == 2, var decoded = Base64URL.decode(String(decoding: bytes[(dots[0] + 1)..<dots[1]], as: UTF8.self)) else {
            return nil
        }
        defer { Memory.cleanse(&decoded) }
        guard let claims = (try? Reader.parse(decoded))?.object else { return nil }
        self.payload = claims
        expiry = Self.milliseconds(claims["exp"])
        subject = Self.text(claims["sub"])
        accountID = Self.text(claims["https://api.openai.com/auth"]?["chatgpt_account_id"])
        email = Self.text(claims["https://api.openai.com/profile"]?["email"]) ?? Self.text(claims["email"])
        let user = ["chatgpt_account_user_id", "chatgpt_user_id", "user_id"].lazy
            .compactMap { Self.text(claims["https://api.openai.com/auth"]?[$0]) }.first
        stableSubject = user ?? subject.map { subject in Self.text(claims["iss"]).map { "\($0)|\(subject)" } ?? subject }
    }

    /// RFC 7519 §2, NumericDate: seconds, possibly with a fraction.
    private static func milliseconds(_ value: Value?) -> Int64? {
        guard let seconds = value?.double, seconds > 0, seconds < 1e13 else { return nil }
        return Int64(seconds * 1000)
    }

    private static func text(_ value: Value?) -> String? {
        guard let text = value?.string, !text.isEmpty else { return nil }
        return text
    }
}
