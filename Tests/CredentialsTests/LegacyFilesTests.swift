import Glibc
import Testing

@testable import Credentials

@Suite struct LegacyFilesTests {
    static let auth = """
        {
          "anthropic": {"type": "api_key", "key": "sk-old", "email": "me@example.com", "other": 1},
          "openai-codex": {"type": "oauth", "access": "a1", "refresh": "r1", "expires": 5, "accountId": "acc", "clientId": "c", "idToken": "t"},
          "copilot": {"type": "token", "provider": "github-copilot", "token": "t1", "expires": "never"},
          "shell": {"type": "api_key", "key": "!cat /etc/passwd"},
          "odd": {"type": "pigeon"},
          "note": "text"
        }
        """
    static let oauth =
        #"{"anthropic":{"access":"no","refresh":"no","expires":1},"google":{"access":"a2","refresh":"r2","expires":7,"extra":true},"x":1}"#

    /// A sink without a store, with old files.
    private static func old(auth: String? = auth, oauth: String? = oauth) -> TemporarySink {
        let sink = TemporarySink()
        mkdir(sink.path + "/credentials", 0o700)
        if let auth { sink.write(auth, to: sink.store.legacyAuthPath) }
        if let oauth { sink.write(oauth, to: sink.path + "/credentials/oauth.json") }
        return sink
    }

    static let imported = """
        {
          "version": 1,
          "profiles": {
            "anthropic:default": {
              "type": "api_key",
              "provider": "anthropic",
              "key": "sk-old",
              "email": "me@example.com"
            },
            "openai-codex:default": {
              "type": "oauth",
              "provider": "openai-codex",
              "access": "a1",
              "refresh": "r1",
              "expires": 5,
              "clientId": "c",
              "accountId": "acc"
            },
            "copilot:default": {
              "type": "token",
              "provider": "github-copilot",
              "token": "t1"
            },
            "google:default": {
              "type": "oauth",
              "provider": "google",
              "access": "a2",
              "refresh": "r2",
              "expires": 7,
              "extra": true
            }
          }
        }

        """

    @Test func theFirstUseImportsBothFilesByTheDocumentedRules() throws {
        let sink = Self.old()
        let snapshot = try sink.store.load()
        #expect(sink.profiles == Self.imported)
        #expect(snapshot.profiles.count == 4)
        #expect(snapshot.problems.map(\.profileID) == ["shell:default", "odd:default"])
        #expect(sink.read(sink.path + "/credentials/oauth.json") == Self.oauth, "oauth.json is kept")
        let names = sink.names(in: sink.store.directory).filter { $0.hasPrefix("auth.json") }
        #expect(names.count == 1 && names[0].hasPrefix("auth.json.imported-"), "auth.json is kept under another name")
        #expect(sink.read(sink.store.directory + "/" + names[0]) == Self.auth)
    }

    @Test func aSecondUseImportsNothing() throws {
        let sink = Self.old()
        _ = try sink.store.load()
        try sink.store.remove(id: "google:default")
        sink.write(Self.auth, to: sink.store.legacyAuthPath)
        #expect(try sink.store.load().profile("google:default") == nil)
        #expect(sink.read(sink.store.legacyAuthPath) == Self.auth)
    }

    @Test func aChangeImportsFirst() throws {
        let sink = Self.old()
        let snapshot = try sink.store.put(.apiKey(Secret("sk-new")!, provider: "anthropic"), id: "anthropic:default")
        #expect(snapshot.profiles.count == 4)
        #expect(snapshot.profile("anthropic:default")?.secret?.revealed == "sk-new")
    }

    @Test(arguments: [
        #"{"version":1,"managedBy":"keybearer","minted":{"anthropic":{"type":"api_key","key":"k"}}}"#, #"{"profiles":{}}"#, "{}",
        #"{"a":1}"#,
    ]) func ourOwnCacheAndWhatHoldsNoCredentialAreNotImported(auth: String) throws {
        let sink = Self.old(auth: auth, oauth: nil)
        #expect(try sink.store.load().profiles.isEmpty)
        #expect(sink.names(in: sink.store.directory) == ["auth.json"])
        #expect(sink.read(sink.store.legacyAuthPath) == auth)
        #expect(!sink.store.hasLegacyProfiles)
    }

    @Test func onlyTheMainAgentGetsTheSharedFile() throws {
        let sink = Self.old(auth: nil)
        let other = AgentStore(sink: sink.path, agentID: "second")
        #expect(try other.load().profiles.isEmpty)
        #expect(try sink.store.load().profiles.map(\.id) == ["anthropic:default", "google:default"])
        #expect(try other.load().profiles.isEmpty, "nor are main's copied")
    }

    @Test func aBrokenOldFileIsNamedLeftAndNoObstacleToANewLogin() throws {
        let sink = Self.old(auth: "{\n oops")
        let snapshot = try sink.store.load()
        #expect(snapshot.profiles.isEmpty, "half an import would hide the rest for good")
        #expect(snapshot.problems.map(\.code) == [.notImported])
        #expect(snapshot.problems[0].message.hasPrefix(sink.store.legacyAuthPath + ":2:2: "))
        #expect(sink.read(sink.store.profilesPath) == nil)
        #expect(sink.read(sink.store.legacyAuthPath) == "{\n oops")
        #expect(try sink.store.put(.apiKey(Secret("k")!, provider: "p"), id: "p:1").profiles.count == 1)
    }

    @Test func aSinkWithOldFilesAloneCountsAsFilled() {
        let probe = StatePlaces.Probe.live
        let shared = Self.old(auth: nil)
        let own = Self.old(oauth: nil)
        let empty = Self.old(auth: "{}", oauth: nil)
        let broken = Self.old(auth: "{", oauth: nil)
        #expect(probe.hasProfiles(shared.path, "main"))
        #expect(!probe.hasProfiles(shared.path, "second"))
        #expect(probe.hasProfiles(own.path, "main"))
        #expect(!probe.hasProfiles(empty.path, "main"))
        #expect(probe.hasProfiles(broken.path, "main"))
        #expect(shared.names(in: shared.store.directory).isEmpty, "looking imports nothing")
    }
}
