public import Credentials
import Files
import JSON

/// Has a short-lived token minted for a profile's own credential: across threads and processes once, kept in `auth.json`. Blocks.
///
/// The parent is not spent by it, so that nothing can be lost here: a token whose answer went astray is minted anew.
public struct Minter: Sendable {
    private let store: AgentStore
    private let transport: any TokenTransport
    private let clock: WallClock

    /// A minter for one agent's profiles.
    public init(store: AgentStore, transport: any TokenTransport = CurlTransport(), clock: WallClock = .system) {
        self.store = store
        self.transport = transport
        self.clock = clock
    }

    /// A token for `profileID`, new or one that another process has had minted. `client`: how the parent is renewed when it is a login.
    public func mint(profileID: String, by mint: Mint, client: OAuthClient?, cause: Cause) -> RefreshOutcome {
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

    private struct Parent {
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
        let key = mint.key(of: parent.secret)
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
        if let held = snapshot.minted[key], cause.isSatisfied(by: held, now: clock.now()) { return .adopted(snapshot) }
        let minted = try ask(mint, parent)
        return .refreshed(
            try load { () throws(StoreError) in try store.keep(minted, as: key, of: parent.profile.id, now: clock.now()) })
    }

    private func ask(_ mint: Mint, _ parent: Parent) throws(Ending) -> MintedToken {
        let answer: TokenAnswer
        do throws(TransportFailure) {
            answer = try transport.post(.mint(mint, of: parent.secret).through(parent.profile.proxy))
        } catch {
            switch error {
            case .notSent(let code): throw .failed(.unreachable, code: code)
            case .inDoubt(let code): throw .failed(.unreachable, code: code)
            case .tooLarge(let status): throw .failed(.invalidAnswer, status: status, detail: "larger than any token answer")
            }
        }
        guard (200...299).contains(answer.status) else {
            throw Ending(.transient(RefreshFailure(.status, status: answer.status), retryAfter: answer.retryAfter))
        }
        guard let root = try? Reader.parse(answer.body.bytes), let text = root.member(at: mint.tokenPath)?.string, let secret = Secret(text)
        else {
            throw .failed(.invalidAnswer, status: answer.status, detail: "no token at \(mint.tokenPath.joined(separator: "."))")
        }
        return MintedToken(secret: secret, expires: expiry(root.member(at: mint.expiryPath), of: secret))
    }

    private func expiry(_ value: Value?, of secret: Secret) -> Int64 {
        let now = clock.now()
        guard let number = value?.double ?? value?.string.flatMap({ Double($0) }), number > 0, number < 1e15 else {
            return AccessTokenClaims(secret)?.expiry ?? now + TokenVerdict.assumedLife
        }
        if number > 1e12 { return Int64(number) }
        return number > 1e9 ? Int64(number * 1000) : now + Int64(number * 1000)
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

extension Value {
    fileprivate func member(at path: [String]) -> Value? {
        path.isEmpty ? nil : path.reduce(Optional(self)) { value, name in value?[name] }
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
