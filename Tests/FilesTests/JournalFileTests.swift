import Glibc
import Testing

@testable import Files

@Suite struct JournalFileTests {
    let folder = TemporaryFolder()

    @Test func aNewJournalIsPrivateFullSizeAndHasItsBlocks() throws {
        let journal = try JournalFile(open: folder("lane"))
        #expect(folder.mode("lane") == 0o600)
        #expect(journal.size == 65_536)
        #expect(try journal.read(at: 0, count: 65_536) == [UInt8](repeating: 0, count: 65_536))
        var info = stat()
        #expect(stat(folder("lane"), &info) == 0)
        #expect(info.st_size == 65_536)
        #expect(info.st_blocks * 512 >= 65_536)
    }

    @Test func whatWasWrittenSurvivesReopening() throws {
        do {
            let journal = try JournalFile(open: folder("lane"), size: 4096)
            try journal.write(Array("intent"), at: 0)
            try journal.write(Array("end"), at: 4093)
            try journal.sync()
        }
        let journal = try JournalFile(open: folder("lane"), size: 8192)
        #expect(try journal.read(at: 0, count: 7) == Array("intent\0"))
        #expect(try journal.read(at: 4093, count: 4) == Array("end\0"))
        try journal.zero(at: 0, count: 6)
        #expect(try JournalFile(open: folder("lane"), size: 8192).read(at: 0, count: 6) == [0, 0, 0, 0, 0, 0])
    }

    @Test(arguments: [(4090, 7), (-1, 1), (4097, 0), (0, 4097), (Int.max, 1)])
    func nothingIsWrittenOutside(offset: Int, count: Int) throws {
        let journal = try JournalFile(open: folder("lane"), size: 4096)
        do {
            try journal.write([UInt8](repeating: 1, count: count), at: offset)
            Issue.record("it was written")
        } catch {
            #expect(error == FileError(.write, folder("lane"), breaks: .outOfBounds))
        }
        #expect(PrivateFile.identity(of: folder("lane"))?.size == 4096)
    }

    @Test func aJournalOfTheWrongKindIsRefused() {
        mkfifo(folder("pipe"), 0o600)
        mkdir(folder("directory"), 0o700)
        for name in ["pipe", "directory"] {
            #expect(throws: FileError(.open, folder(name), breaks: .notRegular)) { _ = try JournalFile(open: folder(name)) }
        }
    }
}
