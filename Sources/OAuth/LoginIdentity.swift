import Credentials
import Digest

/// Whose login it is: what it is called in the store, and which stored profile it replaces.
struct LoginIdentity: Equatable {
    let provider: String
    let accountID: String?
    let email: String?
    let subject: String?

    /// Nothing tells it from another account's: each login is kept, under a name of its own.
    var isAnonymous: Bool { accountID == nil && email == nil && subject == nil }

    /// From what the provider's data finds, else from the tokens' claims.
    init(provider: String, _ tokens: RenewedTokens) {
        let claimed = LoginIdentity(provider: provider, access: tokens.access, idToken: tokens.idToken)
        let account = tokens.accountID.flatMap { Secret($0) == nil ? nil : $0 }
        self.init(
            provider: provider, accountID: account ?? claimed.accountID, email: tokens.email ?? claimed.email, subject: claimed.subject)
    }

    /// From the access token's claims, and where they say nothing, the id token's.
    init(provider: String, access: Secret, idToken: Secret?) {
        let claims = [access, idToken].compactMap { $0 }.compactMap { AccessTokenClaims($0) }
        self.init(
            provider: provider,
            // It goes into a header.
            accountID: claims.lazy.compactMap(\.accountID).first { Secret($0) != nil }, email: claims.lazy.compactMap(\.email).first,
            subject: claims.lazy.compactMap(\.stableSubject).first)
    }

    init(provider: String, accountID: String?, email: String?, subject: String?) {
        self.provider = ProviderName.normalised(provider)
        self.accountID = accountID
        self.email = email
        self.subject = subject
    }

    /// Where a login goes.
    struct Place: Equatable {
        let profileID: String
        /// The profile that was asked for and holds another account's credential, or another kind of one.
        var occupied: String?
    }

    /// Where this login goes among `snapshot`: where it was asked to, unless that would overwrite another account; else in the place of
    /// the same account's last one; else under its own name.
    func place(in snapshot: StoreSnapshot, requested: String?, replacing: Bool) -> Place {
        if let requested {
            guard let held = snapshot.profile(requested), !isSame(as: held), !replacing else { return Place(profileID: requested) }
        }
        let own = snapshot.profiles.first(where: isSame)?.id ?? freeName(in: snapshot)
        return Place(profileID: own, occupied: requested)
    }

    /// Whether `profile` is an earlier login of the same person and account. One person may have several accounts (workspaces), and
    /// several persons may share one, so that both are compared as far as they are known.
    func isSame(as profile: Profile) -> Bool {
        guard profile.kind == .oauth, profile.provider == provider else { return false }
        if let accountID, let other = profile.accountID, accountID != other { return false }
        let claims = profile.secret.flatMap { AccessTokenClaims($0) }
        if let subject, let other = claims?.stableSubject { return subject == other }
        if let email, let other = profile.email { return email.lowercased() == other.lowercased() }
        return accountID != nil && accountID == profile.accountID
    }

    /// `<provider>:<e-mail>`, else by the subject (spec/credential-formats.md §4.1). When another account has that name, the account's
    /// hash is added: names are seen in logs, account ids need not be.
    private func freeName(in snapshot: StoreSnapshot) -> String {
        let name = "\(provider):\(self.name)"
        guard snapshot.profile(name) != nil else { return name }
        let account = accountID ?? subject
        let marked = account.map { "\(name)-\(Hexadecimal.encode(SHA256.hash($0)).prefix(8))" } ?? name
        guard snapshot.profile(marked) != nil else { return marked }
        return (2...).lazy.map { "\(marked)-\($0)" }.first { snapshot.profile($0) == nil } ?? marked
    }

    private var name: String {
        if let email, Self.isName(email) || Self.isUser(email) { return email }
        guard let subject = subject ?? accountID else { return "default" }
        let encoded = "id-" + Base64URL.encode(Array(subject.utf8))
        return encoded.utf8.count <= 128 ? encoded : "id-" + Base64URL.encode(SHA256.hash(subject))
    }

    /// A user's name, where a provider's data says that its users are known by one.
    private static func isUser(_ name: String) -> Bool {
        (2...64).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || "._-".utf8.contains($0)
            }
    }

    /// Something that can be typed on a command line and put into a path.
    private static func isName(_ email: String) -> Bool {
        (3...128).contains(email.utf8.count) && email.contains("@")
            && email.unicodeScalars.allSatisfy { !$0.properties.isWhitespace && $0.properties.generalCategory != .control && $0 != "/" }
    }
}
