/// How a provider gives a short-lived token for a credential that lasts: facts from its data, made by Configuration and used by OAuth.
///
/// Requests carry the minted token; the profile's own credential (the parent) goes to the mint alone.
public struct Mint: Sendable, Hashable {
    /// How it is asked for.
    public enum Method: String, Sendable, CaseIterable {
        case get = "GET"
        case post = "POST"
    }

    /// Where: https, or http to a loopback host.
    public let url: String
    /// How it is asked for.
    public let method: Method
    /// The field that carries the parent, lower case.
    public let header: String
    /// What precedes the parent in it.
    public let prefix: String
    /// Parameters of a POST, in order.
    public let parameters: [LoginParameter]
    /// How they are written.
    public let bodyForm: OAuthClient.BodyForm
    /// The members of the answer that lead to the token.
    public let tokenPath: [String]
    /// The members of the answer that lead to its end or its life: more than 10^12 is ms since 1970, more than 10^9 seconds since 1970,
    /// anything else seconds from now. Absent there: the token's own `exp`, else an hour.
    public let expiryPath: [String]
    /// A PEM file of certificate authorities to use instead of the system's.
    public let caFile: String?

    /// A mint from its parts.
    public init(
        url: String, method: Method = .post, header: String = "authorization", prefix: String = "Bearer ",
        parameters: [LoginParameter] = [],
        bodyForm: OAuthClient.BodyForm = .form, tokenPath: [String], expiryPath: [String], caFile: String? = nil
    ) {
        self.url = url
        self.method = method
        self.header = header
        self.prefix = prefix
        self.parameters = parameters
        self.bodyForm = bodyForm
        self.tokenPath = tokenPath
        self.expiryPath = expiryPath
        self.caFile = caFile
    }

    /// What a token that is minted here of `parent` is kept under: the parent's hash, so that accounts never share one, and the place's.
    public func key(of parent: Secret) -> String { "\(parent.fingerprint)-\(ShortHash.of(url).prefix(8))" }
}

/// How the token is had that requests carry in place of the profile's own credential.
public enum Issuance: Sendable, Hashable {
    /// In exchange for the credential.
    case exchange(Mint)
    /// By a client's own name and secret (RFC 6749 §4.4).
    case clientCredentials(OAuthClient)
    /// From a program.
    case program(CredentialProgram)

    /// What such a token is kept under; nil when the profile has no credential to give for it. Where there is none to give, accounts are
    /// told apart by the profile.
    public func key(for profile: Profile) -> String? {
        switch self {
        case .exchange(let mint): profile.secret.map { mint.key(of: $0) }
        case .clientCredentials(let client):
            "client-\(ShortHash.of("\(profile.id)\0\(client.tokenURL)\0\(client.clientID)\0\(client.scopes)\0\(client.tokenParameters)"))"
        case .program(let program):
            "program-\(ShortHash.of("\(profile.id)\0\(program.command)\0\(program.args)\0\(program.tokenPath)"))"
        }
    }
}

/// A token that was minted.
public struct MintedToken: Sendable, Equatable {
    /// The token.
    public let secret: Secret
    /// When it ends, in ms since 1970.
    public let expires: Int64

    /// A token from its parts.
    public init(secret: Secret, expires: Int64) {
        self.secret = secret
        self.expires = expires
    }
}

extension Profile {
    /// The same with `token` where its own credential was: what a request of it carries.
    public func carrying(_ token: MintedToken) -> Profile {
        Profile(id: id, provider: provider, kind: kind, secret: token.secret, expires: token.expires, accountID: accountID, email: email)
    }
}
