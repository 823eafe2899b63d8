/// A client key: who it is for, and what it allows. Its secret is not here, only the code that one is compared with.
public struct ClientKey: Sendable, Equatable {
    /// Ten letters; the part of the key's text that may be shown.
    public let id: String
    /// What people call it; one of each.
    public var name: String
    /// HMAC-SHA-256 of the secret under the file's salt.
    public var code: [UInt8]
    /// What its text looks like.
    public var shape: ClientKeyText.Shape
    /// Milliseconds since 1970.
    public var createdAt: Int64
    /// Milliseconds since 1970 from which on it is refused; nil: never.
    public var expiresAt: Int64?
    /// The agent whose profiles it uses; nil: whichever a request names.
    public var agent: String?
    /// Ids of the providers that it may use; empty: all there are.
    public var providers: [String]
    /// Ids of the profiles that it may use; empty: all there are.
    public var profiles: [String]
    /// Names of models; one that ends in `*` stands for all that begin so.
    public var models: [String]
    /// Requests within a time; nil: as many as it likes.
    public var rate: Rate?
    /// Tokens a day (UTC); nil: as many as it likes.
    public var budgetTokens: Int64?

    /// So many requests in so many seconds.
    public struct Rate: Sendable, Equatable, CustomStringConvertible {
        /// How many requests.
        public let count: Int
        /// In how many seconds.
        public let seconds: Int

        /// A rate from its parts.
        public init(count: Int, seconds: Int) {
            self.count = count
            self.seconds = seconds
        }

        /// `60`, `60/min`, `5/s`, `1000/h`, `5000/day`; a number alone is a minute's. Nil when `text` is none.
        public init?(_ text: String) {
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard let count = Int(parts[0]), (1...1_000_000).contains(count) else { return nil }
            switch parts.count > 1 ? String(parts[1]) : "min" {
            case "s", "sec", "second": seconds = 1
            case "m", "min", "minute": seconds = 60
            case "h", "hour": seconds = 3600
            case "d", "day": seconds = 86_400
            default: return nil
            }
            self.count = count
        }

        /// The form that is read.
        public var description: String {
            let unit: String =
                switch seconds {
                case 1: "s"
                case 3600: "h"
                case 86_400: "day"
                default: "min"
                }
            return "\(count)/\(unit)"
        }
    }

    /// A key that allows everything, for its maker to narrow.
    public init(id: String, name: String, code: [UInt8], shape: ClientKeyText.Shape, createdAt: Int64) {
        self.id = id
        self.name = name
        self.code = code
        self.shape = shape
        self.createdAt = createdAt
        (providers, profiles, models) = ([], [], [])
    }

    /// By the policy of `other`, with its own id and secret.
    mutating func takePolicy(of other: ClientKey) {
        expiresAt = other.expiresAt
        agent = other.agent
        providers = other.providers
        profiles = other.profiles
        models = other.models
        rate = other.rate
        budgetTokens = other.budgetTokens
    }
}
