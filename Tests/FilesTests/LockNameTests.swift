import Glibc
import Testing

@testable import Files

@Suite struct LockNameTests {
    private struct NotFree: Error {}

    private static func open(_ path: String) throws { _ = try LockName(path) }

    @Test func aNameIsTakenOnceInEitherFormAndFreedByWhoKnowsIt() throws {
        let folder = TemporaryFolder()
        let name = try LockName(folder.path + "/x.lock")
        #expect(try name.look() == nil)
        #expect(try name.makeFile(Array("mine".utf8)) == true)
        #expect(try name.makeFile([]) == false)
        #expect(try name.makeDirectory() == false)
        let file = try #require(try name.look())
        #expect(file.form == .file)
        #expect(file.content == Array("mine".utf8))
        #expect(try name.rewrite(Array("MI".utf8), at: 0, in: file) == true)
        #expect(name.remove(file) == false, "it says something else by now")
        let rewritten = try #require(try name.look())
        #expect(rewritten.content == Array("MIne".utf8))
        #expect(name.remove(rewritten) == true)
        #expect(try name.makeDirectory() == true)
        let directory = try #require(try name.look())
        #expect(directory.form == .directory)
        try name.setModified(1_700_000_000_123_000_000)
        #expect(name.remove(directory) == false, "it has another time by now")
        let touched = try #require(try name.look())
        #expect(touched.modified == 1_700_000_000_123_000_000)
        #expect(name.takeAway(touched) == true)
        #expect(try name.look() == nil)
    }

    @Test func whatChangedSinceItWasSeenIsNotTakenAway() throws {
        let folder = TemporaryFolder()
        let name = try LockName(folder.path + "/x.lock")
        #expect(try name.makeFile(Array("old".utf8)) == true)
        let seen = try #require(try name.look())
        #expect(name.remove(seen) == true)
        #expect(try name.makeFile(Array("new".utf8)) == true)
        #expect(name.takeAway(seen) == false)
        #expect(try name.look()?.content == Array("new".utf8))
    }

    @Test(arguments: ["", "x", "/", "/nowhere/at/all/x.lock"]) func aPathWithoutADirectoryIsRefused(path: String) {
        #expect(throws: FileError.self) { try Self.open(path) }
    }

    @Test func theNoteOfALockOutlivesItsHolder() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/own.lock"
        do {
            guard let lock = try FileLock.acquire(path, timeout: .zero) else { throw NotFree() }
            let first = lock.note
            #expect(first.isEmpty)
            lock.leave(note: Array("long note".utf8))
            lock.leave(note: Array("note".utf8))
        }
        guard let next = try FileLock.acquire(path, timeout: .zero) else { throw NotFree() }
        let note = next.note
        #expect(note == Array("note".utf8))
    }

    @Test func aReplacementThatIsNoLongerAllowedChangesNothing() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/store"
        try PrivateFile.replace(path, with: [1])
        let error = #expect(throws: FileError.self) { try PrivateFile.replace(path, with: [2], if: { false }) }
        #expect(error?.rule == .lostLock)
        #expect(try PrivateFile.read(path)?.bytes == [1])
        #expect(try PrivateFile.removeLeftovers(of: path) == 0)
    }

    @Test func aFileSetAsideKeepsItsContentAndReplacesNothing() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/old"
        try PrivateFile.replace(path, with: [1])
        chmod(path, 0o644)
        try PrivateFile.setAside(path, as: "kept")
        #expect(try PrivateFile.read(path) == nil)
        let kept = try #require(try PrivateFile.read(folder.path + "/kept"))
        #expect(kept.bytes == [1] && kept.repairedMode == nil)
        try PrivateFile.replace(path, with: [2])
        #expect(throws: FileError.self) { try PrivateFile.setAside(path, as: "kept") }
        #expect(try PrivateFile.read(folder.path + "/kept")?.bytes == [1])
    }
}
