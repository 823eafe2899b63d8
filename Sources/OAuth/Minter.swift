public import Credentials
import Files
import JSON

/// Has a short-lived token issued for a profile: across threads and processes once, kept in `auth.json`. Blocks.
///
/// Nothing is spent by it, so that nothing can be lost here: a token whose answer went astray is issued anew.
public struct Minter: Sendable {
    private let store: AgentStore
    let transport: any TokenTransport
    let clock: WallClock
    /// Looks up a client's id and secret.
    let environment: @Sendable (_ name: String) -> String?

    /// A minter for one agent's profiles.
    public init(
        store: AgentStore, transport: any TokenTransport = CurlTransport(), clock: WallClock = .system,
        environment: @escaping @Sendable (_ name: String) -> String? = ProcessEnvironment.value
    ) {
        self.store = store
        self.transport = transport
        self.clock = clock
        self.environment = environment
    }

    /// A token for `profileID`, new or one that another process has had issued. `client`: how its credential is renewed when it is a login.
    public func issue(profileID: String, by issuance: Issuance, client: OAuthClient?, cause: Cause) -> RefreshOutcome {
        if case .exchange(let mint) = issuance { return self.mint(profileID: profileID, by: mint, client: client, cause: cause) }
        do throws(Ending) {
            let snapshot = try load { () throws(StoreError) in try store.load() }
            guard let profile = snapshot.profile(profileID), profile.isOnDemand else { return .unchanged }
            return try token(for: profile, issuance, cause) { () throws(Ending) in try ask(issuance, for: profile) }
        } catch {
            return error.outcome
        }
    }

    /// A token for a profile that is not stored yet; nothing is kept of it.
    public func trial(of issuance: Issuance, for profile: Profile) -> Result<MintedToken, RefreshFailure> {
        do throws(Ending) {
            return .success(try ask(issuance, for: profile))
        } catch {
            guard case .transient(let failure, _) = error.outcome else { return .failure(RefreshFailure(.invalidAnswer)) }
            return .failure(failure)
        }
    }

    private func ask(_ issuance: Issuance, for profile: Profile) throws(Ending) -> MintedToken {
        switch issuance {
        case .clientCredentials(let client): return try ask(client, for: profile)
        case .program(let program): return try ask(program)
        case .exchange(let mint):
            guard let secret = profile.secret else { throw Ending(.unchanged) }
            return try ask(mint, Parent(profile: profile, secret: secret))
        }
    }

    private func ask(_ program: CredentialProgram) throws(Ending) -> MintedToken {
        guard let programs = store.programs else { throw .failed(.reference, detail: "no program is run here") }
        switch programs.token(from: program, now: clock.now()) {
        case .success(let token): return token
        case .failure(let failure): throw .failed(.reference, detail: failure.description)
        }
    }

    func mint(profileID: String, by mint: Mint, client: OAuthClient?, cause: Cause) -> RefreshOutcome {
        do throws(Ending) {
            let parent = try parent(profileID, client, .expired)
            do throws(Ending) {
                return try token(of: parent, mint, cause)
            } catch {
                // A login that ended before its time.
                guard let client, parent.profile.kind == .oauth, case .transient(let failure, _) = error.outcome, failure.status == 401
                else {
                    throw error
                }
                let renewed = try self.parent(profileID, client, .rejected(parent.secret.fingerprint))
                guard renewed.secret != parent.secret else { throw error }
                return try token(of: renewed, mint, cause)
            }
        } catch {
            return error.outcome
        }
    }

    struct Parent {
        let profile: Profile
        let secret: Secret
    }

    /// The profile with a credential that works.
    private func parent(_ id: String, _ client: OAuthClient?, _ cause: Cause) throws(Ending) -> Parent {
        var snapshot = try load { () throws(StoreError) in try store.load() }
        if snapshot.profile(id)?.awaitsProgram == true { snapshot = try load { () throws(StoreError) in try store.following([id]) } }
        guard let profile = snapshot.profile(id) else { throw Ending(.unchanged) }
        if let secret = profile.secret, cause == .expired, profile.isUsable(now: clock.now()) {
            return Parent(profile: profile, secret: secret)
        }
        guard let client, profile.kind == .oauth else { throw .failed(.reference, detail: "\(id) holds no credential that works") }
        let outcome = Refresher(store: store, transport: transport, clock: clock).refresh(profileID: id, client: client, cause: cause)
        switch outcome {
        case .refreshed(let renewed), .adopted(let renewed): snapshot = renewed
        case .unchanged: snapshot = try load { () throws(StoreError) in try store.load() }
        case .transient, .needsLogin: throw Ending(outcome)
        }
        guard let renewed = snapshot.profile(id), let secret = renewed.secret, renewed.isUsable(now: clock.now()) else {
            throw Ending(.unchanged)
        }
        return Parent(profile: renewed, secret: secret)
    }

