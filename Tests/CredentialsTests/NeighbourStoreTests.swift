import Files
import Glibc
import Synchronization
import Testing

@testable import Credentials

/// The store of a sink that is shared with Moltbot or OpenClaw.
@Suite struct NeighbourStoreTests {
    /// A shared sink; `version` decides on the neighbour's locks.
    private static func shared(version: String, profiles: String = AgentStoreTests.combined) -> TemporarySink {
        let sink = TemporarySink(profiles: profiles)
        sink.write(#"{"meta":{"lastTouchedVersion":"\#(version)"}}"#, to: sink.path + "/openclaw.json")
        return sink
    }

    static let versions = [("2026.1.30", LockName.Form.directory), ("2026.2.27", .file)]

    @Test(arguments: versions) func aChangeHoldsTheNeighboursLockAndGivesItBack(version: String, form: LockName.Form) throws {
        let sink = Self.shared(version: version)
        var seen: LockName.Form?
        try sink.store.update { _ in
            seen = try! LockName(sink.lockPath).look()?.form
            return false
        }
        #expect(seen == form)
        #expect(throws: StoreError.self) { try sink.store.update { _ throws(StoreError) in throw .invalid("no") } }
        #expect(sink.names(in: sink.store.directory) == ["auth-profiles.json"], "also when the change fails")
    }

    @Test func aSinkOfOursAloneHasNoSuchLock() throws {
        let sink = TemporarySink(profiles: AgentStoreTests.combined)
        var seen: LockName.Sighting?
        try sink.store.update { _ in
            seen = try! LockName(sink.lockPath).look()
            return false
        }
        #expect(seen == nil)
        #expect(!sink.names(in: sink.store.locksDirectory).contains { $0.hasPrefix("neighbour-") })
    }

    @Test(arguments: versions) func aLinkedStoreIsLockedBesideTheLinkAndBesideItsTarget(version: String, form: LockName.Form) throws {
        let sink = Self.shared(version: version)
        let other = AgentStore(sink: sink.path, agentID: "second")
        mkdir("\(sink.path)/agents/second", 0o700)
        mkdir(other.directory, 0o700)
        symlink(sink.store.profilesPath, other.profilesPath)
        #expect(other.neighbourLockPaths == [sink.lockPath, other.profilesPath + ".lock"])
        try other.update { _ in
            #expect(try! LockName(sink.lockPath).look()?.form == form)
            #expect(try! LockName(other.profilesPath + ".lock").look()?.form == form)
            return false
        }
        #expect(sink.names(in: other.directory) == ["auth-profiles.json"])
        #expect(sink.names(in: sink.store.directory) == ["auth-profiles.json"])
    }

    @Test func anAbsentStoreIsLockedWithoutMakingIt() throws {
        let sink = Self.shared(version: "2026.2.27")
        unlink(sink.store.profilesPath)
        try sink.store.update { _ in false }
        #expect(sink.names(in: sink.store.directory).isEmpty, "an empty store would end a neighbour's first-use import")
    }

    @Test func aLockLostBeforeTheWriteIsTakenAnewAndTheChangeMergedIntoWhatTheThiefWrote() throws {
        let sink = Self.shared(version: "2026.2.27")
        var attempts = 0
        let snapshot = try sink.store.update { document throws(StoreError) in
            attempts += 1
            if attempts == 1 {
                unlink(sink.lockPath)
                sink.write(#"{"pid":\#(Int32.max),"createdAt":"2026-02-28T12:34:56.789Z"}"#, to: sink.lockPath)
                sink.write(sink.profiles.replacing("sk-ant-api03-xyz", with: "sk-hand-edit"), to: sink.store.profilesPath)
            }
            return document.renew(
                "openai-codex:me@example.com", spent: Secret("refresh-one")!.fingerprint,
                with: RenewedTokens(access: Secret("access-two")!, refresh: Secret("refresh-two")!, expires: 1_800_000_000_000))
        }
        #expect(attempts == 2)
        #expect(snapshot.profile("openai-codex:me@example.com")?.refresh?.revealed == "refresh-two", "the new token is not discarded")
        #expect(snapshot.profile("anthropic:default")?.secret?.revealed == "sk-hand-edit", "nor what was written meanwhile")
        #expect(!sink.names(in: sink.store.directory).contains { $0.contains(".lock") || $0.hasSuffix("-tmp") })
    }

    @Test func aLockThatIsAlwaysLostEndsInAnErrorAndNoWrite() throws {
        let sink = Self.shared(version: "2026.2.27")
        let error = #expect(throws: StoreError.self) {
            try sink.store.update { document throws(StoreError) in
                unlink(sink.lockPath)
                return document.removeEntry("anthropic:default")
            }
        }
        #expect(error?.description.hasPrefix(sink.lockPath) == true)
        #expect(sink.profiles == AgentStoreTests.combined)
    }

    @Test(arguments: [
        ("2026.1.30", LockName.Form.directory, 0, true), ("2026.2.27", .file, 0, true), ("2026.4.22", .file, 2, true),
        ("2026.6.1", .file, 2, false),
    ]) func aRefreshHoldsWhatTheNeighbourRefreshesUnder(
        version: String, form: LockName.Form, refreshLocks: Int, storeLock: Bool
    ) throws {
        let sink = Self.shared(version: version)
        let profile = try #require(try sink.store.load().profile("openai-codex:me@example.com"))
        let hold = try #require(try sink.store.excludingNeighbours(refreshing: profile))
        let folder = sink.path + "/locks/oauth-refresh"
        #expect(sink.names(in: folder).count == refreshLocks)
        #expect(try LockName(sink.lockPath).look()?.form == (storeLock ? form : nil))
        // Changes under it do not wait for it.
        try sink.store.using(hold).put(.apiKey(Secret("k")!, provider: "p"), id: "p:1")
        #expect(try (LockName(sink.lockPath).look() != nil) == storeLock)
        hold.release()
        #expect(sink.names(in: folder).isEmpty)
        #expect(try LockName(sink.lockPath).look() == nil)
    }

    @Test func aHoldThatWasLostIsTakenAnewForTheWrite() throws {
        let sink = Self.shared(version: "2026.2.27")
        let profile = try #require(try sink.store.load().profile("openai-codex:me@example.com"))
        let hold = try #require(try sink.store.excludingNeighbours(refreshing: profile))
        unlink(sink.lockPath)
        try sink.store.using(hold).put(.apiKey(Secret("k")!, provider: "p"), id: "p:1")
        #expect(try sink.store.load().profile("p:1") != nil)
        hold.release()
        #expect(try LockName(sink.lockPath).look() == nil)
    }

    @Test func aNeighbourThatHoldsTheLockIsWaitedForUntilTheWaiterIsTold() throws {
        let sink = Self.shared(version: "2026.2.27")
        let profile = try #require(try sink.store.load().profile("openai-codex:me@example.com"))
        sink.write(#"{"pid":1,"createdAt":"\#(InstantText.of(WallTime.milliseconds()))"}"#, to: sink.lockPath)
        let before = sink.read(sink.lockPath)
        var asked = 0
        #expect(throws: StoreError.self) {
            try sink.store.excludingNeighbours(refreshing: profile) {
                asked += 1
                return asked < 3
            }
        }
        #expect(asked == 3)
        #expect(sink.read(sink.lockPath) == before)
        #expect(!sink.names(in: sink.path).contains("locks") || sink.names(in: sink.path + "/locks/oauth-refresh").isEmpty)
    }

    @Test func aStartRemovesOurOwnLeftovers() async throws {
        let sink = Self.shared(version: "2026.1.30")
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = sink.path as String] in
            try AgentStore(sink: path).update { _ in kill(getpid(), SIGKILL) == 0 }
        }
        #expect(try LockName(sink.lockPath).look()?.form == .directory)
        sink.store.removeLeftoverLocks()
        #expect(try LockName(sink.lockPath).look() == nil)
        mkdir(sink.lockPath, 0o755)
        sink.store.removeLeftoverLocks()
        #expect(try LockName(sink.lockPath).look() != nil, "a live one of another program stays")
    }
}
