import Digest
import JSON

/// The intent to spend a refresh token, as it is journalled before the token is sent. It holds no secret.
public struct RefreshIntent: Sendable, Equatable {
    /// 16 random bytes that bind the answer to it.
    public let attempt: [UInt8]
    /// The profile.
    public let profileID: String
    /// The fingerprint of the refresh token that is spent.
    public let spent: String
    /// The fingerprint of the access token an upstream refused, if that is why: a token is refused into a refresh once.
    public var rejected: String?
    /// When, in ms since 1970.
    public let at: Int64
    /// How many times the same token was sent before without an answer.
    public let retries: Int
    /// Whether it is settled.
    public let isOpen: Bool

    /// A new intent.
    public init(profileID: String, spent: String, rejected: String?, at: Int64, retries: Int) {
        attempt = Random.bytes(16)
        self.profileID = profileID
        self.spent = spent
        self.rejected = rejected
        self.at = at
        self.retries = retries
        isOpen = true
    }

    /// The intent in a journal's payload.
    init?(_ value: Value) {
        guard let attempt = value["attempt"]?.string.flatMap({ Hexadecimal.decode($0) }), attempt.count == 16,
            let profileID = value["profile"]?.string, let spent = value["spent"]?.string, let at = value["at"]?.int64,
            let isOpen = value["open"]?.bool
        else { return nil }
        self.attempt = attempt
        self.profileID = profileID
        self.spent = spent
        rejected = value["rejected"]?.string
        self.at = at
        retries = value["retries"]?.int64.flatMap { Int(exactly: $0) } ?? 0
        self.isOpen = isOpen
    }

    /// The journal's payload.
    func value(isOpen: Bool) -> Value {
        var members: Object = [
            "attempt": .string(Hexadecimal.encode(attempt)), "profile": .string(profileID), "spent": .string(spent), "at": .integer(at),
            "retries": .integer(Int64(retries)), "open": .bool(isOpen),
        ]
        members["rejected"] = rejected.map { .string($0) }
        return .object(members)
    }
}