    private func token(of parent: Parent, _ mint: Mint, _ cause: Cause) throws(Ending) -> RefreshOutcome {
        guard let place = EndpointURL(mint.url) else {
            throw .failed(.settings, detail: "the URL of the mint must be https, or http to a loopback host")
        }
        // The credential itself goes there: what the profile says of hosts holds for this one, too.
        if let hosts = parent.profile.allowedHosts, !hosts.contains(place.host) {
            throw .failed(.settings, detail: "the allowedHosts of \(parent.profile.id) do not have the mint's host, \(place.host)")
        }
        return try token(for: parent.profile, .exchange(mint), cause) { () throws(Ending) in try ask(mint, parent) }
    }

    /// What the cache holds for the profile, or else what `ask` brings, under a lock of all processes.
    private func token(
        for profile: Profile, _ issuance: Issuance, _ cause: Cause, _ ask: () throws(Ending) -> MintedToken
    ) throws(Ending) -> RefreshOutcome {
        guard let key = issuance.key(for: profile) else { throw Ending(.unchanged) }
        let lock: FileLock?
        do throws(FileError) {
            _ = try PrivateDirectory.ensure(store.locksDirectory)
            lock = try FileLock.acquire("\(store.locksDirectory)/mint-\(key).lock", timeout: Lane.waitBound, while: { true })
        } catch {
            throw .failed(.notDurable, detail: error.description)
        }
        guard let lock else { throw .failed(.laneHeld) }
        defer { withExtendedLifetime(lock) {} }
        let snapshot = try load { () throws(StoreError) in try store.load() }
        if let held = snapshot.issued(for: profile, by: issuance), cause.isSatisfied(by: held, now: clock.now()) {
            return .adopted(snapshot)
        }
        let issued = try ask()
        return .refreshed(try load { () throws(StoreError) in try store.keep(issued, as: key, of: profile.id, now: clock.now()) })
    }

    private func ask(_ mint: Mint, _ parent: Parent) throws(Ending) -> MintedToken {
        let answer = try post(.mint(mint, of: parent.secret).through(parent.profile.proxy))
        guard (200...299).contains(answer.status) else {
            throw Ending(.transient(RefreshFailure(.status, status: answer.status), retryAfter: answer.retryAfter))
        }
        guard let root = try? Reader.parse(answer.body.bytes), let text = root.member(at: mint.tokenPath)?.string, let secret = Secret(text)
        else {
            throw .failed(.invalidAnswer, status: answer.status, detail: "no token at \(mint.tokenPath.joined(separator: "."))")
        }
        let now = clock.now()
        let told = ExpiryForm.any.end(root.member(at: mint.expiryPath), now: now) ?? AccessTokenClaims(secret)?.expiry
        return MintedToken(secret: secret, expires: told ?? now + TokenVerdict.assumedLife)
    }

    private func load(_ body: () throws(StoreError) -> StoreSnapshot) throws(Ending) -> StoreSnapshot {
        do throws(StoreError) {
            return try body()
        } catch {
            throw .failed(.store, detail: error.description)
        }
    }
}

extension Cause {
    /// Whether `token` is what was wanted: one that works, and another than the caller's.
    fileprivate func isSatisfied(by token: MintedToken, now: Int64) -> Bool {
        guard token.expires > now else { return false }
        switch self {
        case .expired: return true
        case .early(let held), .rejected(let held): return token.secret.fingerprint != held
        }
    }
}

extension TokenRequest {
    /// The request for a minted token.
    static func mint(_ mint: Mint, of parent: Secret) -> TokenRequest {
        let parameters = mint.parameters.map { (name: $0.name, value: $0.value) }
        let (body, type) =
            mint.bodyForm == .json ? (json(parameters), "application/json") : (form(parameters), "application/x-www-form-urlencoded")
        var request = TokenRequest(
            url: mint.url, contentType: type, body: mint.method == .post ? body : SensitiveBytes(), caFile: mint.caFile)
        request.method = mint.method
        request.credential = SensitiveBytes("\(mint.header): \(mint.prefix)\(parent.revealed)")
        return request
    }
}
