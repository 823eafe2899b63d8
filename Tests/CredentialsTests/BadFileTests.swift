import Files
import Glibc
import Testing

@testable import Credentials

/// What the store is when it is not the private file it should be (spec/threats.md §6, T6).
@Suite struct BadFileTests {
    @Test(arguments: ["fifo", "directory", "hard link", "other owner", "dangling link"])
    func whatIsNoPrivateFileOfOursIsRefusedAtOnceAndLeft(kind: String) throws {
        let sink = TemporarySink()
        let path = sink.store.profilesPath
        switch kind {
        case "fifo": mkfifo(path, 0o600)
        case "directory": mkdir(path, 0o700)
        case "hard link":
            sink.write(AgentStoreTests.combined, to: sink.path + "/elsewhere")
            link(sink.path + "/elsewhere", path)
        case "other owner":
            // Only root can make one; others are spared.
            guard geteuid() == 0 else { return }
            sink.write(AgentStoreTests.combined, to: path)
            chown(path, 65534, 65534)
        default: symlink(sink.path + "/missing/store.json", path)
        }
        var before = stat()
        lstat(path, &before)
        let started = ContinuousClock.now
        if kind != "dangling link" { #expect(throws: StoreError.self) { try sink.store.load() } }
        #expect(throws: StoreError.self) { try sink.store.put(.apiKey(Secret("k")!, provider: "p"), id: "p:1") }
        #expect(ContinuousClock.now - started < .seconds(5), "a FIFO blocks nobody")
        var after = stat()
        lstat(path, &after)
        #expect(before.st_ino == after.st_ino && before.st_mode == after.st_mode)
    }

    @Test func aLinkOfOursToAPrivateFileIsUsedAndStays() throws {
        let sink = TemporarySink()
        sink.write(AgentStoreTests.combined, to: sink.path + "/elsewhere")
        symlink(sink.path + "/elsewhere", sink.store.profilesPath)
        try sink.store.put(.apiKey(Secret("k")!, provider: "p"), id: "p:1")
        #expect(try sink.store.load().profiles.count == 3)
        var info = stat()
        lstat(sink.store.profilesPath, &info)
        #expect(info.st_mode & S_IFMT == S_IFLNK)
    }

    @Test(arguments: [false, true]) func aFolderOpenToOthersIsClosedAndNamed(byAChange: Bool) throws {
        let sink = TemporarySink(profiles: AgentStoreTests.combined)
        chmod(sink.store.directory, 0o755)
        let snapshot = byAChange ? try sink.store.update { _ in false } : try sink.store.load()
        var info = stat()
        stat(sink.store.directory, &info)
        #expect(info.st_mode & 0o777 == 0o700)
        #expect(snapshot.problems.contains { $0.code == .repairedMode && $0.message.contains("\(sink.store.directory) had mode 0755") })
        #expect(try !sink.store.load().problems.contains { $0.code == .repairedMode }, "once")
    }

    @Test(.enabled(if: geteuid() == 0)) func anotherUsersFolderIsRefused() throws {
        let sink = TemporarySink(profiles: AgentStoreTests.combined)
        chown(sink.store.directory, 65534, 65534)
        #expect(throws: StoreError.self) { try sink.store.load() }
        chown(sink.store.directory, geteuid(), getegid())
    }

    @Test(arguments: [
        "null", "7", "\"text\"", "{}", #"{"type":"api_key"}"#, #"{"type":"oauth","provider":"p","access":"a b"}"#,
        #"{"type":"token","provider":"p","token":{"a":1}}"#,
    ])
    func oneBadEntryIsSkippedByNameAndTheOthersAreUsed(entry: String) throws {
        let good = #"{"type":"api_key","provider":"p","key":"k"}"#
        let text = #"{"version":1,"profiles":{"p:first":\#(good),"p:bad":\#(entry),"p:last":\#(good)}}"#
        let sink = TemporarySink(profiles: text)
        let snapshot = try sink.store.load()
        #expect(snapshot.profiles.filter { $0.secret != nil }.map(\.id) == ["p:first", "p:last"])
        #expect(snapshot.problems.map(\.profileID) == ["p:bad"])
        #expect(snapshot.problems[0].message.contains("p:bad"))
        #expect(sink.profiles == text)
    }

    @Test func theLastGoodCopyIsPrivateHoldsWhatTheStoreHoldsAndNothingThatWasRemoved() throws {
        let sink = TemporarySink(profiles: AgentStoreTests.combined)
        let copy = sink.store.profilesPath + ".last-good"
        try sink.store.put(.apiKey(Secret("sk-secret")!, provider: "p"), id: "p:1")
        #expect(sink.read(copy) == sink.profiles)
        var info = stat()
        stat(copy, &info)
        #expect(info.st_mode & 0o777 == 0o600)
        try sink.store.remove(id: "p:1")
        #expect(sink.read(copy) == sink.profiles)
        #expect(!sink.read(copy)!.contains("sk-secret"))
    }

    @Test func everyFileTheStoreMakesIsKnownAsItsOwn() throws {
        let sink = TemporarySink()
        sink.write(LegacyFilesTests.auth, to: sink.store.legacyAuthPath)
        _ = try sink.store.load()
        try sink.store.setOrder(["anthropic:default"], provider: "anthropic")
        for path in [sink.store.profilesPath, sink.store.statePath] {
            sink.write("{", to: path)
            _ = try? sink.store.load()
            sink.write(#"{"version":1,"profiles":{}}"#, to: path)
        }
        let names = sink.names(in: sink.store.directory)
        #expect(names.count == 6, "\(names)")
        #expect(names.allSatisfy(AgentStore.keeps))
        #expect(!AgentStore.keeps(fileNamed: "auth-profiles.json.mine") && !AgentStore.keeps(fileNamed: "models.json"))
    }

    @Test func aCopyThatCannotBeWrittenHoldsUpNothing() throws {
        let sink = TemporarySink(profiles: AgentStoreTests.combined)
        mkdir(sink.store.profilesPath + ".last-good", 0o700)
        try sink.store.put(.apiKey(Secret("k")!, provider: "p"), id: "p:1")
        #expect(try sink.store.load().profile("p:1") != nil)
    }

    @Test func theLastGoodCopyIsNamedAndNeverUsedByItself() throws {
        let sink = TemporarySink()
        try sink.store.put(.apiKey(Secret("k")!, provider: "p"), id: "p:1")
        sink.write("{ broken", to: sink.store.profilesPath)
        let error = #expect(throws: StoreError.self) { try sink.store.load() }
        #expect(error?.description.contains(sink.store.profilesPath + ".last-good") == true)
        unlink(sink.store.profilesPath)
        #expect(try sink.store.load().profiles.isEmpty)
    }
}
