import Glibc
import JSON
import Testing

@testable import Credentials

@Suite struct AgentStoreTests {
    /// A store as others write it: every kind, unknown members at every level, numbers JavaScript would rewrite, an odd order.
    static let combined = """
        {
          "future": {
            "z": 1.0,
            "a": 12345678901234567890
          },
          "version": 1,
          "profiles": {
            "openai-codex:me@example.com": {
              "type": "oauth",
              "provider": "openai-codex",
              "access": "access-one",
              "refresh": "refresh-one",
              "expires": 1.7000e12,
              "accountId": "acc-1",
              "metadata": {
                "né": "😀",
                "n": 1e400
              }
            },
            "anthropic:default": {
              "displayName": "Work",
              "provider": "anthropic",
              "type": "api_key",
              "key": "sk-ant-api03-xyz"
            },
            "broken": {
              "type": "carrier-pigeon",
              "provider": "x"
            }
          },
          "order": {
            "Anthropic": [
              "anthropic:default"
            ]
          },
          "usageStats": {
            "anthropic:default": {
              "lastUsed": 1769000000000.5
            }
          }
        }

        """

    @Test func aStoreOfOthersIsReadAndOneBadEntryIsNamed() throws {
        let sink = TemporarySink(profiles: Self.combined)
        let snapshot = try sink.store.load()
        #expect(snapshot.profiles.map(\.id) == ["openai-codex:me@example.com", "anthropic:default"])
        let oauth = try #require(snapshot.profile("openai-codex:me@example.com"))
        #expect(oauth.kind == .oauth)
        #expect(oauth.secret?.revealed == "access-one")
        #expect(oauth.refresh?.revealed == "refresh-one")
        #expect(oauth.expires == 1_700_000_000_000)
        #expect(oauth.accountID == "acc-1")
        #expect(snapshot.order == ["anthropic": ["anthropic:default"]])
        #expect(snapshot.problems.map(\.profileID) == ["broken"])
        #expect(snapshot.problems.map(\.code) == [.invalidType])
    }

    @Test func anAbsentStoreIsEmptyAndLoadingMakesNothing() throws {
        let sink = TemporarySink()
        let snapshot = try AgentStore(sink: sink.path, agentID: "other").load()
        #expect(snapshot.profiles.isEmpty)
        #expect(sink.names(in: sink.path) == ["agents"])
        #expect(sink.names(in: sink.path + "/agents") == ["main"])
    }

    @Test func everythingNotChangedOnPurposeSurvivesEveryWrite() throws {
        let sink = TemporarySink(profiles: Self.combined)
        let key = try #require(Secret("sk-new"))
        try sink.store.put(.apiKey(key, provider: "openai"), id: "openai:new")
        let added = """
                "broken": {
                  "type": "carrier-pigeon",
                  "provider": "x"
                },
                "openai:new": {
                  "type": "api_key",
                  "provider": "openai",
                  "key": "sk-new"
                }
            """
        let before = """
                "broken": {
                  "type": "carrier-pigeon",
                  "provider": "x"
                }
            """
        #expect(sink.profiles == Self.combined.replacing(before, with: added))
        try sink.store.remove(id: "openai:new")
        #expect(sink.profiles == Self.combined)
        try sink.store.update { document in
            document.renew(
                "openai-codex:me@example.com", spent: Secret("refresh-one")!.fingerprint,
                with: RenewedTokens(access: Secret("access-two")!, refresh: Secret("refresh-two")!, expires: 1_800_000_000_000))
        }
        let renewed = Self.combined.replacing("access-one", with: "access-two").replacing("refresh-one", with: "refresh-two")
            .replacing("1.7000e12", with: "1800000000000")
        #expect(sink.profiles == renewed)
    }

