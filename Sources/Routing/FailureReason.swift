/// Why a profile is let rest for a while.
public enum FailureReason: UInt8, Sendable, CaseIterable {
    /// Too many requests or tokens at once.
    case rate
    /// The provider has more to do than it can.
    case overloaded
    /// What a plan holds for a period is used up.
    case quota
    /// The account has to pay before it is served.
    case billing
    /// The key, or a login that was just renewed, is refused.
    case auth
    /// The account has no such model.
    case model

    /// The name in files and answers: Moltbot's where it has one (spec/credential-formats.md §6.3).
    public var name: String {
        switch self {
        case .rate: "rate_limit"
        case .overloaded: "overloaded"
        case .quota: "quota_exhausted"
        case .billing: "billing"
        case .auth: "auth_permanent"
        case .model: "model_not_found"
        }
    }

    /// The reason of that name. Another one's (`timeout`, `format`, …) rests a profile all the same.
    public init(name: String) {
        switch name {
        case "auth": self = .auth
        default: self = Self.allCases.first { $0.name == name } ?? .rate
        }
    }

    /// Whether it says something about one model only, so that others go on with the profile.
    public var concernsModel: Bool { self == .rate || self == .overloaded || self == .model }

    /// Whether neighbours keep it as `disabledUntil`, which no error of another kind shortens.
    public var disables: Bool { self == .billing || self == .auth }
}
