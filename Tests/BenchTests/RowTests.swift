import JSON
import Testing

@testable import Bench

/// Rows kept in a file.
@Suite struct RowTests {
    @Test func `A row and a record are read as they were written`() throws {
        var row = Row(peer: "ours", scenario: "sse", pairing: Pairing(.h2, .h1), round: 3)
        row.errors = 2
        row.firstError = "status \"502\"\n"
        row.metrics = [.cpuPerEvent: 1.25, .requestsPerSecond: 20_000]
        let record = RunRecord(date: "2026-01-02", machine: "M", versions: [("nginx", "1"), ("h2o", "2")], command: "c")
        let text = RowFile.line(record.json) + RowFile.line(row.json)
        #expect(text.split(separator: "\n").count == 2)
        let read = try RowFile.read(text, name: "f")
        #expect(read.records.first?.json == record.json && read.rows.first?.json == row.json)
        #expect(read.rows.first?.metrics == row.metrics && read.rows.first?.firstError == row.firstError)
        #expect(read.rows.first?.inRound(9).round == 9)
    }

    @Test(arguments: [("{}\n", "f:1: this is no row"), ("\n{\n", "f:2: this is no JSON"), ("{\"peer\":\"a\"}", "f:1: this is no row")])
    func `What is no row is named by its line`(text: String, message: String) {
        let error = #expect(throws: BenchFailure.self) { try RowFile.read(text, name: "f") }
        #expect(error?.description.hasPrefix(message) == true)
    }
}
