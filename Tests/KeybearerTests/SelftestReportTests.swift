import JSON
import Testing

@testable import keybearer

@Suite struct SelftestReportTests {
    private func row(
        _ name: String = "a", isUnavoidable: Bool = false, tries: Int = 2, posts: Int = 3, lost: Int = 0, flaws: [String] = [],
        skipped: String? = nil
    ) -> SelftestRow {
        var row = SelftestRow(name, isUnavoidable: isUnavoidable)
        row.tries = tries
        row.posts = posts
        row.lost = lost
        row.flaws = flaws
        row.skipped = skipped
        return row
    }

    @Test func `A loss is excused only where no client can prevent it`() {
        #expect(row().verdict == .held)
        #expect(row(lost: 1).verdict == .failed)
        #expect(row(isUnavoidable: true, lost: 1).verdict == .unavoidable)
        #expect(row(isUnavoidable: true).verdict == .held)
    }

    @Test func `A flaw, or nothing tried, is a failure whatever else is true`() {
        #expect(row(isUnavoidable: true, lost: 1, flaws: ["x"]).verdict == .failed)
        #expect(row(flaws: ["x"], skipped: "y").verdict == .failed)
        #expect(row(tries: 0).verdict == .failed)
        #expect(row(tries: 0, skipped: "y").verdict == .skipped)
    }

    @Test func `One failure is the report's, and nothing at all is no success`() {
        #expect(SelftestReport(rows: [row(), row(isUnavoidable: true, lost: 1)], seconds: 1).isOK)
        #expect(!SelftestReport(rows: [row(), row(lost: 1)], seconds: 1).isOK)
        #expect(!SelftestReport(rows: [], seconds: 1).isOK)
    }

    @Test func `The table has aligned figures, the flaws, and how it ends`() {
        let rows = [
            row("kill", tries: 12), row("cut", isUnavoidable: true, lost: 2), row("bad", flaws: ["it broke"]),
            row("long", tries: 0, skipped: "takes 35 s"),
        ]
        let text = SelftestReport(rows: rows, seconds: 1.26).text
        #expect(
            Array(text.prefix(5)) == [
                "what happened to the refresh  tries  POSTs  lost  verdict",
                "kill                             12      3     0  held",
                "cut                               2      3     2  lost, unavoidable",
                "bad                               2      3     0  FAILED",
                "long                              -      -     -  skipped: takes 35 s",
            ])
        #expect(text.contains("  bad: it broke"))
        #expect(
            text.last == "1 of 4 did not hold: 16 refreshes disturbed in 1.3 s, 0 logins lost, and 2 at the two points no client can close."
        )
    }

    @Test func `JSON says the same to programs`() {
        let json = SelftestReport(rows: [row("a"), row("b", isUnavoidable: true, lost: 1), row("c", flaws: ["x"])], seconds: 2).json
        #expect(json["ok"]?.bool == false)
        #expect(json["lost"]?.int64 == 1 && json["lostAvoidably"]?.int64 == 0)
        let scenarios = json["scenarios"]?.array ?? []
        #expect(scenarios.map { $0["verdict"]?.string } == ["held", "unavoidable", "failed"])
        #expect(scenarios.map { $0["mayLose"]?.bool } == [false, true, false])
        #expect(scenarios.last?["flaws"]?.array?.first?.string == "x")
        #expect(scenarios.first?["flaws"] == nil)
    }

    @Test(arguments: [SelftestOutcome.refreshed, .adopted, .unchanged, .needsLogin, .transient("not_durable")])
    func `An outcome is read as it was written`(outcome: SelftestOutcome) {
        #expect(SelftestOutcome(Substring(outcome.text)) == outcome)
    }

    @Test func `What is no outcome is none`() {
        #expect(SelftestOutcome("killed") == nil)
    }
}
