internal import Configuration
internal import Credentials
internal import OAuth
internal import Sockets
internal import Tools

/// Where `keybearer token` gets a credential that works: the store, after a refresh if need be.
struct TokenSource {
    /// A profile whose secret works now, and what should be known about it.
    struct Fresh {
        let profile: Profile
        var warning: String?
    }

    private let installation: Installation
    private let options: GlobalOptions
    private let minValidity: Int64

    /// `minValidity` in ms.
    init(_ installation: Installation, _ options: GlobalOptions, minValidity: Int64) {
        self.installation = installation
        self.options = options
        self.minValidity = minValidity
    }

    /// The profile called `id`, as it is stored.
    ///
    /// - Throws: `Failure` with code 64 when there is none, naming a close one; 1 when its entry cannot be understood.
    func profile(_ id: String) throws -> Profile {
        var snapshot = try installation.load()
        if snapshot.profile(id)?.awaitsProgram == true { snapshot = try installation.owner(of: id, in: snapshot).following([id]) }
        if let profile = snapshot.profile(id) {
            guard profile.awaitsProgram else { return profile }
            throw Failure.failed(snapshot.problems.first { $0.profileID == id }?.message ?? "the program of \(id) was not asked")
        }
        if let problem = snapshot.problems.first(where: { $0.profileID == id }) { throw Failure.failed(problem.message) }
        let ids = snapshot.profiles.map(\.id)
        let path = installation.store.profilesPath
        guard !ids.isEmpty else { throw Failure.usage("there is no profile \"\(id)\": \(path) holds none") }
        let close = Suggestion.closest(to: id, among: ids).map { "did you mean \"\($0)\"?" } ?? "there are \(ids.joined(separator: ", "))"
        throw Failure.usage("there is no profile \"\(id)\" in \(path); \(close)")
    }

    /// `profile` with a secret that works: the one that requests carry.
    ///
    /// - Throws: `Failure` with code 1 when there is none, saying what to do.
    func fresh(_ profile: Profile) throws -> Fresh {
        guard let provider = installation.settings.provider(profile.provider), let issuance = provider.issuance(for: profile) else {
            return try own(profile)
        }
        let before = try installation.load()
        let held = before.issued(for: profile, by: issuance)
        var cause = Cause.expired
        if let held, held.expires - Clock.wall() < minValidity { cause = .early(holding: held.secret.fingerprint) }
        let minter = Minter(store: installation.owner(of: profile.id, in: before))
        let snapshot: StoreSnapshot
        switch minter.issue(profileID: profile.id, by: issuance, client: provider.oauth, cause: cause) {
        case .refreshed(let minted), .adopted(let minted): snapshot = minted
        case .unchanged: snapshot = before
        case .transient(let failure, _), .needsLogin(let failure):
            guard let held, held.expires > Clock.wall() else { throw self.failure(profile, .failedForNow(failure.description)) }
            return Fresh(profile: profile.carrying(held), warning: warning(profile, failure.description))
        }
        guard let parent = snapshot.profile(profile.id), let minted = snapshot.issued(for: parent, by: issuance) else {
            throw self.failure(profile, .noSecret)
        }
        return Fresh(profile: parent.carrying(minted))
    }

    /// The profile's own credential.
    private func own(_ profile: Profile) throws -> Fresh {
        let client = installation.settings.provider(profile.provider)?.oauth
        let snapshot = try installation.load()
        let mark = snapshot.needsLogin[profile.id]
        switch TokenStanding(profile, mark, canRefresh: client != nil, minValidity: minValidity, now: Clock.wall()) {
        case .works:
            return Fresh(profile: profile, warning: mark.map { warning(profile, "the provider has ended this login (\($0.code))") })
        case .dead(let reason): throw failure(profile, reason)
        case .refresh(let cause):
            guard let client else { throw failure(profile, .notRefreshable) }
            let store = installation.owner(of: profile.id, in: snapshot)
            let outcome = Refresher(store: store).refresh(profileID: profile.id, client: client, cause: cause)
            return try fresh(profile, after: outcome)
        }
    }

    /// What the store holds after a refresh: the new token, or the old one if it still works.
    private func fresh(_ profile: Profile, after outcome: RefreshOutcome) throws -> Fresh {
        switch outcome {
        case .refreshed(let snapshot), .adopted(let snapshot): return Fresh(profile: try usable(profile, in: snapshot))
        case .unchanged: return Fresh(profile: try usable(profile, in: try installation.load()))
        case .transient(let failure, _):
            guard let held = try stillWorking(profile) else { throw self.failure(profile, .failedForNow(failure.description)) }
            return Fresh(profile: held, warning: warning(held, failure.description))
        case .needsLogin(let failure):
            guard let held = try stillWorking(profile) else { throw self.failure(profile, .ended(failure.code ?? failure.reason.rawValue)) }
            return Fresh(profile: held, warning: warning(held, failure.description))
        }
    }

