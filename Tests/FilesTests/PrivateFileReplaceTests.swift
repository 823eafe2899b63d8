import Glibc
import Testing

@testable import Files

@Suite struct PrivateFileReplaceTests {
    let folder = TemporaryFolder()

    @Test func aNewFileIsPrivateWhateverTheMask() throws {
        let identity = try PrivateFile.replace(folder("store"), with: Array("new"))
        #expect(folder.mode("store") == 0o600)
        #expect(identity == PrivateFile.identity(of: folder("store")))
        #expect(try PrivateFile.read(folder("store"))?.bytes == Array("new"))
        #expect(folder.names == ["store"])
    }

    @Test func aReplacementHasAnotherIdentityAndIsPrivateAgain() throws {
        folder.put("store", "old!", mode: 0o644)
        let before = PrivateFile.identity(of: folder("store"))
        let after = try PrivateFile.replace(folder("store"), with: Array("new!"))
        #expect(before?.inode != after.inode)
        #expect(folder.mode("store") == 0o600)
    }

    @Test func throughALinkTheTargetIsReplaced() throws {
        mkdir(folder("real"), 0o700)
        folder.put("real/store", "old")
        symlink("real/store", folder("store"))
        try PrivateFile.replace(folder("store"), with: Array("new"))
        #expect(folder.isLink("store"))
        #expect(try PrivateFile.read(folder("real/store"))?.bytes == Array("new"))
        #expect(folder.names == ["real", "store"])
        #expect(PrivateFile.realPath(of: folder("store")) == folder("real/store"))
    }

    @Test func throughALinkToNothingTheTargetIsMade() throws {
        symlink("target", folder("store"))
        try PrivateFile.replace(folder("store"), with: Array("new"))
        #expect(folder.isLink("store"))
        #expect(try PrivateFile.read(folder("target"))?.bytes == Array("new"))
    }

    /// The file-size limit stands for a full disk: the write of the new bytes fails half-way. In a process of its own, for the limit is one.
    @Test func aFailedReplaceLeavesTheOldBytesAndNoTemporary() async {
        await #expect(processExitsWith: .success) {
            let folder = TemporaryFolder()
            folder.put("store", "old")
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 4096, rlim_max: 4096)
            precondition(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            do {
                try PrivateFile.replace(folder("store"), with: [UInt8](repeating: 1, count: 1 << 16))
                preconditionFailure("the limit had no effect")
            } catch {
                precondition(error as? FileError == FileError(.write, folder("store"), code: EFBIG), "\(error)")
            }
            precondition(folder.names == ["store"], "\(folder.names)")
            precondition(try! PrivateFile.read(folder("store"))!.bytes == Array("old"))
            folder.remove()
            exit(EXIT_SUCCESS)
        }
    }

    @Test func whereThereIsNoFolderNothingIsMade() {
        #expect(throws: FileError(.write, folder("none/store"), code: ENOENT)) { try PrivateFile.replace(folder("none/store"), with: [1]) }
        #expect(folder.names == [])
    }

    @Test func onlyWhatAKilledReplaceOfThisFileLeftIsRemoved() throws {
        folder.put("store", "kept")
        for name in [".store.abc123.keybearer-tmp", ".store.x.keybearer-tmp", ".other.abc.keybearer-tmp", ".store.json"] {
            folder.put(name, "x")
        }
        #expect(try PrivateFile.removeLeftovers(of: folder("store")) == 2)
        #expect(folder.names == [".other.abc.keybearer-tmp", ".store.json", "store"])
    }

    @Test func theLongestNameCanBeReplaced() throws {
        let name = String(repeating: "n", count: 255)
        try PrivateFile.replace(folder(name), with: Array("new"))
        #expect(folder.names == [name])
    }
}
