import Credentials
import Glibc
import Synchronization
import Testing

@testable import OAuth

/// A refresh ended after each of its steps, as kill -9 would: what is then in the store and the journal, and what the next refresh makes
/// of it. The provider is strict: it revokes the login when a refresh token comes twice.
@Suite struct RefresherCrashTests {
    struct Row: CustomTestStringConvertible, Sendable {
        let step: RefreshStep
        /// Requests before the crash, and in all after the next refresh.
        let postsBefore: Int
        let postsAfter: Int
        /// What the crash leaves.
        let isIntentOpen: Bool
        let holdsNewToken: Bool
        /// How the next refresh ends.
        let outcome: String
        var testDescription: String { "\(step)" }
    }

    static let rows = [
        Row(step: .laneEntered, postsBefore: 0, postsAfter: 1, isIntentOpen: false, holdsNewToken: false, outcome: "refreshed"),
        Row(step: .storeRead, postsBefore: 0, postsAfter: 1, isIntentOpen: false, holdsNewToken: false, outcome: "refreshed"),
        Row(step: .durabilityProved, postsBefore: 0, postsAfter: 1, isIntentOpen: false, holdsNewToken: false, outcome: "refreshed"),
        // The provider has seen nothing, which nobody can know here: the old token is sent once, and that is right.
        Row(step: .intentJournalled, postsBefore: 0, postsAfter: 1, isIntentOpen: true, holdsNewToken: false, outcome: "refreshed"),
        // The unavoidable point: rotated there, not yet on a disk here.
        Row(step: .answered, postsBefore: 1, postsAfter: 2, isIntentOpen: true, holdsNewToken: false, outcome: "needsLogin"),
        Row(step: .answerJournalled, postsBefore: 1, postsAfter: 1, isIntentOpen: true, holdsNewToken: false, outcome: "adopted"),
        Row(step: .stored, postsBefore: 1, postsAfter: 1, isIntentOpen: true, holdsNewToken: true, outcome: "adopted"),
        Row(step: .intentClosed, postsBefore: 1, postsAfter: 1, isIntentOpen: false, holdsNewToken: true, outcome: "adopted"),
    ]

    @Test(arguments: rows)
    func noTokenIsLostBeyondTheUnavoidablePoint(row: Row) throws {
        let scene = RefreshScene()
        crash(scene, after: row.step)
        #expect(scene.provider.posts == row.postsBefore)
        #expect(try scene.lastIntent?.isOpen ?? false == row.isIntentOpen)
        #expect(try scene.profile.refresh?.revealed == (row.holdsNewToken ? "refresh-1" : "refresh-0"))

        #expect(scene.refresh().name == row.outcome)
        #expect(scene.provider.posts == row.postsAfter)
        #expect(try scene.lastIntent?.isOpen ?? false == false)
        #expect(try !scene.journalText.contains("refresh-1"))
        if row.outcome != "needsLogin" {
            #expect(scene.provider.reuses == 0)
            #expect(try scene.profile.refresh?.revealed == scene.provider.current)
            #expect(try scene.profile.isUsable(now: scene.time.now))
        }
    }

    /// The same, and the recovery is killed too, at each of its own steps.
    @Test(arguments: [RefreshStep.answerJournalled, .stored], RefreshStep.allCases)
    func aCrashInTheRecoveryCostsNothing(first: RefreshStep, second: RefreshStep) throws {
        let scene = RefreshScene()
        crash(scene, after: first)
        crash(scene, after: second)
        #expect(scene.refresh().name == "adopted")
        #expect(scene.provider.posts == 1)
        #expect(try scene.profile.refresh?.revealed == "refresh-1")
        #expect(try scene.snapshot.problems.isEmpty)
    }

    @Test func recoveryAtTheStartFinishesWithoutTheNetwork() throws {
        let scene = RefreshScene()
        crash(scene, after: .answerJournalled)
        scene.time.advance(10 * 60 * 1000)
        let offline = RacingTransport(scene) { Issue.record("a request was sent") }
        #expect(scene.refresher(transport: offline).recover(profileID: RefreshScene.id, client: scene.client).name == "refreshed")
        #expect(try scene.profile.refresh?.revealed == "refresh-1")
        #expect(try scene.profile.expires == RefreshScene.start + 3600 * 1000, "the life counts from the answer, not from the recovery")
        #expect(scene.refresher(transport: offline).recover(profileID: RefreshScene.id, client: scene.client).name == "unchanged")
    }

    @Test func aRecoveredTokenThatHasExpiredMeanwhileIsRenewedWithItsSuccessor() throws {
        let scene = RefreshScene()
        crash(scene, after: .answerJournalled)
        scene.time.advance(2 * 3600 * 1000)
        #expect(scene.refresh().name == "refreshed")
        #expect(scene.provider.posts == 2)
        #expect(scene.provider.reuses == 0)
        #expect(try scene.profile.refresh?.revealed == "refresh-2")
    }

