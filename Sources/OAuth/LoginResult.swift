public import Credentials
import JSON

/// Where a login is wanted.
public struct LoginTarget: Sendable {
    /// Whose login it is.
    public let provider: String
    /// The profile that was asked for; nil: by the account.
    public let profileID: String?
    /// Whether that profile may be overwritten when it holds another account's credential.
    public let replaces: Bool
    /// Whether this provider's requests name the account, so that a token without one is of no use.
    public let needsAccountID: Bool

    /// A target from its parts.
    public init(provider: String, profileID: String? = nil, replaces: Bool = false, needsAccountID: Bool = false) {
        self.provider = ProviderName.normalised(provider)
        self.profileID = profileID
        self.replaces = replaces
        self.needsAccountID = needsAccountID
    }
}

/// A login that is in the store.
public struct LoginResult: Sendable {
    /// The profile that holds it.
    public let profileID: String
    /// Whether the profile was not there before.
    public let isNew: Bool
    /// The profile that was asked for and was not touched, since it holds another account's credential.
    public let occupied: String?
    /// Whose it is, for people.
    public let email: String?
    /// Whether the provider says nothing of whose it is.
    public let isAnonymous: Bool
    /// When the access token ends, in ms since 1970.
    public let expires: Int64
    /// The store afterwards.
    public let snapshot: StoreSnapshot
}

extension Login {
    /// Journals `answer`, then reads it, stores what it brings and closes `intent`: steps 7 to 9 of a refresh. What cannot be stored
    /// stays in the journal, for the next ``prepare()``.
    func settle(
        _ answer: JournalledAnswer, _ intent: RefreshIntent, _ journal: borrowing RefreshJournal
    ) throws(LoginFailure) -> LoginResult {
        // An answer too large for the journal, or a journal that fails now, must not cost the login.
        _ = try? journal.record(answer, to: intent)
        let tokens: RenewedTokens
        do throws(LoginFailure) {
            tokens = try read(answer)
        } catch {
            close(intent, journal)
            throw error
        }
        let requested = intent.profileID.isEmpty ? nil : intent.profileID
        let result: LoginResult
        do throws(LoginFailure) {
            result = try keep(tokens, requested: requested)
        } catch {
            // Left open only for a store that may be writable later; another flaw will not go away.
            if error.reason != .notDurable { close(intent, journal) }
            throw error
        }
        close(intent, journal)
        return result
    }

    private func read(_ answer: JournalledAnswer) throws(LoginFailure) -> RenewedTokens {
        // A login is read as a refresh of nobody's profile: any account will do.
        let nobody = Profile(id: "", provider: target.provider, kind: .oauth, secret: nil)
        switch TokenVerdict(answer, for: nobody, by: client) {
        case .renewed(let tokens): return tokens
        case .refused(let failure): throw LoginFailure(.refused, status: failure.status, code: failure.code)
        case .failed(let failure):
            let reason: LoginFailure.Reason = failure.reason == .invalidAnswer ? .invalidAnswer : .status
            throw LoginFailure(reason, status: failure.status, code: failure.code, detail: failure.detail)
        }
    }

    private func keep(_ tokens: RenewedTokens, requested: String?) throws(LoginFailure) -> LoginResult {
        guard let refresh = tokens.refresh else { throw LoginFailure(.incomplete, detail: "no refresh_token") }
        let identity = LoginIdentity(provider: target.provider, asked(tokens))
        if target.needsAccountID, identity.accountID == nil { throw LoginFailure(.incomplete, detail: "no account id in the access token") }
        let credential = Credential.oauth(
            access: tokens.access, refresh: refresh, expires: tokens.expires, provider: target.provider, accountID: identity.accountID,
            email: identity.email, facts: facts(tokens))
        do throws(StoreError) {
            let before = try store.load()
            let place = identity.place(in: before, requested: requested, replacing: target.replaces)
            // With the client, a refresh of the login that is replaced ends first.
            try store.put(credential, id: place.profileID, client: client, proxy: proxy)
            // The mark of the old refresh token fits the new one no more; this takes it out of the file as well.
            let snapshot = try store.clearNeedsLogin(id: place.profileID)
            return LoginResult(
                profileID: place.profileID, isNew: before.profile(place.profileID) == nil, occupied: place.occupied,
                email: identity.email, isAnonymous: identity.isAnonymous, expires: tokens.expires, snapshot: snapshot)
        } catch {
            throw LoginFailure(.notDurable, detail: error.description)
        }
    }
}

extension Login {
    /// What is kept with a login because it is not the same for all of them.
    private func facts(_ tokens: RenewedTokens) -> LoginFacts {
        var facts = LoginFacts()
        if client.clientIDEnvironment != nil { facts.clientID = client.clientID }
        if client.issuer != nil { facts.tokenEndpoint = client.tokenURL }
        facts.baseURL = tokens.baseURL
        return facts
    }

    /// With the account that the provider names when it is asked for it (OpenID Connect Core §5.3). The login is worth keeping without.
    private func asked(_ tokens: RenewedTokens) -> RenewedTokens {
        guard let url = client.userinfoURL else { return tokens }
        var request = TokenRequest(url: url, contentType: "", body: SensitiveBytes(), caFile: client.caFile)
        request.method = .get
        request.credential = SensitiveBytes("authorization: Bearer \(tokens.access.revealed)")
        guard let answer = try? transport.post(request.through(proxy)), answer.status == 200,
            let root = try? Reader.parse(answer.body.bytes)
        else { return tokens }
        var tokens = tokens
        tokens.accountID = root.member(at: client.answer.account)?.string ?? tokens.accountID
        tokens.email = root.member(at: client.answer.email)?.string ?? tokens.email
        return tokens
    }
}

extension LoginFailure {
    /// A request that brought no whole answer.
    init(_ failure: TransportFailure) {
        switch failure {
        case .notSent(let code): self.init(.unreachable, code: code)
        case .inDoubt(let code): self.init(.inDoubt, code: code)
        case .tooLarge(let status): self.init(.invalidAnswer, status: status, detail: "larger than any token answer")
        }
    }
}
