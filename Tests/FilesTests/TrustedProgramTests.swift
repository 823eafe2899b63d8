import Glibc
import Testing

@testable import Files

@Suite struct TrustedProgramTests {
    /// A program in a fresh folder, with the folders above it as a system has them.
    private func program(_ folder: TemporaryFolder, mode: mode_t = 0o700) -> String {
        let path = folder.path + "/tool"
        close(open(path, O_CREAT | O_WRONLY, 0o700))
        chmod(path, mode)
        return path
    }

    private func rule(_ path: String, _ rules: TrustedProgram.Rules = .init(), owners: [uid_t] = [geteuid(), 0]) -> FileError.Rule? {
        do throws(FileError) {
            _ = try TrustedProgram.check(path, rules, owners: owners)
            return nil
        } catch {
            return error.rule
        }
    }

    @Test func aProgramOfOursOrRootsIsTakenAndNamedByItsRealPath() throws {
        let folder = TemporaryFolder()
        let path = program(folder)
        #expect(try TrustedProgram.check(path) == PrivateFile.realPath(of: path))
        #expect(try TrustedProgram.check("/bin/sh", .init(allowsLink: true)).hasPrefix("/"))
    }

    @Test(arguments: [0o720, 0o702, 0o777] as [mode_t]) func oneThatOthersMayWriteIsRefusedUnlessAllowed(mode: mode_t) {
        let folder = TemporaryFolder()
        let path = program(folder, mode: mode)
        #expect(rule(path) == .writableByOthers)
        #expect(rule(path, .init(allowsInsecurePath: true)) == nil)
    }

    @Test func oneInAFolderThatOthersMayWriteIsRefused() {
        let folder = TemporaryFolder()
        let path = program(folder)
        chmod(folder.path, 0o777)
        #expect(rule(path) == .writableByOthers)
        chmod(folder.path, 0o1777)
        #expect(rule(path) == nil, "the sticky bit keeps others from replacing what is ours")
        chmod(folder.path, 0o700)
    }

    @Test func anotherUsersProgramIsRefused() {
        let folder = TemporaryFolder()
        #expect(rule(program(folder), owners: [geteuid() + 1]) == .wrongOwner)
    }

    @Test func aLinkIsFollowedOnlyWhenAllowedAndWhatItLeadsToIsChecked() {
        let folder = TemporaryFolder()
        let path = program(folder, mode: 0o777)
        symlink(path, folder.path + "/link")
        #expect(rule(folder.path + "/link") == .link)
        #expect(rule(folder.path + "/link", .init(allowsLink: true)) == .writableByOthers)
        chmod(path, 0o700)
        #expect(rule(folder.path + "/link", .init(allowsLink: true)) == nil)
    }

    @Test func trustedFoldersAreTheOnlyOnes() {
        let folder = TemporaryFolder()
        let path = program(folder)
        #expect(rule(path, .init(trustedDirectories: ["/usr/bin"])) == .notTrusted)
        #expect(rule(path, .init(trustedDirectories: ["/usr/bin", folder.path])) == nil)
        #expect(rule(path, .init(trustedDirectories: [String(folder.path.dropLast())])) == .notTrusted, "a folder, not the start of a name")
        #expect(rule(path, .init(trustedDirectories: [])) == .notTrusted)
    }

    @Test func whatIsNoProgramIsRefused() {
        let folder = TemporaryFolder()
        #expect(rule("tool") == .notAbsolute)
        #expect(rule(folder.path) == .notRegular)
        mkfifo(folder.path + "/fifo", 0o700)
        #expect(rule(folder.path + "/fifo") == .notRegular)
        // Root may run anything that anyone may.
        #expect(rule(program(folder, mode: 0o600)) == .notExecutable)
        #expect(throws: FileError.self) { try TrustedProgram.check(folder.path + "/absent") }
    }
}