    @Test func aReplacedCredentialKeepsItsPlaceAndItsNotesButNothingOfTheOldSecret() throws {
        let sink = TemporarySink(
            profiles: """
                {"version":1,"profiles":{"a:1":{"displayName":"mine","mode":"oauth","provider":"a","access":"OLD1","refresh":"OLD2",\
                "expires":5,"accountId":"OLD3","tokenRef":{"source":"env","provider":"default","id":"OLD4"}},"a:2":{"type":"api_key","provider":"a","key":"k"}}}
                """)
        let snapshot = try sink.store.put(.token(Secret("NEW")!, provider: "a", expires: 99), id: "a:1")
        #expect(snapshot.profiles.map(\.id) == ["a:1", "a:2"])
        #expect(!sink.profiles.contains("OLD"))
        let entry = try #require(try sink.store.document().entry("a:1"))
        #expect(
            entry
                == ["displayName": "mine", "provider": "a", "expires": 99, "type": "token", "token": "NEW"])
    }

    @Test(arguments: [
        "{\n  \"version\": 1,\n  oops\n}", "", "[1]", "{\"profiles\":[]}", "{\"version\":2,\"profiles\":{}}", "{\"version\":1",
    ])
    func aFileThatIsNoStoreIsLeftAloneCopiedOnceAndReportedByPlace(text: String) throws {
        let sink = TemporarySink(profiles: text)
        for _ in 0..<2 {
            #expect(throws: StoreError.self) { try sink.store.load() }
            #expect(throws: StoreError.self) { try sink.store.put(.apiKey(Secret("k")!, provider: "p"), id: "p:1") }
        }
        #expect(sink.profiles == text)
        let names = sink.names(in: sink.store.directory)
        #expect(names.count == 2)
        let copy = try #require(names.first { $0.hasPrefix("auth-profiles.json.corrupt-") })
        #expect(sink.read(sink.store.directory + "/" + copy) == text)
    }

    @Test func theErrorNamesPathLineAndColumn() throws {
        let sink = TemporarySink(profiles: "{\n  \"version\": 1,\n  oops\n}")
        let error = #expect(throws: StoreError.self) { try sink.store.load() }
        #expect(error?.description.hasPrefix("\(sink.store.profilesPath):3:3: ") == true)
    }

    @Test func aBrokenStateFileIsAProblemAndNoObstacle() throws {
        let sink = TemporarySink(profiles: Self.combined, state: "{")
        let snapshot = try sink.store.load()
        #expect(snapshot.profiles.count == 2)
        #expect(snapshot.problems.contains { $0.code == .unreadableState })
        #expect(throws: StoreError.self) { try sink.store.setOrder(["anthropic:default"], provider: "anthropic") }
        #expect(sink.state == "{")
    }

    @Test func aFolderThatMovedToSQLiteIsRefused() throws {
        let sink = TemporarySink(profiles: Self.combined)
        sink.write("", to: sink.store.directory + "/openclaw-agent.sqlite")
        #expect(throws: StoreError.self) { try sink.store.load() }
        #expect(throws: StoreError.self) { try sink.store.remove(id: "anthropic:default") }
        #expect(sink.profiles == Self.combined)
    }

    @Test func anOrderSetByCommandWinsOverTheCombinedFileAndClearingCancelsBoth() throws {
        let sink = TemporarySink(profiles: Self.combined, state: #"{"version":1,"lastGood":{"anthropic":"x"},"order":{"other":["o"]}}"#)
        try sink.store.put(.apiKey(Secret("k2")!, provider: "anthropic"), id: "anthropic:two")
        let written = sink.profiles
        #expect(
            try sink.store.setOrder(["anthropic:two", "anthropic:default"], provider: " ANTHROPIC ").order["anthropic"]
                == ["anthropic:two", "anthropic:default"])
        #expect(try sink.store.clearOrder(provider: "anthropic").order == ["other": ["o"]])
        #expect(try sink.store.clearOrder(provider: "other").order == [:])
        #expect(sink.profiles == written, "the combined file's order is its owner's")
        #expect(sink.state.contains("lastGood"))
    }

    @Test func anOrderNamesProfilesOfItsProviderOnly() throws {
        let sink = TemporarySink(profiles: Self.combined)
        #expect(throws: StoreError.self) { try sink.store.setOrder(["nobody"], provider: "anthropic") }
        #expect(throws: StoreError.self) { try sink.store.setOrder(["anthropic:default"], provider: "openai") }
        #expect(throws: StoreError.self) { try sink.store.setOrder([], provider: "anthropic") }
        #expect(sink.read(sink.store.statePath) == nil)
    }

    @Test func needsLoginIsClearedByANewLoginAndByCommand() throws {
        let sink = TemporarySink(profiles: Self.combined)
        let id = "openai-codex:me@example.com"
        let mark = NeedsLogin(
            fingerprint: Secret("refresh-one")!.fingerprint, code: "invalid_grant", status: 400, at: 7, accessRejected: true)
        #expect(try sink.store.markNeedsLogin(id: id, mark).needsLogin == [id: mark])
        #expect(try sink.store.load().needsLogin == [id: mark], "it survives a restart")
        #expect(!sink.state.contains("refresh-one"))
        #expect(try sink.store.clearNeedsLogin(id: id).needsLogin.isEmpty)
        try sink.store.markNeedsLogin(id: id, mark)
        let login = Credential.oauth(
            access: Secret("a")!, refresh: Secret("refresh-two")!, expires: 9, provider: "openai-codex", accountID: nil, email: nil)
        #expect(try sink.store.put(login, id: id).needsLogin.isEmpty)
        let state = sink.state
        let stale = NeedsLogin(fingerprint: mark.fingerprint, code: "later", status: nil, at: 8, accessRejected: false)
        #expect(try sink.store.markNeedsLogin(id: id, stale).needsLogin.isEmpty, "a stale refusal marks no new login")
        #expect(sink.state == state)
    }

    @Test func aFileOpenToOthersIsClosedAndNamed() throws {
        let sink = TemporarySink()
        sink.write(Self.combined, to: sink.store.profilesPath, mode: 0o644)
        #expect(try sink.store.load().problems.contains { $0.code == .repairedMode && $0.message.contains("0644") })
        #expect(try !sink.store.load().problems.contains { $0.code == .repairedMode })
    }

    @Test func theIdentityChangesWithTheFilesAndOnlyThen() throws {
        let sink = TemporarySink(profiles: Self.combined)
        let identity = try sink.store.load().identity
        #expect(sink.store.identity() == identity)
        try sink.store.update { _ in false }
        #expect(sink.store.identity() == identity)
        let changed = try sink.store.put(.apiKey(Secret("k")!, provider: "p"), id: "p:1").identity
        #expect(changed != identity)
        #expect(sink.store.identity() == changed)
    }

    @Test func writersSideBySideLoseNothing() async throws {
        let sink = TemporarySink(profiles: Self.combined)
        let store = sink.store
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<16 {
                group.addTask { _ = try? store.put(.apiKey(Secret("k\(number)")!, provider: "p"), id: "p:\(number)") }
            }
        }
        #expect(try store.load().profiles.filter { $0.provider == "p" }.count == 16)
    }

    @Test(arguments: ["", String(repeating: "é", count: 129), "a\nb", "a\u{7f}"])
    func anUnusableIDIsNotWritten(id: String) throws {
        let sink = TemporarySink()
        #expect(throws: StoreError.self) { try sink.store.put(.apiKey(Secret("k")!, provider: "p"), id: id) }
        #expect(sink.read(sink.store.profilesPath) == nil)
    }

    @Test func aLinkedStoreIsWrittenThroughAndSharesItsTargetsLock() throws {
        let sink = TemporarySink(profiles: Self.combined)
        let other = AgentStore(sink: sink.path, agentID: "second")
        mkdir("\(sink.path)/agents/second", 0o700)
        mkdir(other.directory, 0o700)
        symlink(sink.store.profilesPath, other.profilesPath)
        try other.put(.apiKey(Secret("k")!, provider: "p"), id: "p:1")
        #expect(try sink.store.load().profile("p:1") != nil)
        #expect(other.writtenDirectory == sink.store.directory)
        #expect(sink.names(in: sink.store.locksDirectory).filter { $0.hasPrefix("store-") }.count == 1)
        try sink.store.remove(id: "p:1")
        #expect(sink.names(in: sink.store.locksDirectory).filter { $0.hasPrefix("store-") }.count == 1)
    }

    @Test(arguments: [
        ("main", "main"), (" Work Stuff! ", "work-stuff"), ("", "main"), ("--", "main"), ("../../etc", "etc"), ("A_b-9", "a_b-9"),
        (String(repeating: "x", count: 80), String(repeating: "x", count: 64)),
    ])
    func anAgentsNameIsSafeAsAFolder(name: String, folder: String) {
        #expect(AgentID.normalised(name) == folder)
    }
}
