import Glibc
import Testing

@testable import Credentials

@Suite struct RefreshJournalTests {
    static let intent = RefreshIntent(
        profileID: String(repeating: "\"", count: 256), spent: "0123456789abcdef", rejected: "fedcba9876543210", at: -5, retries: 3)

    static func answer(_ text: String) -> JournalledAnswer {
        JournalledAnswer(status: 200, receivedAt: 1_769_000_000_123, body: SensitiveBytes(text))
    }

    /// Changes one byte of the file.
    static func flip(_ path: String, at offset: Int) {
        let descriptor = open(path, O_RDWR)
        var byte: UInt8 = 0
        pread(descriptor, &byte, 1, offset)
        byte ^= 1
        pwrite(descriptor, &byte, 1, offset)
        close(descriptor)
    }

    @Test func anEmptyJournalHoldsNothingAndHasItsSizeAtOnce() throws {
        let sink = TemporarySink()
        let journal = try RefreshJournal(path: sink.path + "/j")
        #expect(try journal.lastIntent() == nil)
        #expect(try journal.answer(to: Self.intent) == nil)
        var status = stat()
        stat(sink.path + "/j", &status)
        #expect(status.st_size == 64 << 10)
        #expect(status.st_blocks * 512 >= 64 << 10, "preallocated")
        #expect(status.st_mode & 0o777 == 0o600)
    }

    @Test func intentAndAnswerAreReadBackByAnotherProcess() throws {
        let sink = TemporarySink()
        do {
            let journal = try RefreshJournal(path: sink.path + "/j")
            try journal.open(Self.intent)
            #expect(try journal.record(Self.answer("canary"), to: Self.intent))
        }
        let journal = try RefreshJournal(path: sink.path + "/j")
        #expect(try journal.lastIntent() == Self.intent)
        let answer = try #require(try journal.answer(to: Self.intent))
        #expect(answer.status == 200)
        #expect(answer.receivedAt == 1_769_000_000_123)
        #expect(answer.body.bytes == Array("canary".utf8))
    }

    @Test func closingLeavesTheIntentClosedAndNoSecret() throws {
        let sink = TemporarySink()
        let journal = try RefreshJournal(path: sink.path + "/j")
        try journal.open(Self.intent)
        #expect(try journal.record(Self.answer("canary"), to: Self.intent))
        #expect(sink.read(sink.path + "/j")?.contains("canary") == true)
        try journal.close(Self.intent)
        #expect(sink.read(sink.path + "/j")?.contains("canary") == false)
        #expect(try journal.lastIntent()?.isOpen == false)
        #expect(try journal.lastIntent()?.rejected == Self.intent.rejected)
        #expect(try journal.answer(to: Self.intent) == nil)
    }

    @Test func anAnswerBelongsToItsAttemptOnly() throws {
        let sink = TemporarySink()
        let journal = try RefreshJournal(path: sink.path + "/j")
        try journal.open(Self.intent)
        #expect(try journal.record(Self.answer("x"), to: Self.intent))
        let next = RefreshIntent(profileID: "p", spent: "s", rejected: nil, at: 1, retries: 0)
        try journal.open(next)
        #expect(try journal.answer(to: next) == nil)
    }

    @Test(arguments: [4096, 4104, 4110, 4145, 4165, 4170])
    func aDamagedAnswerIsNone(offset: Int) throws {
        let sink = TemporarySink()
        let journal = try RefreshJournal(path: sink.path + "/j")
        try journal.open(Self.intent)
        #expect(try journal.record(Self.answer("some body"), to: Self.intent))
        Self.flip(sink.path + "/j", at: offset)
        #expect(try journal.answer(to: Self.intent) == nil)
        #expect(try journal.lastIntent() == Self.intent)
    }

    @Test(arguments: [0, 8, 11, 12, 40])
    func anIntentCutWhileWrittenIsNone(offset: Int) throws {
        let sink = TemporarySink()
        let journal = try RefreshJournal(path: sink.path + "/j")
        try journal.open(Self.intent)
        Self.flip(sink.path + "/j", at: offset)
        #expect(try journal.lastIntent() == nil)
    }

    @Test func theLargestAnswerFitsAndALargerOneIsNotWritten() throws {
        let sink = TemporarySink()
        let journal = try RefreshJournal(path: sink.path + "/j")
        try journal.open(Self.intent)
        let largest = String(repeating: "x", count: RefreshJournal.bodyLimit)
        #expect(try journal.record(Self.answer(largest), to: Self.intent))
        #expect(try journal.answer(to: Self.intent)?.body.count == RefreshJournal.bodyLimit)
        #expect(try !journal.record(Self.answer(largest + "x"), to: Self.intent))
    }
}