    private func usable(_ profile: Profile, in snapshot: StoreSnapshot) throws -> Profile {
        guard let held = snapshot.profile(profile.id) else {
            throw Failure.failed("\(profile.id) was removed while it was being refreshed")
        }
        guard held.isUsable(now: Clock.wall()) else { throw failure(held, .notRefreshable) }
        return held
    }

    /// What failed may have been early, or someone else may have succeeded.
    private func stillWorking(_ profile: Profile) throws -> Profile? {
        let snapshot = try installation.load()
        guard let held = snapshot.profile(profile.id), held.isUsable(now: Clock.wall()) else { return nil }
        return snapshot.needsLogin[profile.id]?.accessRejected == true ? nil : held
    }

    // MARK: Words

    private func warning(_ profile: Profile, _ reason: String) -> String {
        let rest = profile.expires.map { "; its token \(ExpiryText.sentence(.valid(until: $0), now: Clock.wall()))" } ?? ""
        return "warning: \(profile.id) was not refreshed: \(reason)\(rest)"
    }

    private func failure(_ profile: Profile, _ reason: TokenStanding.Reason) -> Failure {
        let id = profile.id
        if let overlay = profile.overlay {
            let state = profile.secret == nil ? "\(overlay.path) gives none; \(overlay.advice)" : overlay.expiredSentence
            return .failed("\(id) is \(overlay.owner.name)'s login, and \(state)")
        }
        return switch reason {
        case .noSecret: .failed("\(id) holds no secret; store it again: \(renewal(profile))")
        case .reference: .failed("the credential of \(id) is a reference that leads nowhere; `keybearer models status` says why")
        case .invalidExpiry: .failed("\(id) is not used, since its `expires` is no time; store it again: \(renewal(profile))")
        case .expired(let since):
            .failed(
                "\(id) expired \(ExpiryText.span(Clock.wall() - since)) ago and cannot be refreshed; store a new one: \(renewal(profile))")
        case .notRefreshable: .failed("the token of \(id) has expired and cannot be refreshed; log in again: \(renewal(profile))")
        case .ended(let code): .failed("the provider has ended the login of \(id) (\(code)); log in again: \(renewal(profile))")
        case .failedForNow(let text):
            .failed("the token of \(id) has expired and could not be refreshed: \(text); the login is kept, try again")
        }
    }

    /// The command that stores a credential under the same name.
    private func renewal(_ profile: Profile) -> String {
        let verb =
            switch profile.kind {
            case .apiKey: "paste-api-key"
            case .token: installation.settings.provider(profile.provider)?.setupToken != nil ? "setup-token" : "paste-token"
            case .oauth: installation.settings.provider(profile.provider)?.oauth?.login == nil ? "add" : "login"
            }
        var words = ["keybearer", "models", "auth", verb]
        if verb != "add" { words += ["--provider", profile.provider, "--profile-id", profile.id] }
        for (name, value) in [("--state-dir", options.stateDirectory), ("--config", options.config), ("--agent", options.agent)] {
            if let value { words += [name, value] }
        }
        return "`" + words.map(Self.word).joined(separator: " ") + "`"
    }

    /// As a shell reads it; quoted where it must be.
    private static func word(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || "-_./:@,+=".utf8.contains(byte)
        }
        return isPlain && !text.isEmpty ? text : Shell.bash.quoted(text)
    }
}

/// What has to be done before a profile's secret can be printed. Pure.
enum TokenStanding: Equatable {
    /// Why there is nothing to print.
    enum Reason: Equatable {
        case noSecret, reference, invalidExpiry, notRefreshable
        /// A token that nobody can refresh, ended then.
        case expired(since: Int64)
        /// The provider refused the refresh token, by this code.
        case ended(String)
        /// A refresh that may succeed next time.
        case failedForNow(String)
    }

    case works
    case refresh(Cause)
    case dead(Reason)

    /// Where `profile` stands at `now`; times in ms. A token that works is refreshed when it ends within `minValidity`, but never if
    /// its login has ended: that could only fail.
    init(_ profile: Profile, _ mark: NeedsLogin?, canRefresh: Bool, minValidity: Int64, now: Int64) {
        guard profile.kind == .oauth else {
            self = Self.fixed(profile, now: now)
            return
        }
        let refreshable = canRefresh && profile.refresh != nil
        guard profile.isUsable(now: now), mark?.accessRejected != true, let secret = profile.secret else {
            self = mark.map { .dead(.ended($0.code)) } ?? (refreshable ? .refresh(.expired) : .dead(.notRefreshable))
            return
        }
        let endsSoon = profile.expires.map { $0 - now < minValidity } ?? false
        self = endsSoon && refreshable && mark == nil ? .refresh(.early(holding: secret.fingerprint)) : .works
    }

    /// A key or a token.
    private static func fixed(_ profile: Profile, now: Int64) -> TokenStanding {
        guard profile.secret != nil else { return .dead(profile.hasUnresolvedReference ? .reference : .noSecret) }
        return switch profile.expiry(now: now) {
        case .never, .valid: .works
        case .expired(let since): .dead(.expired(since: since))
        case .invalid: .dead(.invalidExpiry)
        }
    }
}