    @Test func aRefusalInTheJournalIsObeyedWithoutAskingAgain() throws {
        let scene = RefreshScene()
        scene.provider.script(.answer(400, #"{"error":"invalid_grant"}"#))
        crash(scene, after: .answerJournalled)
        #expect(scene.refresh().name == "needsLogin")
        #expect(scene.provider.posts == 1)
    }

    @Test func inDoubtANewerTokenInTheStoreIsAdopted() throws {
        let scene = RefreshScene()
        crash(scene, after: .answered)
        scene.login(access: "fresh", refresh: "fresh-r", expires: RefreshScene.start + 1_000_000)
        #expect(scene.refresh().name == "adopted")
        #expect(scene.refresh(.rejected(Secret("fresh")!.fingerprint)).name == "needsLogin", "the provider knows no fresh-r: it was asked")
        #expect(scene.provider.posts == 2)
    }

    @Test func anOldDoubtWaitsUntilTheAccessTokenHasExpired() throws {
        let scene = RefreshScene(expiredFor: -600_000)
        let held = Cause.early(holding: Secret("access-0")!.fingerprint)
        crash(scene, after: .intentJournalled, cause: held)
        scene.time.advance(61_000)
        #expect(scene.refresh(held).name == "unchanged")
        #expect(scene.provider.posts == 0)
        scene.time.advance(600_000)
        #expect(scene.refresh(.expired).name == "refreshed")
        #expect(scene.provider.posts == 1)
    }

    @Test func aYoungDoubtIsResolvedAtOnceButOnlyOnce() throws {
        let scene = RefreshScene(expiredFor: -600_000)
        let held = Cause.early(holding: Secret("access-0")!.fingerprint)
        crash(scene, after: .intentJournalled, cause: held)
        scene.time.advance(5_000)
        crash(scene, after: .intentJournalled, cause: held)
        #expect(try scene.lastIntent?.retries == 1)
        #expect(scene.refresh(held).name == "unchanged")
        #expect(scene.provider.posts == 0)
    }

    @Test func aRejectedTokenInDoubtIsSentAgain() throws {
        let scene = RefreshScene(expiredFor: -600_000)
        let rejected = Cause.rejected(Secret("access-0")!.fingerprint)
        crash(scene, after: .intentJournalled, cause: rejected)
        scene.time.advance(61_000)
        #expect(scene.refresh(rejected).name == "refreshed")
    }

    @Test func aProviderThatPunishesASecondUseGetsNone() throws {
        let scene = RefreshScene(expiredFor: -600_000, retryInDoubt: .never)
        let held = Cause.early(holding: Secret("access-0")!.fingerprint)
        crash(scene, after: .intentJournalled, cause: held)
        #expect(scene.refresh(held).name == "unchanged", "the access token works")
        scene.time.advance(700_000)
        #expect(scene.refresh(.expired).name == "needsLogin")
        #expect(try scene.snapshot.needsLogin[RefreshScene.id]?.code == "in_doubt")
        #expect(scene.provider.posts == 0)
        let lossy = RefreshScene(retryInDoubt: .never)
        lossy.provider.script(.lostBefore)
        #expect(lossy.refresh().name == "transient in_doubt")
        #expect(lossy.provider.posts == 1, "not repeated at once either")
    }

    @Test func replacingOrRemovingAProfileErasesWhatACrashLeftOfIt() throws {
        for change in [true, false] {
            let scene = RefreshScene()
            crash(scene, after: .answerJournalled)
            let path = scene.store.journalPath(of: try scene.lane)
            let text = { String(decoding: scene.contents(path), as: UTF8.self) }
            #expect(text().contains("refresh-1"))
            if change {
                let login = Credential.oauth(
                    access: Secret("a")!, refresh: Secret("r")!, expires: 1, provider: "openai-codex", accountID: "other", email: nil)
                try scene.store.put(login, id: RefreshScene.id, client: scene.client)
            } else {
                try scene.store.remove(id: RefreshScene.id, client: scene.client)
            }
            #expect(!text().contains("refresh-1"))
        }
    }

    /// A real process, killed by a real SIGKILL at the step; what it held is freed by the kernel, what it wrote is on the disk.
    @Test(arguments: rows)
    func aKilledProcessLosesNothingEither(row: Row) async throws {
        let scene = RefreshScene()
        let path = scene.path
        let name = "\(row.step)"
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, name = name as String] in
            let time = Time(RefreshScene.start)
            var refresher = Refresher(
                store: AgentStore(sink: path), transport: RotatingProvider(refresh: "refresh-0"),
                clock: WallClock(now: { time.now }, sleep: { _ in }))
            refresher.checkpoint = { step throws(Ending) in
                if "\(step)" == name { kill(getpid(), SIGKILL) }
            }
            _ = refresher.refresh(
                profileID: RefreshScene.id, client: OAuthClient(tokenURL: "https://auth.example/token", clientID: "client"), cause: .expired
            )
        }
        // What the provider of the killed process had seen.
        scene.provider.state.withLock {
            $0.posts = row.postsBefore
            $0.generation = row.postsBefore
            $0.refresh = "refresh-\(row.postsBefore)"
        }
        #expect(try scene.profile.refresh?.revealed == (row.holdsNewToken ? "refresh-1" : "refresh-0"))
        #expect(scene.refresh().name == row.outcome)
        #expect(scene.provider.posts == row.postsAfter)
        #expect(try scene.lastIntent?.isOpen ?? false == false)
    }

    private func crash(_ scene: RefreshScene, after step: RefreshStep, cause: Cause = .expired) {
        _ = scene.refresher(endingAfter: step).refresh(profileID: RefreshScene.id, client: scene.client, cause: cause)
    }
}
