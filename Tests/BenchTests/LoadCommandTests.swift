import ArgumentParser
import Testing

@testable import Bench

/// Options read as they are meant.
@Suite struct LoadCommandTests {
    private func plan(_ words: String...) throws -> LoadPlan { try #require(try LoadCommand.parse(words).plan) }

    @Test func `What is not said is a closed loop of one connection`() throws {
        let plan = try plan("http://127.0.0.1:1/v1/messages")
        #expect(plan.units == 1 && plan.rate == nil && plan.hold == nil && !plan.usesHTTP2 && plan.bodySize == 0)
        #expect(plan.expectation == .success)
        #expect(plan.duration == 3 && plan.warmUp == 1)
    }

    @Test func `Everything can be said`() throws {
        let plan = try plan(
            "https://h:2/x", "--http2", "--connections", "2", "--streams", "8", "--body", "10", "--rate", "2.5", "--duration", "4",
            "--warm-up",
            "0", "--expect-events", "7", "--header", "A:b", "--header", "C:  d: e", "--hold", "1.5", "--ca", "f.pem")
        #expect(plan.units == 16 && plan.rate == 2.5 && plan.hold == 1.5 && plan.usesHTTP2 && plan.bodySize == 10)
        #expect(plan.expectation == .events(7))
        #expect(plan.duration == 4 && plan.warmUp == 0 && plan.caFile == "f.pem")
        #expect(plan.fields.map(\.name) == ["A", "C"] && plan.fields.map(\.value) == ["b", "d: e"])
        #expect(try self.plan("http://h/", "--expect-bytes", "9").expectation == .bytes(9))
    }

    @Test(arguments: [
        ["h"], ["http://h/", "--streams", "2"], ["http://h/", "--connections", "0"], ["http://h/", "--rate", "0"],
        ["http://h/", "--body=-1"],
        ["http://h/", "--expect-bytes", "1", "--expect-events", "1"], ["http://h/", "--header", "no colon"],
        ["http://h/", "--header", "a: b\r\nc: d"], ["http://h/", "--connections", "70000"],
    ])
    func `What cannot be is refused`(words: [String]) { #expect(throws: (any Error).self) { try LoadCommand.parse(words) } }

    @Test(arguments: [
        ["--address", "localhost:1"], ["--address", "127.0.0.1"], ["--certificate", "c.pem"], ["--plain", "--ca-file", "f"],
        ["--certificate", "c", "--key", "k", "--ca-file", "f"],
    ])
    func `So is it of the stub`(words: [String]) { #expect(throws: (any Error).self) { try UpstreamCommand.parse(words) } }
}
