import Files
import Testing

@testable import Credentials

@Suite struct LockRulesTests {
    static let now: Int64 = 1_772_282_096_789

    struct Row: CustomTestStringConvertible, Sendable {
        let name: String
        var form: LockName.Form? = .file
        var content = ""
        /// How long ago the thing was modified, in ms.
        var age: Int64 = 0
        let isStale: Bool
        var testDescription: String { name }
    }

    static func payload(pid: Int = 7, ago: Int64 = 0, start: Int? = nil) -> String {
        #"{"pid":\#(pid),"createdAt":"\#(InstantText.of(now - ago))"\#(start.map { #","startTime":\#($0)"# } ?? "")}"#
    }

    static let rows = [
        Row(name: "a fresh directory is held", form: .directory, isStale: false),
        Row(name: "a directory of 30 s is held", form: .directory, age: 30_000, isStale: false),
        Row(name: "an older one is left behind", form: .directory, age: 30_001, isStale: true),
        Row(
            name: "a directory of the future is held: the first lock of a process is up to a second ahead", form: .directory, age: -1005,
            isStale: false),
        Row(name: "a live process's fresh file is held", content: payload(), isStale: false),
        Row(name: "also at 30 s", content: payload(ago: 30_000), isStale: false),
        Row(name: "a live process's old file is stale by its protocol", content: payload(ago: 30_001), isStale: true),
        Row(name: "a dead process's file is stale at once", content: payload(pid: 8), isStale: true),
        Row(name: "so is one of a process number that was given to another", content: payload(start: 4), isStale: true),
        Row(name: "the same start is the same process", content: payload(start: 3), isStale: false),
        Row(name: "a time nobody can read is stale", content: #"{"pid":7,"createdAt":"soon"}"#, isStale: true),
        Row(name: "so is a missing one", content: #"{"pid":7}"#, isStale: true),
        Row(name: "an empty file is about to be written", content: "", isStale: false),
        Row(name: "and stale when it stays empty", content: "", age: 30_001, isStale: true),
        Row(name: "half a file as well", content: #"{"pid":7,"#, age: 29_000, isStale: false),
        Row(name: "an old file with a fresh text is stale by the older protocol", content: payload(), age: 30_001, isStale: true),
        Row(name: "what is neither file nor directory is nobody's lock", form: nil, age: 1_000_000, isStale: false),
    ]

    @Test(arguments: rows) func aLockIsStaleByTheRulesOfItsForm(row: Row) {
        var rules = LockRules.store
        rules.isAlive = { $0 == 7 }
        rules.startTime = { $0 == 7 ? 3 : nil }
        let seen = LockName.Sighting(
            form: row.form, device: 1, inode: 2, modified: (Self.now - row.age) * 1_000_000, content: Array(row.content.utf8))
        #expect(rules.isStale(seen, now: Self.now) == row.isStale)
    }

    @Test func aRefreshMayTakeThreeMinutes() {
        #expect(LockRules.store.staleAfter == 30_000)
        #expect(LockRules.refresh.staleAfter == 180_000)
    }

    @Test func thePayloadIsUpstreamsAndItsTimeStandsWhereTheHeartbeatWrites() throws {
        let payload = LockPayload(process: 12, createdAt: Self.now, startTime: 34)
        let text = "{\n  \"pid\": 12,\n  \"createdAt\": \"2026-02-28T12:34:56.789Z\",\n  \"startTime\": 34\n}"
        #expect(String(decoding: payload.bytes, as: UTF8.self) == text)
        #expect(
            String(decoding: payload.bytes[payload.createdAtOffset..<payload.createdAtOffset + 24], as: UTF8.self)
                == "2026-02-28T12:34:56.789Z")
        #expect(LockPayload(payload.bytes) == payload)
    }

    @Test func aProcessIsToldFromAnotherOfItsNumber() throws {
        #expect(ProcessMark.isAlive(ProcessMark.own))
        #expect(!ProcessMark.isAlive(0))
        #expect(!ProcessMark.isAlive(.max))
        #expect(try #require(ProcessMark.startTime(of: ProcessMark.own)) > 0)
        #expect(ProcessMark.startTime(of: .max) == nil)
    }
}
