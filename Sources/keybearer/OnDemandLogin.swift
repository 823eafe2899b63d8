internal import Configuration
internal import Credentials
internal import OAuth
internal import Sockets

/// The login of a provider whose tokens are had by asking a program, or by a client's own secret: it is asked once, and the profile that is
/// stored then holds no credential.
struct OnDemandLogin {
    private let installation: Installation
    private let provider: Provider

    init(_ installation: Installation, _ provider: Provider) {
        self.installation = installation
        self.provider = provider
    }

    /// Has a token issued, and stores the profile `id` (else `<provider>:default`).
    func store(as id: String?, replacing: Bool) throws {
        guard let issuance = provider.onDemand else { return }
        guard provider.injection(for: .token) != nil else {
            throw Failure.configuration("\(provider.id) takes no tokens by its data: its auth.token is null")
        }
        let id = id ?? "\(provider.id):default"
        let store = installation.store
        let held = try store.load().profile(id)
        if let held, held.provider != provider.id || !held.isOnDemand, !replacing {
            throw Failure.usage(
                "\(id) holds \(StatusText.kind(held.kind)) of \(held.provider) already; name another profile with --profile-id, or replace it "
                    + "with --replace")
        }
        // Asked before anything that is there is replaced.
        var profile = Profile(id: id, provider: provider.id, kind: .token, secret: nil)
        profile.isOnDemand = true
        let minter = Minter(store: store)
        let trial = Waiting.show("Asking for a token") { minter.trial(of: issuance, for: profile) }
        let token: MintedToken
        switch trial {
        case .success(let issued): token = issued
        case .failure(let failure): throw Failure.failed("\(provider.id) gave no token: \(failure); nothing was stored")
        }
        _ = try Waiting.show(Waiting.store) { () throws(StoreError) in
            try store.put(.onDemand(provider: provider.id), id: id, client: provider.oauth)
        }
        if let key = issuance.key(for: profile) { _ = try store.keep(token, as: key, of: id, now: Clock.wall()) }
        let end = ExpiryText.sentence(.valid(until: token.expires), now: Clock.wall())
        Output.line(
            "\(held == nil ? "stored" : "replaced") \(id) (asked for whenever it is needed; the token now \(end)) in \(store.profilesPath)")
        if let notice = installation.places.notice { Output.error(notice) }
    }
}
