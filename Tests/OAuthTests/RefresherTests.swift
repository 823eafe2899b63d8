import Credentials
import Glibc
import JSON
import Synchronization
import Testing

@testable import OAuth

@Suite struct RefresherTests {
    @Test func anExpiredTokenIsRenewedOnceAndStored() throws {
        let scene = RefreshScene()
        guard case .refreshed(let snapshot) = scene.refresh() else { Issue.record("not refreshed"); return }
        let profile = try #require(snapshot.profile(RefreshScene.id))
        #expect(profile.secret?.revealed == RotatingProvider.jwt(account: "acc", generation: 1))
        #expect(profile.refresh?.revealed == "refresh-1")
        #expect(profile.expires == RefreshScene.start + 3600 * 1000)
        #expect(scene.provider.posts == 1)
        #expect(try scene.profile == profile)
        #expect(scene.refresh().name == "adopted")
        #expect(scene.provider.posts == 1)
    }

    @Test func afterwardsTheJournalIsClosedAndHoldsNoSecret() throws {
        let scene = RefreshScene()
        _ = scene.refresh()
        #expect(try scene.lastIntent?.isOpen == false)
        let journal = try scene.journalText
        for secret in ["refresh-0", "refresh-1", "access-0", "e30."] { #expect(!journal.contains(secret)) }
    }

    @Test func anAnswerWithoutARefreshTokenKeepsTheOldOne() throws {
        let scene = RefreshScene()
        scene.provider.state.withLock { $0.rotates = false }
        #expect(scene.refresh().name == "refreshed")
        #expect(try scene.profile.refresh?.revealed == "refresh-0")
        #expect(try scene.profile.secret?.revealed == RotatingProvider.jwt(account: "acc", generation: 1))
    }

    @Test(arguments: [
        (400, #"{"error":"invalid_grant"}"#, "invalid_grant"),
        (401, #"{"error":"invalid_grant","error_description":"x"}"#, "invalid_grant"),
        (400, #"{"error":{"code":"refresh_token_reused"}}"#, "refresh_token_reused"),
        (401, #"{"error":{"code":"refresh_token_expired","type":"x"}}"#, "refresh_token_expired"),
        (400, #"{"error":{"code":"refresh_token_invalidated"}}"#, "refresh_token_invalidated"),
    ])
    func aDefiniteRefusalMarksTheProfileAndIsNotRepeated(status: Int, body: String, code: String) throws {
        let scene = RefreshScene()
        scene.provider.script(.answer(status, body))
        guard case .needsLogin(let failure) = scene.refresh() else { Issue.record("not needs-login"); return }
        #expect(failure.status == status)
        #expect(failure.code == code)
        let mark = try #require(try scene.snapshot.needsLogin[RefreshScene.id])
        #expect(mark.code == code)
        #expect(!mark.accessRejected)
        #expect(try scene.profile.refresh?.revealed == "refresh-0", "nothing is blanked")
        #expect(scene.refresh().name == "needsLogin")
        #expect(scene.provider.posts == 1)
        scene.login(access: "access-n", refresh: "refresh-0b", expires: 0)
        scene.provider.state.withLock { $0.refresh = "refresh-0b" }
        #expect(scene.refresh().name == "refreshed", "a new login clears the mark")
    }

    @Test(arguments: [
        (400, #"{"error":"invalid_request"}"#, "transient status"), (400, "invalid_grant", "transient status"),
        (403, #"{"error":"invalid_grant"}"#, "transient status"),
        (500, #"{"error":"invalid_grant"}"#, "transient status"), (429, "", "transient status"), (302, "", "transient status"),
        (503, "<html>", "transient status"),
        (200, "<html>captive portal</html>", "transient invalid_answer"), (200, "", "transient invalid_answer"),
        (200, #"{"access_token":""}"#, "transient invalid_answer"), (200, #"{"access_token":"a b"}"#, "transient invalid_answer"),
        (200, #"{"access_token":"a","token_type":"mac"}"#, "transient invalid_answer"),
        (200, #"{"access_token":"a","expires_in":-1}"#, "transient invalid_answer"),
        (200, #"{"access_token":"a","refresh_token":"r\n"}"#, "transient invalid_answer"),
        (200, #"{"access_token":"a","refresh_to"#, "transient invalid_answer"),
    ])
    func anythingElseIsTransientAndTheStoreStaysAsItIs(status: Int, body: String, outcome: String) throws {
        let scene = RefreshScene()
        let before = scene.contents(scene.store.profilesPath)
        scene.provider.script(.answer(status, body))
        #expect(scene.refresh().name == outcome)
        #expect(scene.contents(scene.store.profilesPath) == before)
        #expect(try scene.snapshot.needsLogin.isEmpty)
        #expect(scene.refresh().name == "refreshed", "the token is tried again")
        #expect(scene.provider.posts == 2)
    }

    @Test func retryAfterIsHandedOn() throws {
        let scene = RefreshScene()
        scene.provider.script(.answer(429, "", retryAfter: 17))
        guard case .transient(let failure, let retryAfter) = scene.refresh() else { Issue.record("not transient"); return }
        #expect(retryAfter == .seconds(17))
        #expect(failure.status == 429)
    }

    @Test func anotherAccountsTokenIsRefused() throws {
        let scene = RefreshScene()
        scene.provider.state.withLock { $0.account = "someone-else" }
        #expect(scene.refresh().name == "transient other_account")
        #expect(try scene.profile.secret?.revealed == "access-0")
        #expect(try !scene.journalText.contains("e30."))
    }

    @Test func aFailureTellsNothingOfTheAnswer() throws {
        let scene = RefreshScene()
        scene.provider.script(.answer(400, #"{"error":"canary sk-123 in prose","access_token":"canary"}"#))
        guard case .transient(let failure, _) = scene.refresh() else { Issue.record("not transient"); return }
        #expect(failure.code == nil)
        #expect(!"\(failure) \(String(reflecting: failure))".contains("canary"))
    }

    @Test func nothingIsSentWhereNothingCanBeReached() throws {
        let scene = RefreshScene()
        scene.provider.script(.unsent)
        #expect(scene.refresh().name == "transient unreachable")
        #expect(try scene.lastIntent?.isOpen == false, "the token is not in doubt")
    }

    @Test func aLostConnectionIsRepeatedOnceAtOnce() throws {
        let scene = RefreshScene()
        scene.provider.script(.lostBefore)
        #expect(scene.refresh().name == "refreshed")
        #expect(scene.provider.posts == 2)
        #expect(scene.provider.reuses == 0)
    }

    @Test func aSecondLostConnectionLeavesTheTokenInDoubtForLater() throws {
        let scene = RefreshScene()
        scene.provider.script(.lostBefore, .lostBefore)
        #expect(scene.refresh().name == "transient in_doubt")
        #expect(scene.provider.posts == 2)
        #expect(try scene.lastIntent?.isOpen == true)
        #expect(try scene.lastIntent?.retries == 1)
        #expect(scene.refresh().name == "refreshed")
        #expect(scene.provider.posts == 3)
    }

    @Test func anAnswerLostAfterRotationEndsInNeedsLoginAndNotInALoop() throws {
        let scene = RefreshScene()
        scene.provider.script(.lostAfter)
        #expect(scene.refresh().name == "needsLogin", "the unavoidable point, with a provider that revokes on reuse")
        #expect(scene.provider.posts == 2)
        #expect(scene.refresh().name == "needsLogin")
        #expect(scene.provider.posts == 2)
    }

    @Test func aFloodOfAnAnswerIsNoTokenAnswer() throws {
        let scene = RefreshScene()
        scene.provider.script(.tooLarge)
        #expect(scene.refresh().name == "transient invalid_answer")
        #expect(scene.provider.posts == 1)
    }

    @Test func anEarlyRefreshAdoptsWhatTheCallerDoesNotHoldYet() throws {
        let scene = RefreshScene(expiredFor: -60_000)
        let held = Secret("access-0")!.fingerprint
        #expect(scene.refresh(.early(holding: "0000000000000000")).name == "adopted")
        #expect(scene.refresh(.early(holding: held)).name == "refreshed")
        #expect(scene.refresh(.early(holding: held)).name == "adopted")
        #expect(scene.provider.posts == 1)
    }

    @Test func aRejectedTokenIsRefreshedOnceHoweverManySaySo() throws {
        let scene = RefreshScene(expiredFor: -3_600_000)
        let rejected = Secret("access-0")!.fingerprint
        #expect(scene.refresh(.rejected(rejected)).name == "refreshed")
        #expect(scene.refresh(.rejected(rejected)).name == "adopted")
        #expect(scene.provider.posts == 1)
    }

    @Test func aProviderThatGivesTheSameTokenAgainIsNotAskedForever() throws {
        let scene = RefreshScene(expiredFor: -3_600_000)
        let rejected = Secret("access-0")!.fingerprint
        scene.provider.script(.answer(503, ""), .answer(200, #"{"access_token":"access-0","expires_in":7200}"#))
        #expect(scene.refresh(.rejected(rejected)).name == "transient status", "a failure does not use up the one refresh")
        #expect(scene.refresh(.rejected(rejected)).name == "refreshed")
        #expect(scene.refresh(.rejected(rejected)).name == "unchanged")
        #expect(scene.provider.posts == 2)
    }

    @Test func aRefusalAfterARejectionEndsTheAccessTokenToo() throws {
        let scene = RefreshScene(expiredFor: -3_600_000)
        scene.provider.script(.answer(400, #"{"error":"invalid_grant"}"#))
        #expect(scene.refresh(.rejected(Secret("access-0")!.fingerprint)).name == "needsLogin")
        #expect(try scene.snapshot.needsLogin[RefreshScene.id]?.accessRejected == true)
    }

    @Test func aLoginMadeMeanwhileWinsOverTheAnswer() throws {
        let scene = RefreshScene()
        let racing = RacingTransport(scene) { scene.login(access: "fresh", refresh: "fresh-r", expires: RefreshScene.start + 1_000_000) }
        let outcome = scene.refresher(transport: racing).refresh(profileID: RefreshScene.id, client: scene.client, cause: .expired)
        #expect(outcome.name == "adopted")
        #expect(try scene.profile.secret?.revealed == "fresh")
        #expect(try scene.lastIntent?.isOpen == false)
    }

    @Test func aLoginMadeMeanwhileIsNotMarkedByTheRefusalOfTheOldToken() throws {
        let scene = RefreshScene()
        scene.provider.script(.answer(400, #"{"error":"invalid_grant"}"#))
        let racing = RacingTransport(scene) { scene.login(access: "fresh", refresh: "fresh-r", expires: RefreshScene.start + 1_000_000) }
        let outcome = scene.refresher(transport: racing).refresh(profileID: RefreshScene.id, client: scene.client, cause: .expired)
        #expect(outcome.name == "adopted")
        #expect(try scene.snapshot.needsLogin.isEmpty)
    }

    @Test func aProfileRemovedMeanwhileStaysRemoved() throws {
        let scene = RefreshScene()
        let lane = try scene.lane
        let racing = RacingTransport(scene) { _ = try? scene.store.remove(id: RefreshScene.id) }
        let outcome = scene.refresher(transport: racing).refresh(profileID: RefreshScene.id, client: scene.client, cause: .expired)
        #expect(outcome.name == "unchanged")
        #expect(try scene.snapshot.profiles.isEmpty)
        #expect(!String(decoding: scene.contents(scene.store.journalPath(of: lane)), as: UTF8.self).contains("refresh-1"))
    }

    @Test func whatCannotBeRefreshedIsLeftAlone() throws {
        let scene = RefreshScene()
        _ = try scene.store.put(.apiKey(Secret("k")!, provider: "p"), id: "p:key")
        for id in ["p:key", "nobody"] {
            #expect(scene.refresher().refresh(profileID: id, client: scene.client, cause: .expired).name == "unchanged")
        }
        #expect(scene.provider.posts == 0)
    }

    @Test func withoutAJournalNoTokenIsSpent() throws {
        let scene = RefreshScene()
        let before = scene.contents(scene.store.profilesPath)
        // A plain file where the folder should be: also root cannot write there.
        let descriptor = open(scene.path + "/keybearer/journal", O_WRONLY | O_CREAT, 0o600)
        close(descriptor)
        #expect(scene.refresh().name == "transient not_durable")
        #expect(scene.provider.posts == 0)
        #expect(scene.contents(scene.store.profilesPath) == before)
        scene.login(access: "fresh", refresh: "r", expires: RefreshScene.start + 1_000_000)
        #expect(scene.refresh().name == "adopted", "a newer token still helps")
    }

    @Test func withoutRoomForTheStoreNoTokenIsSpent() async throws {
        let scene = RefreshScene()
        // Twice its size is more than the process below may write into one file; the journal fits.
        try scene.store.update { document in
            document.setEntry("p:large", ["type": "api_key", "provider": "p", "note": .string(String(repeating: "x", count: 40_000))])
            return true
        }
        let path = scene.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 64 << 10, rlim_max: 64 << 10)
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            let provider = RotatingProvider(refresh: "refresh-0")
            let clock = WallClock(now: { RefreshScene.start }, sleep: { _ in })
            let outcome = Refresher(store: AgentStore(sink: path), transport: provider, clock: clock).refresh(
                profileID: RefreshScene.id, client: OAuthClient(tokenURL: "https://auth.example/token", clientID: "client"), cause: .expired
            )
            exit(outcome.name == "transient not_durable" && provider.posts == 0 ? 0 : 1)
        }
        #expect(scene.refresh().name == "refreshed")
    }

    /// The disk fails for good between the proof of durability and the answer: neither journal nor store takes the token.
    @Test func aTokenThatNothingOnDiskTakesIsKeptInMemoryUntilTheDiskDoes() async {
        await #expect(processExitsWith: .success) {
            signal(SIGXFSZ, SIG_IGN)
            let scene = RefreshScene()
            func allow(_ size: rlim_t) {
                var limit = rlimit(rlim_cur: size, rlim_max: rlim_t.max)
                setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            }
            let failing = RacingTransport(scene, after: true) {
                var limit = rlimit(rlim_cur: 0, rlim_max: rlim_t.max)
                setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            }
            let first = scene.refresher(transport: failing).refresh(profileID: RefreshScene.id, client: scene.client, cause: .expired)
            guard first.name == "transient not_durable", try scene.profile.refresh?.revealed == "refresh-0" else { exit(1) }
            // Still failing: nothing is sent, since the answer is here.
            guard scene.refresh().name == "transient not_durable", scene.provider.posts == 1 else { exit(2) }
            allow(rlim_t.max)
            guard ["refreshed", "adopted"].contains(scene.refresh().name), scene.provider.posts == 1 else { exit(3) }
            guard try scene.profile.refresh?.revealed == "refresh-1", try !scene.journalText.contains("refresh-1") else { exit(4) }
        }
    }

    @Test func aTokenThatCannotBeStoredWaitsInTheJournal() throws {
        let scene = RefreshScene()
        let aside = scene.store.directory + ".aside"
        let blocking = RacingTransport(scene, after: true) {
            rename(scene.store.directory, aside)
            close(open(scene.store.directory, O_WRONLY | O_CREAT, 0o600))
        }
        let outcome = scene.refresher(transport: blocking).refresh(profileID: RefreshScene.id, client: scene.client, cause: .expired)
        #expect(outcome.name == "transient not_durable")
        unlink(scene.store.directory)
        rename(aside, scene.store.directory)
        #expect(try scene.profile.refresh?.revealed == "refresh-0")
        #expect(scene.refresher().recover(profileID: RefreshScene.id, client: scene.client).name == "refreshed")
        #expect(try scene.profile.refresh?.revealed == "refresh-1")
        #expect(scene.provider.posts == 1)
    }

    @Test func settingsThatCannotWorkSendNothing() throws {
        let scene = RefreshScene()
        let clients = [
            OAuthClient(tokenURL: "http://auth.example/token", clientID: "c"),
            OAuthClient(tokenURL: "https://auth.example/token", clientID: "c", clientSecretEnvironment: "UNSET"),
        ]
        for client in clients {
            #expect(scene.refresher().refresh(profileID: RefreshScene.id, client: client, cause: .expired).name == "transient settings")
        }
        #expect(scene.provider.posts == 0)
    }

    @Test func theRequestHasTheProvidersForm() throws {
        let form = RefreshScene()
        _ = form.refresher().refresh(
            profileID: RefreshScene.id,
            client: OAuthClient(tokenURL: "https://auth.example/token", clientID: "a b&c", clientSecretEnvironment: "SET"), cause: .expired)
        #expect(
            form.provider.state.withLock { $0.bodies }
                == ["grant_type=refresh_token&refresh_token=refresh-0&client_id=a%20b%26c&client_secret=client-secret"])
        let json = RefreshScene(bodyForm: .json)
        #expect(json.refresh().name == "refreshed")
        #expect(
            json.provider.state.withLock { $0.bodies }
                == [#"{"grant_type":"refresh_token","refresh_token":"refresh-0","client_id":"client"}"#])
    }
}

/// Does something to the store while a request is under way.
struct RacingTransport: TokenTransport {
    let scene: RefreshScene
    let after: Bool
    let action: @Sendable () -> Void

    init(_ scene: RefreshScene, after: Bool = false, action: @escaping @Sendable () -> Void) {
        self.scene = scene
        self.after = after
        self.action = action
    }

    func post(_ request: TokenRequest) throws(TransportFailure) -> TokenAnswer {
        if !after { action() }
        let answer = try scene.provider.post(request)
        if after { action() }
        return answer
    }
}
