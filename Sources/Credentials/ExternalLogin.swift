import Files
public import JSON

/// A login as another program's file holds it. Read tolerantly: members that are not known, or not needed, may be anything.
public struct ExternalLogin: Sendable, Equatable {
    /// The provider that it is for.
    public let provider: String
    /// What it is: an oauth login where there is a refresh token.
    public let kind: Profile.Kind
    /// What requests carry.
    public let secret: Secret
    /// What its owner renews it with.
    public let refresh: Secret?
    /// When `secret` stops working, in ms since 1970; nil when the file does not tell.
    public let expires: Int64?
    /// The account, in a form that can go into a header.
    public let accountID: String?
    /// Whose it is, for people.
    public let email: String?

    /// The login in the file of `owner`, whose root is `root`.
    ///
    /// - Throws: why there is none, as the end of a sentence about the file.
    public init(_ root: Value, of owner: LoginOwner) throws(ExternalLoginFlaw) {
        guard let root = root.object else { throw ExternalLoginFlaw("holds \(root.kindName) where an object belongs") }
        switch owner {
        case .codex: try self.init(codex: root)
        case .claudeCode: try self.init(claude: root)
        case .qwen: try self.init(flat: root, provider: "qwen-portal")
        case .moltbot: throw ExternalLoginFlaw("holds many profiles")
        }
    }

    /// The same as a profile called `id`, of which `overlay` says where it is from. Without the refresh token, which is its owner's.
    func profile(id: String, from overlay: Overlay) -> Profile {
        Profile(
            id: id, provider: provider, kind: kind == .oauth ? .token : kind, secret: secret, expires: expires, accountID: accountID,
            email: email, overlay: overlay)
    }

    private init(
        provider: String, kind: Profile.Kind, secret: Secret, refresh: Secret?, expires: Int64?, accountID: String?, email: String?
    ) {
        self.provider = provider
        self.kind = kind
        self.secret = secret
        self.refresh = refresh
        self.expires = expires
        self.accountID = accountID
        self.email = email
    }

    // MARK: Codex

    /// Which of the two it uses is said by `auth_mode`, else by what is there, a key first (codex-rs/login/src/auth/storage.rs).
    private init(codex root: Object) throws(ExternalLoginFlaw) {
        let key = try Self.secret(root["OPENAI_API_KEY"], "OPENAI_API_KEY")
        let mode = root["auth_mode"]?.string?.lowercased()
        if let key, mode == "apikey" || mode == nil {
            self.init(provider: "openai", kind: .apiKey, secret: key, refresh: nil, expires: nil, accountID: nil, email: nil)
            return
        }
        guard let tokens = root["tokens"]?.object else {
            throw ExternalLoginFlaw("holds no ChatGPT login and no API key")
        }
        guard let access = try Self.secret(tokens["access_token"], "tokens.access_token") else {
            throw ExternalLoginFlaw("has no `tokens.access_token`")
        }
        let refresh = try Self.secret(tokens["refresh_token"], "tokens.refresh_token")
        let claims = AccessTokenClaims(access)
        let identity = tokens["id_token"]?.string.flatMap { AccessTokenClaims(jwt: $0) }
        self.init(
            provider: "openai-codex", kind: refresh == nil ? .token : .oauth, secret: access, refresh: refresh, expires: claims?.expiry,
            accountID: Self.account(tokens["account_id"]?.string ?? claims?.accountID ?? identity?.accountID),
            email: identity?.email ?? claims?.email)
    }

    // MARK: Claude Code

    private init(claude root: Object) throws(ExternalLoginFlaw) {
        guard let login = root["claudeAiOauth"], !login.isNull else { throw ExternalLoginFlaw("holds no login (`claudeAiOauth`)") }
        guard let members = login.object else { throw ExternalLoginFlaw("has \(login.kindName) as `claudeAiOauth`") }
        guard let access = try Self.secret(members["accessToken"], "claudeAiOauth.accessToken") else {
            throw ExternalLoginFlaw("has no `claudeAiOauth.accessToken`")
        }
        let refresh = try Self.secret(members["refreshToken"], "claudeAiOauth.refreshToken")
        self.init(
            provider: "anthropic", kind: refresh == nil ? .token : .oauth, secret: access, refresh: refresh,
            expires: Self.milliseconds(members["expiresAt"]), accountID: nil, email: nil)
    }

    // MARK: Qwen Code, and what is made like it

    private init(flat root: Object, provider: String) throws(ExternalLoginFlaw) {
        guard let access = try Self.secret(root["access_token"], "access_token") else { throw ExternalLoginFlaw("has no `access_token`") }
        let refresh = try Self.secret(root["refresh_token"], "refresh_token")
        self.init(
            provider: provider, kind: refresh == nil ? .token : .oauth, secret: access, refresh: refresh,
            expires: Self.milliseconds(root["expiry_date"]), accountID: nil, email: nil)
    }

    // MARK: Members

    /// nil when it is absent, null or blank.
    private static func secret(_ value: Value?, _ name: String) throws(ExternalLoginFlaw) -> Secret? {
        guard let value, !value.isNull else { return nil }
        guard let text = value.string else { throw ExternalLoginFlaw("has \(value.kindName) as `\(name)` where a string belongs") }
        if text.isBlank { return nil }
        guard let secret = Secret(text) else { throw ExternalLoginFlaw("has a `\(name)` that cannot be sent in a header") }
        return secret
    }

    /// A time that is no time is not known: a token is then taken for good until its provider refuses it.
    private static func milliseconds(_ value: Value?) -> Int64? {
        guard let value, let number = value.int64 ?? value.double.flatMap({ Int64(exactly: $0.rounded(.down)) }), number > 0 else {
            return nil
        }
        return number
    }

    private static func account(_ text: String?) -> String? { text.flatMap { Secret($0)?.revealed } }
}

/// Another program's file with its login, as it was read.
public struct ExternalFile: Sendable {
    /// The login.
    public let login: ExternalLogin
    /// The whole document.
    public let root: Object
    /// Whether others may read the file.
    public let isReadableByOthers: Bool
    /// Whether it is this user's, under this name alone.
    public let isOursAlone: Bool

    /// Reads the file of `owner` at `path`.
    ///
    /// - Throws: why there is no login to be had, as the end of a sentence about the file.
    public init(_ path: String, of owner: LoginOwner) throws(ExternalLoginFlaw) {
        let (root, contents) = try OverlaySource.document(at: path)
        login = try ExternalLogin(root, of: owner)
        self.root = root.object ?? [:]
        isReadableByOthers = contents.isReadableByOthers
        isOursAlone = contents.isOursAlone
    }
}

/// Why a file holds no login that can be used, as the end of a sentence; never a value.
public struct ExternalLoginFlaw: Error, Sendable, Equatable {
    /// The end of the sentence.
    public let reason: String

    init(_ reason: String) { self.reason = reason }
}
