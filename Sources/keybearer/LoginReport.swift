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
        if let occupied = result.occupied {
            throw Failure.failed(
                "\(occupied) holds another account's credential and was left alone: you were logged in on the provider's page as somebody "
                    + "else. The login is kept as \(result.profileID); to replace \(occupied), log in again with --replace")
        }
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
