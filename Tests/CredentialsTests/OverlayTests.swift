import Glibc
import JSON
import Testing

@testable import Credentials

/// A profile that is another program's login, read where it is.
@Suite struct OverlayTests {
    private static let now: Int64 = 1_800_000_000_000
    private let sink = TemporarySink()
    private var path: String { sink.path + "/claude.json" }

    private static func file(_ token: String, expires: Int64 = now + 3_600_000) -> String {
        #"{"claudeAiOauth":{"accessToken":"\#(token)","refreshToken":"rt-of-theirs","expiresAt":\#(expires)}}"#
    }

    private func borrow(_ text: String, mode: mode_t = 0o600) throws {
        sink.write(text, to: path, mode: mode)
        #expect(
            try sink.store.add(Overlay(owner: .claudeCode, path: path), provider: "anthropic", isKey: false, id: "anthropic:c") == .added)
    }

    private func eligibility(_ snapshot: StoreSnapshot, now: Int64 = now) -> Eligibility {
        ProfileOrder.eligibility(of: snapshot.profile("anthropic:c"), provider: "anthropic", declared: nil, snapshot: snapshot, now: now)
    }

    @Test func theStoreHoldsNoPartOfTheLoginAndRequestsGetItAsItIsNow() throws {
        try borrow(Self.file("first"))
        let before = try sink.store.load()
        let profile = try #require(before.profile("anthropic:c"))
        #expect(profile.secret?.revealed == "first" && profile.refresh == nil && profile.kind == .token)
        #expect(eligibility(before) == .ok && before.problems.isEmpty)
        #expect(!sink.profiles.contains("first") && !sink.profiles.contains("rt-of-theirs"))
        #expect(
            sink.read(sink.store.profilesPath + ".last-good")?.contains("rt-of-theirs") == false, "nor does the copy beside it")
        #expect(sink.store.isCurrent(before))

        // In place, as these programs write.
        sink.write(Self.file("second-one"), to: path)
        #expect(!sink.store.isCurrent(before))
        #expect(try sink.store.load().profile("anthropic:c")?.secret?.revealed == "second-one")
    }

    @Test func toMoltbotTheEntryIsATokenThatIsMissingAndNothingToRefresh() throws {
        try borrow(Self.file("first"))
        let entry = try #require(try sink.store.document().entry("anthropic:c"))
        #expect(entry["type"]?.string == "token" && entry["provider"]?.string == "anthropic")
        #expect(["token", "tokenRef", "access", "refresh", "key", "expires"].allSatisfy { entry[$0] == nil })
        #expect(entry["overlay"]?["tool"]?.string == "claude-code" && entry["overlay"]?["path"]?.string == path)
    }

    @Test func anExpiredOneSaysWhatToDoAndAFileThatIsGoneAsWell() throws {
        try borrow(Self.file("first", expires: Self.now - 1))
        let expired = try sink.store.load()
        #expect(eligibility(expired) == .overlayExpired)
        #expect(
            expired.profile("anthropic:c")?.overlay?.expiredSentence
                == "the token of \(path) has expired; run claude once, or `keybearer import claude-code --adopt`")
        unlink(path)
        let gone = try sink.store.load()
        #expect(eligibility(gone) == .overlayUnreadable)
        #expect(gone.problems.map(\.code) == [.unreadableOverlay] && gone.problems[0].message.contains("\(path) is not there"))
        #expect(!sink.store.isCurrent(expired))
    }

    @Test(arguments: ["fifo", "directory", "writable by others", "half written", "other owner", "empty", "dangling link"])
    func whatCannotBeReadHurtsNoOtherProfileAndBlocksNobody(kind: String) throws {
        try sink.store.put(.apiKey(Secret("k")!, provider: "anthropic"), id: "anthropic:key")
        try borrow(Self.file("first"))
        unlink(path)
        switch kind {
        case "fifo": mkfifo(path, 0o600)
        case "directory": mkdir(path, 0o700)
        case "writable by others": sink.write(Self.file("x"), to: path, mode: 0o622)
        case "half written": sink.write(String(Self.file("x").prefix(30)), to: path)
        case "other owner":
            guard geteuid() == 0 else { return }
            sink.write(Self.file("x"), to: path)
            chown(path, 65534, 65534)
        case "empty": sink.write("", to: path)
        default: symlink(sink.path + "/missing", path)
        }
        let started = ContinuousClock.now
        let snapshot = try sink.store.load()
        #expect(ContinuousClock.now - started < .seconds(5))
        #expect(eligibility(snapshot) == .overlayUnreadable)
        #expect(snapshot.problems.map(\.profileID) == ["anthropic:c"])
        #expect(snapshot.profile("anthropic:key")?.secret?.revealed == "k")
    }

    @Test func aLinkIsFollowedAndAModeThatLetsOthersReadIsLeft() throws {
        try borrow(Self.file("first"))
        let real = sink.path + "/real.json"
        rename(path, real)
        chmod(real, 0o644)
        symlink(real, path)
        #expect(try sink.store.load().profile("anthropic:c")?.secret?.revealed == "first")
        var info = stat()
        stat(real, &info)
        #expect(info.st_mode & 0o777 == 0o644, "it is not ours to repair")
        #expect(try ExternalFile(path, of: .claudeCode).isReadableByOthers)
    }

    @Test(
        arguments: [
            (#"{"claudeAiOauth":{"accessToken":"at"}}"#, "openai-codex"), (#"{"claudeAiOauth":{"accessToken":"at"}}"#, "openai"),
        ])
    func aFileThatHoldsAnothersCredentialByNowIsNotUsed(text: String, provider: String) throws {
        sink.write(text, to: path)
        _ = try sink.store.add(Overlay(owner: .claudeCode, path: path), provider: provider, isKey: provider == "openai", id: "p:1")
        let snapshot = try sink.store.load()
        #expect(snapshot.profile("p:1")?.secret == nil)
        #expect(snapshot.problems[0].message.contains("import it again"))
    }

    @Test(
        arguments: [
            #"{"tool":"codex"}"#, #"{"tool":"vi","path":"/x"}"#, #"{"tool":"codex","path":"relative"}"#, #"{"tool":"moltbot","path":"/x"}"#,
            #"{"tool":"codex","path":"/x","profile":"p:1"}"#, "7",
        ])
    func anOverlayThatCannotBeUnderstoodIsSkippedByName(overlay: String) throws {
        sink.write(
            #"{"version":1,"profiles":{"p:1":{"type":"token","provider":"p","overlay":\#(overlay)},"p:2":{"type":"token","provider":"p","token":"t"}}}"#,
            to: sink.store.profilesPath)
        let snapshot = try sink.store.load()
        #expect(snapshot.profiles.map(\.id) == ["p:2"] && snapshot.problems.map(\.profileID) == ["p:1"])
    }

    @Test func anEntryWithASecretOfItsOwnIsItsOwn() throws {
        sink.write(
            #"{"version":1,"profiles":{"p:1":{"type":"token","provider":"p","token":"t","overlay":{"tool":"codex","path":"/x"}}}}"#,
            to: sink.store.profilesPath)
        let profile = try #require(try sink.store.load().profile("p:1"))
        #expect(profile.secret?.revealed == "t" && profile.overlay == nil)
    }

    @Test func whatTakesItsPlaceIsNoOverlayAndAnotherOfThatNameStays() throws {
        try borrow(Self.file("first"))
        let overlay = Overlay(owner: .claudeCode, path: path)
        #expect(try sink.store.add(overlay, provider: "anthropic", isKey: false, id: "anthropic:c") == .unchanged)
        try sink.store.put(.token(Secret("t")!, provider: "anthropic", expires: nil), id: "anthropic:c")
        #expect(try sink.store.document().entry("anthropic:c")?["overlay"] == nil)
        #expect(try sink.store.add(overlay, provider: "anthropic", isKey: false, id: "anthropic:c") == .taken)
        #expect(try sink.store.load().profile("anthropic:c")?.secret?.revealed == "t")
    }

    @Test func removingItLeavesTheFileAsItWas() throws {
        try borrow(Self.file("first"))
        try sink.store.remove(id: "anthropic:c")
        #expect(sink.read(path) == Self.file("first"))
        #expect(try sink.store.load().profiles.isEmpty)
    }
}
