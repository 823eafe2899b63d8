import Credentials
import Glibc
import Synchronization
import Testing

@testable import OAuth

/// Refreshes in a sink that is shared with Moltbot or OpenClaw.
@Suite struct RefresherNeighbourTests {
    /// A token endpoint before which something happens.
    private final class Watched: TokenTransport {
        let provider: RotatingProvider
        let before: @Sendable () -> Void

        init(_ provider: RotatingProvider, before: @escaping @Sendable () -> Void) {
            self.provider = provider
            self.before = before
        }

        func post(_ request: TokenRequest) throws(TransportFailure) -> TokenAnswer {
            before()
            return try provider.post(request)
        }
    }

    private static func shared(version: String) -> RefreshScene {
        let scene = RefreshScene()
        write(#"{"meta":{"lastTouchedVersion":"\#(version)"}}"#, to: scene.path + "/openclaw.json")
        return scene
    }

    private static func write(_ text: String, to path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        var bytes = Array(text.utf8)
        precondition(Glibc.write(descriptor, &bytes, bytes.count) == bytes.count)
        close(descriptor)
    }

    private static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    @Test(arguments: [("2026.1.30", true, false), ("2026.2.27", true, false), ("2026.4.22", true, true), ("2026.6.1", false, true)])
    func whatTheNeighbourRefreshesUnderIsHeldWhileTheTokenIsSpent(version: String, storeLock: Bool, refreshLock: Bool) throws {
        let scene = Self.shared(version: version)
        let storePath = scene.store.profilesPath + ".lock"
        // The name for provider openai-codex and id openai-codex:me, by Python's hashlib.
        let refreshPath = scene.path + "/locks/oauth-refresh/sha256-\(Self.hashOfMe).lock"
        let seen = Mutex<[Bool]>([])
        let transport = Watched(scene.provider) { seen.withLock { $0 = [Self.exists(storePath), Self.exists(refreshPath)] } }
        let outcome = scene.refresher(transport: transport).refresh(profileID: RefreshScene.id, client: scene.client, cause: .expired)
        #expect(outcome.name == "refreshed")
        #expect(seen.withLock { $0 } == [storeLock, refreshLock])
        #expect(!Self.exists(storePath) && !Self.exists(refreshPath))
        #expect(try scene.profile.refresh?.revealed == "refresh-1")
    }

    @Test func aLockStolenWhileTheTokenIsSpentLosesNoToken() throws {
        let scene = Self.shared(version: "2026.2.27")
        let path = scene.store.profilesPath + ".lock"
        let transport = Watched(scene.provider) {
            unlink(path)
            Self.write(#"{"pid":\#(Int32.max),"createdAt":"2026-01-01T00:00:00.000Z"}"#, to: path)
        }
        let outcome = scene.refresher(transport: transport).refresh(profileID: RefreshScene.id, client: scene.client, cause: .expired)
        #expect(outcome.name == "refreshed")
        #expect(try scene.profile.refresh?.revealed == "refresh-1")
        #expect(!Self.exists(path))
    }

    @Test func aNeighbourThatIsRefreshingIsWaitedForAndItsTokenAdopted() throws {
        let scene = Self.shared(version: "2026.1.30")
        let path = scene.store.profilesPath + ".lock"
        let profiles = scene.store.profilesPath
        let changed = String(decoding: scene.contents(profiles), as: UTF8.self).replacing("refresh-0", with: "refresh-theirs")
            .replacing("access-0", with: "access-theirs").replacing(
                String(RefreshScene.start - 1000), with: String(RefreshScene.start + 3_600_000))
        mkdir(path, 0o755)
        // Real threads: Swift's pool may be busy with other tests for longer than a lock without a heartbeat stays fresh.
        let outcome = Mutex("")
        let waiting = TestThread {
            let name = scene.refresh().name
            outcome.withLock { $0 = name }
        }
        usleep(300_000)
        Self.write(changed, to: profiles)
        waiting.join()
        #expect(outcome.withLock { $0 } == "adopted")
        #expect(scene.provider.posts == 0)
        #expect(Self.exists(path), "its lock is its own")
    }

    @Test func aStartRemovesTheLockThatAKilledRefreshLeft() {
        let scene = Self.shared(version: "2026.2.27")
        let path = scene.store.profilesPath + ".lock"
        Self.write(#"{"pid":\#(Int32.max),"createdAt":"2026-01-01T00:00:00.000Z"}"#, to: path)
        _ = scene.refresher().recover(profileID: RefreshScene.id, client: scene.client)
        #expect(!Self.exists(path))
    }

    private static let hashOfMe = "dfdd3bcefebf02ab9f5aa19e437bcdde006f90f2e36b66cda5e28406bd790fa3"
}
