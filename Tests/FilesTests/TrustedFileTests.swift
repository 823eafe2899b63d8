import Glibc
import Testing

@testable import Files

@Suite struct TrustedFileTests {
    private let folder = TemporaryFolder()

    private func file(mode: mode_t) throws -> String {
        let path = folder.path + "/settings"
        _ = try PrivateFile.replace(path, with: Array("{}".utf8))
        chmod(path, mode)
        return path
    }

    @Test(arguments: [0o600, 0o644, 0o444] as [mode_t]) func aFileThatOthersMayReadIsTakenAndKeepsItsMode(mode: mode_t) throws {
        let path = try file(mode: mode)
        #expect(try TrustedFile.read(path) == Array("{}".utf8))
        var info = stat()
        #expect(stat(path, &info) == 0)
        #expect(info.st_mode & 0o777 == mode)
    }

    @Test(arguments: [0o620, 0o602, 0o666] as [mode_t]) func aFileThatOthersMayWriteIsRefused(mode: mode_t) throws {
        let path = try file(mode: mode)
        let error = #expect(throws: FileError.self) { try TrustedFile.read(path) }
        #expect(error?.rule == .writableByOthers)
    }

    @Test func anotherUsersFileIsRefused() throws {
        let path = try file(mode: 0o644)
        let error = #expect(throws: FileError.self) { try TrustedFile.read(path, limit: 100, owners: [getuid() + 1]) }
        #expect(error?.rule == .wrongOwner)
    }

    @Test func whatIsNotThereIsNil() throws {
        #expect(try TrustedFile.read(folder.path + "/nothing") == nil)
    }

    @Test func aFIFODoesNotBlockAndIsRefused() throws {
        let path = folder.path + "/pipe"
        #expect(mkfifo(path, 0o600) == 0)
        let error = #expect(throws: FileError.self) { try TrustedFile.read(path) }
        #expect(error?.rule == .notRegular)
    }
}
