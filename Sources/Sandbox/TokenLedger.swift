internal import Digest

/// Every credential the sandbox has given out and what became of it. Pure: the time is an argument, milliseconds since 1970.
///
/// An OAuth login is a *family* of tokens that descend from one authorization (RFC 9700 §4.14.2):
///
///     issued ──refresh──▶ rotated: the old refresh token is spent, a new pair is out
///        ▲                    │
///        └────────────────────┤
///                             └─ a spent refresh token comes back ──▶ revoked: every token of the family is dead
struct TokenLedger: Sendable {
    /// A live credential and who pays for it.
    struct Holder: Sendable, Equatable {
        let account: Account
        let kind: CredentialKind
        /// Nil for what never ends.
        let expires: Int64?
    }

    /// Why a refresh was refused.
    enum RefreshRefusal: Error, Sendable, Equatable {
        case unknown, reused, revoked, otherClient
    }

    /// Why a credential is not accepted.
    enum AccessRefusal: Error, Sendable, Equatable {
        case unknown, expired, revoked
    }

    private struct Family: Sendable {
        let account: Account
        let clientID: String
        var current: String
        var rotatedAt: Int64 = 0
        /// The token before `current`: within the grace period it may come once more.
        var previous: String?
        var revoked = false
    }

    private struct Access: Sendable {
        let holder: Holder
        /// Index into `families`; nil for keys and setup-tokens.
        let family: Int?
    }

    private let mint: TokenMint
    private let lifetime: Int64
    private let grace: Int64
    private var families: [Family] = []
    /// Every refresh token ever issued, so that a spent one is told from an unknown one.
    private var refreshTokens: [String: Int] = [:]
    private var accessTokens: [String: Access] = [:]
    private var accountCount = 0
    /// How many families a reuse has ended.
    private(set) var familiesRevoked = 0

    /// - Parameters:
    ///   - lifetime: of access tokens, in milliseconds.
    ///   - grace: how long after a rotation the old token is still taken, in milliseconds; 0 is what OpenAI does.
    init(mint: TokenMint, lifetime: Int64, grace: Int64 = 0) {
        self.mint = mint
        self.lifetime = lifetime
        self.grace = grace
    }

    /// A new account; `acct-1`, `acct-2`… unless it is given a name.
    mutating func account(_ provider: SandboxProvider, named name: String? = nil) -> Account {
        accountCount += 1
        return Account(id: name ?? "acct-\(accountCount)", provider: provider)
    }

    /// A login as the user's browser would end it. An expired one has a dead access token and a live refresh token.
    mutating func login(_ account: Account, clientID: String, expired: Bool = false, now: Int64) -> SandboxLogin {
        let refresh = mint.refreshToken(for: account.provider)
        families.append(Family(account: account, clientID: clientID, current: refresh))
        refreshTokens[refresh] = families.count - 1
        let issuedAt = expired ? now - lifetime - 60_000 : now
        return issue(family: families.count - 1, issuedAt: issuedAt)
    }

    /// Trades a refresh token for a new pair. A spent one ends the whole family.
    ///
    /// - Parameter rotating: false keeps the refresh token good (providers that answer without a new one).
    mutating func refresh(
        _ token: String, clientID: String, rotating: Bool = true, now: Int64
    ) throws(RefreshRefusal) -> SandboxLogin {
        guard let index = refreshTokens[token] else { throw .unknown }
        guard families[index].clientID == clientID else { throw .otherClient }
        guard !families[index].revoked else { throw .revoked }
        let inGrace = token == families[index].previous && now - families[index].rotatedAt < grace
        guard token == families[index].current || inGrace else {
            families[index].revoked = true
            familiesRevoked += 1
            throw .reused
        }
        if rotating, !inGrace {
            let next = mint.refreshToken(for: families[index].account.provider)
            refreshTokens[next] = index
            families[index].previous = token
            families[index].rotatedAt = now
            families[index].current = next
        }
        return issue(family: index, issuedAt: now)
    }

    /// Ends a login from the provider's side, as a user who signs out everywhere does. False when the token is unknown.
    mutating func revoke(refresh token: String) -> Bool {
        guard let index = refreshTokens[token] else { return false }
        families[index].revoked = true
        return true
    }

    mutating func apiKey(_ account: Account) -> String {
        let key = mint.apiKey(for: account.provider)
        accessTokens[key] = Access(holder: Holder(account: account, kind: .apiKey, expires: nil), family: nil)
        return key
    }

    mutating func setupToken(_ account: Account) -> String {
        let token = mint.setupToken()
        accessTokens[token] = Access(holder: Holder(account: account, kind: .setupToken, expires: nil), family: nil)
        return token
    }

    /// Who holds this key or access token.
    func holder(of credential: String, now: Int64) throws(AccessRefusal) -> Holder {
        guard let access = accessTokens[credential] else { throw .unknown }
        if let family = access.family, families[family].revoked { throw .revoked }
        if let expires = access.holder.expires, expires <= now { throw .expired }
        return access.holder
    }

    private mutating func issue(family index: Int, issuedAt: Int64) -> SandboxLogin {
        let account = families[index].account
        let expires = issuedAt + lifetime
        let token = mint.accessToken(for: account, issuedAt: issuedAt, expires: expires)
        accessTokens[token] = Access(holder: Holder(account: account, kind: .oauth, expires: expires), family: index)
        return SandboxLogin(
            provider: account.provider, accountID: account.id, email: account.email, access: token, refresh: families[index].current,
            expires: expires)
    }
}
