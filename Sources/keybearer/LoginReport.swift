internal import Configuration
internal import Credentials
internal import OAuth
internal import Sockets

/// How a finished login is told.
struct LoginReport {
    private let installation: Installation
    private let provider: Provider

    init(_ installation: Installation, _ provider: Provider) {
        self.installation = installation
        self.provider = provider
    }

    /// Tells it.
    ///
    /// - Throws: `Failure` when the login is stored, but not where it was wanted.
    func tell(_ result: LoginResult) throws {
        let owner = result.email.map { " <\($0)>" } ?? ""
        let now = Clock.wall()
        let expiry = ExpiryText.sentence(.valid(until: result.expires), now: now)
        Output.line(
            "\(result.isNew ? "stored" : "renewed") \(result.profileID)\(owner) (login; access token \(expiry), refreshed by itself) "
                + "in \(installation.store.profilesPath)")
        if let notice = installation.places.notice { Output.error(notice) }
        noteOrder(result)
        noteOthers(result)
        if let occupied = result.occupied {
            if result.isAnonymous {
                throw Failure.failed(
                    "\(occupied) holds a login already, and \(provider.id) does not say whose this one is: it is kept as \(result.profileID); "
                        + "to replace \(occupied), log in again with --replace")
            }
            throw Failure.failed(
                "\(occupied) holds another account's credential and was left alone: you were logged in on the provider's page as somebody "
                    + "else. The login is kept as \(result.profileID); to replace \(occupied), log in again with --replace")
        }
    }

    /// A second login may be the same account's again, or another's.
    private func noteOthers(_ result: LoginResult) {
        let others = result.snapshot.profiles.filter { $0.provider == provider.id && $0.kind == .oauth && $0.id != result.profileID }
        guard result.isAnonymous, result.isNew, result.occupied == nil, let other = others.first else { return }
        Output.error(
            "note: \(provider.id) does not say whose a login is, so that this one is kept beside \(other.id); to renew that one, log in with "
                + "--profile-id \(other.id) --replace")
    }

    private func noteOrder(_ result: LoginResult) {
        let (source, order) = ProfileOrder.explicitOrder(
            provider: provider.id, snapshot: result.snapshot, configured: installation.settings.auth.order[provider.id])
        guard let order, !order.contains(result.profileID) else { return }
        Output.error(
            "note: \(StatusText.source(source)) of \(provider.id) does not list it, so it is not used; "
                + "`keybearer models auth order set --provider \(provider.id) …` changes that")
    }
}
