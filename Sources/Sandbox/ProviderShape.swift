/// The form that a provider's endpoints have, for a sandbox that plays a provider nobody has heard of. Plain data; paths as they are asked
/// for, members of answers as names one behind the other.
public struct ProviderShape: Sendable {
    /// How the end of a token's life is written.
    public enum End: Sendable { case life, seconds, milliseconds, instant }

    // Where its endpoints are; nil: it has none such.
    /// The issuer's path, whose `.well-known/openid-configuration` is served.
    public var issuer: String?
    /// The authorization endpoint.
    public var authorize: String?
    /// The token endpoint.
    public var token: String?
    /// Where the account is asked for.
    public var userinfo: String?
    /// Where a device login begins.
    public var deviceStart: String?
    /// Where a token is minted.
    public var mint: String?

    // What its requests must look like.
    /// Token requests are JSON, and not a form.
    public var takesJSON = false
    /// The client and its secret, and whether they have to come in `Authorization: Basic`.
    public var clientID = ""
    /// Nil: the client has none.
    public var clientSecret: String?
    /// They come in `Authorization: Basic`.
    public var isBasic = false
    /// Exchanges repeat the state.
    public var wantsState = false
    /// Parameters that every token request has.
    public var parameters: [String: String] = [:]
    /// Parameters that the start of a device login has.
    public var startParameters: [String: String] = [:]
    /// The grant of device polls, and the code that they name.
    public var deviceGrant = ""
    /// `device_code` or `user_code`.
    public var deviceKey = "device_code"
    /// A device login has a challenge, and repeats a state.
    public var devicePKCE = false
    /// It repeats the state that it was started with.
    public var deviceState = false
    /// The field in which a mint wants the credential, what precedes it there, and the method.
    public var mintHeader = "authorization"
    /// What precedes it.
    public var mintPrefix = "Bearer "
    /// GET or POST.
    public var mintMethod = "POST"

    /// Its model API wants no credential.
    public var takesAnyone = false

    // Where its answers have what is looked for.
    /// The access token.
    public var access = ["access_token"]
    /// The refresh token.
    public var refresh = ["refresh_token"]
    /// Its end.
    public var expiry = ["expires_in"]
    /// How that is written.
    public var end = End.life
    /// The account's id; empty: not there.
    public var account: [String] = []
    /// The same as a claim.
    public var accountClaim: [String] = []
    /// Whose it is; empty: not there.
    public var email: [String] = []
    /// The same as a claim.
    public var emailClaim: [String] = []
    /// Where requests go; empty: not there.
    public var address: [String] = []
    /// A member that says how it went; empty: the status says it.
    public var status: [String] = []
    /// Its value where there is a token.
    public var granted = ""
    /// Its value while nobody has decided; nil: an error says so.
    public var pending: String?
    /// The status that says so; nil: 400 with `authorization_pending`.
    public var pendingStatus: Int?
    /// Where the start of a device login has its end.
    public var deviceExpiry = ["expires_in"]
    /// How that is written.
    public var deviceEnd = End.life
    /// Where a mint's answer has the token.
    public var minted = ["token"]
    /// Where it has its end.
    public var mintedEnd = ["expires_at"]

    /// OAuth's own form, without an endpoint.
    public init() {}

    /// The account that every login is of.
    public static let accountID = "acct-1"
    /// And whose it is.
    public static let person = "ann@sandbox.example"
}

/// A request that reached a shaped sandbox and was none for its own endpoints.
public struct ShapedArrival: Sendable {
    /// The path and query.
    public let target: String
    /// Names in lower case, values as they came: nothing in a sandbox is worth keeping secret.
    public let fields: [(name: String, value: String)]

    /// The values of a field.
    public func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }
}
