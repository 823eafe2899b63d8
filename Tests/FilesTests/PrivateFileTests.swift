import Glibc
import Testing

@testable import Files

@Suite struct PrivateFileTests {
    let folder = TemporaryFolder()

    /// The error that reading `name` ends in.
    private func refusal(_ name: String, limit: Int = 1 << 20, owner: uid_t = geteuid()) -> FileError? {
        do {
            _ = try PrivateFile.read(folder(name), limit: limit, owner: owner)
            return nil
        } catch {
            return error
        }
    }

    @Test func aPrivateFileIsReadWithItsIdentity() throws {
        folder.put("store", "content")
        let contents = try #require(try PrivateFile.read(folder("store")))
        #expect(contents.bytes == Array("content"))
        #expect(contents.repairedMode == nil)
        #expect(contents.identity == PrivateFile.identity(of: folder("store")))
    }

    @Test func anAbsentFileIsNil() throws {
        #expect(try PrivateFile.read(folder("none")) == nil)
        #expect(try PrivateFile.read(folder("no/such/folder")) == nil)
        #expect(PrivateFile.identity(of: folder("none")) == nil)
    }

    @Test(.timeLimit(.minutes(1))) func aFIFOIsRefusedWithoutBlocking() {
        mkfifo(folder("pipe"), 0o600)
        #expect(refusal("pipe")?.rule == .notRegular)
    }

    @Test func aDirectoryIsRefused() {
        mkdir(folder("store"), 0o700)
        #expect(refusal("store")?.rule == .notRegular)
        #expect(refusal("store/")?.rule == .notRegular)
        #expect(throws: FileError.self) { try PrivateFile.replace(folder("store"), with: [1]) }
    }

    @Test func aDeviceIsRefused() {
        symlink("/dev/zero", folder("device"))
        #expect(refusal("device")?.rule == .notRegular)
    }

    @Test(arguments: [0o644, 0o660, 0o666, 0o640, 0o601] as [mode_t])
    func aModeThatIsTooWideIsRepairedAndReported(mode: mode_t) throws {
        folder.put("store", "content", mode: mode)
        let contents = try #require(try PrivateFile.read(folder("store")))
        #expect(contents.repairedMode == mode)
        #expect(folder.mode("store") == 0o600)
        #expect(try PrivateFile.read(folder("store"))?.repairedMode == nil)
    }

    @Test func anotherUsersFileIsRefusedAndNotChanged() {
        folder.put("store", "content", mode: 0o644)
        #expect(refusal("store", owner: geteuid() + 1)?.rule == .wrongOwner)
        #expect(folder.mode("store") == 0o644)
        #expect(throws: FileError(.write, folder("store"), breaks: .wrongOwner)) {
            try PrivateFile.replace(folder("store"), with: [1], owner: geteuid() + 1)
        }
    }

    @Test(.enabled(if: geteuid() == 0)) func aFileGivenAwayIsRefused() {
        folder.put("store", "content")
        chown(folder("store"), 1234, 1234)
        #expect(refusal("store")?.rule == .wrongOwner)
    }

    @Test func aSecondHardLinkIsRefused() {
        folder.put("store", "content")
        link(folder("store"), folder("copy"))
        #expect(refusal("store")?.rule == .multipleLinks)
        #expect(throws: FileError(.write, folder("store"), breaks: .multipleLinks)) {
            try PrivateFile.replace(folder("store"), with: [1])
        }
    }

    @Test func moreThanTheLimitIsRefused() {
        folder.put("store", "12345678")
        #expect(refusal("store", limit: 8) == nil)
        #expect(refusal("store", limit: 7)?.rule == .tooLarge)
    }

    @Test func aLinkIsFollowedOnlyWhenItsTargetIsPrivate() throws {
        mkdir(folder("real"), 0o700)
        folder.put("real/store", "content")
        symlink("real/store", folder("relative"))
        symlink(folder("relative"), folder("absolute"))
        #expect(try PrivateFile.read(folder("absolute"))?.bytes == Array("content"))
        folder.put("real/store", "content", mode: 0o644)
        #expect(refusal("absolute")?.rule == .notPrivate)
        #expect(folder.mode("real/store") == 0o644)
    }

    @Test(.enabled(if: geteuid() == 0)) func anotherUsersLinkIsNotFollowed() {
        mkdir(folder("real"), 0o700)
        folder.put("real/store", "content")
        symlink("real/store", folder("link"))
        symlink("real", folder("directory"))
        #expect(refusal("link") == nil)
        lchown(folder("link"), 1234, 1234)
        #expect(refusal("link")?.rule == .foreignLink)
        folder.put("real/\u{301}accent", "content")
        #expect(refusal("directory/store") == nil)
        #expect(refusal("directory/\u{301}accent") == nil)
        lchown(folder("directory"), 1234, 1234)
        #expect(refusal("directory/store")?.rule == .foreignLink)
        // To Swift, a slash and the accent after it are one character, and not a slash.
        #expect(refusal("directory/\u{301}accent")?.rule == .foreignLink)
    }

    @Test func linksInACircleEnd() {
        symlink("b", folder("a"))
        symlink("a", folder("b"))
        #expect(refusal("a")?.code == ELOOP)
    }

    @Test func aPathWithANULIsNoPath() {
        #expect(refusal("store\0.txt")?.rule == .badPath)
        #expect(throws: FileError(.open, "", breaks: .badPath)) { try PrivateFile.read("") }
    }

    @Test func aFileReplacedWhileItIsReadIsSeenWhole() throws {
        let path = folder("store")
        try PrivateFile.replace(path, with: [UInt8](repeating: 0x61, count: 1 << 16))
        let writer = TestThread {
            for round in 0..<200 {
                _ = try? PrivateFile.replace(path, with: [UInt8](repeating: UInt8(0x61 + round % 26), count: 1 << 16))
            }
        }
        for _ in 0..<200 {
            let bytes = try #require(try PrivateFile.read(path)).bytes
            #expect(bytes.count == 1 << 16 && Set(bytes).count == 1)
        }
        writer.join()
    }

    @Test func errorsSayThePathTheReasonAndWhatToDo() {
        folder.put("store", "content")
        let denied = FileError(.open, "/x/store", code: EACCES)
        #expect(
            denied.description == "cannot open /x/store: Permission denied (errno 13); check its owner and mode, and those of its directory"
        )
        let foreign = refusal("store", owner: geteuid() + 1)?.description
        #expect(foreign == "\(folder("store")) belongs to another user; run Keybearer as that user, or change the owner with chown")
    }
}
