import Glibc
import Testing

@testable import Files

@Suite struct PrivateDirectoryTests {
    let folder = TemporaryFolder()

    @Test func missingDirectoriesAreMadePrivate() throws {
        #expect(try PrivateDirectory.ensure(folder("a/b/c")) == nil)
        #expect([folder.mode("a"), folder.mode("a/b"), folder.mode("a/b/c")] == [0o700, 0o700, 0o700])
        #expect(try PrivateDirectory.ensure(folder("a/b/c/")) == nil)
    }

    @Test func aModeThatIsTooWideIsRepairedAndReportedButNotAbove() throws {
        mkdir(folder("above"), 0o755)
        chmod(folder("above"), 0o755)  // whatever the umask
        mkdir(folder("above/store"), 0o755)
        chmod(folder("above/store"), 0o755)  // whatever the umask
        #expect(try PrivateDirectory.ensure(folder("above/store")) == 0o755)
        #expect(folder.mode("above/store") == 0o700)
        #expect(folder.mode("above") == 0o755)
    }

    @Test func whatIsNoDirectoryIsRefused() {
        folder.put("file", "")
        #expect(throws: FileError(.open, folder("file"), breaks: .notDirectory)) { try PrivateDirectory.ensure(folder("file")) }
        #expect(throws: FileError(.create, folder("file/below"), code: ENOTDIR)) { try PrivateDirectory.ensure(folder("file/below")) }
    }

    @Test func aDirectoryOfTheSystemIsNeverClosed() {
        mkdir(folder("shared"), 0o777)
        chmod(folder("shared"), 0o1777)
        #expect(throws: FileError(.open, folder("shared"), breaks: .systemDirectory)) { try PrivateDirectory.ensure(folder("shared")) }
        #expect(folder.mode("shared") == 0o1777)
        for path in ["/", "/usr", "/tmp/.."] {
            var before = stat()
            stat(path, &before)
            #expect(throws: FileError.self) { try PrivateDirectory.ensure(path) }
            var after = stat()
            stat(path, &after)
            #expect(before.st_mode == after.st_mode, "\(path)")
        }
    }

    @Test func anotherUsersDirectoryIsRefused() {
        mkdir(folder("theirs"), 0o755)
        chmod(folder("theirs"), 0o755)  // whatever the umask
        #expect(throws: FileError(.open, folder("theirs"), breaks: .wrongOwner)) {
            try PrivateDirectory.ensure(folder("theirs"), owner: geteuid() + 1)
        }
        #expect(folder.mode("theirs") == 0o755)
    }

    @Test func aLinkedDirectoryMustBePrivateAlready() throws {
        mkdir(folder("real"), 0o700)
        chmod(folder("real"), 0o700)  // whatever the umask
        symlink("real", folder("link"))
        #expect(try PrivateDirectory.ensure(folder("link")) == nil)
        chmod(folder("real"), 0o755)
        #expect(throws: FileError(.open, folder("link"), breaks: .notPrivate)) { try PrivateDirectory.ensure(folder("link")) }
    }

    @Test func writabilityIsProvedAndLeavesNothing() throws {
        try PrivateDirectory.proveWritable(folder.path)
        #expect(PrivateDirectory.isWritable(folder.path))
        #expect(folder.names == [])
        #expect(!PrivateDirectory.isWritable(folder("none")))
        #expect(!PrivateDirectory.isWritable("/proc"))
    }

    /// As in PrivateFileReplaceTests, the limit stands for a full disk.
    @Test func aDiskThatTakesNamesButNoBytesIsNotWritable() async {
        await #expect(processExitsWith: .success) {
            let folder = TemporaryFolder()
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 4096, rlim_max: 4096)
            precondition(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            precondition(!PrivateDirectory.isWritable(folder.path))
            precondition(folder.names == [])
            folder.remove()
            exit(EXIT_SUCCESS)
        }
    }
}
