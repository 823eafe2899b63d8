import Glibc
import Testing

@testable import Bench

/// Whole runs, short ones, with the built `keybearer`.
@Suite(.serialized) struct RunTests {
    /// On a busy machine, and more so under a sanitizer, nothing comes back in a shorter time.
    private static let seconds = getenv("KEYBEARER_TEST_PATIENCE") == nil ? 4.0 : 15

    private func run(_ peers: [Peer], _ scenarios: [String]) throws -> [Row] {
        let stage = try Stage(.unpinned)
        var rows: [Row] = []
        let plan = Rounds(
            scenarios: scenarios.compactMap { Scenario.named($0) }, pairings: Pairing.all, rounds: 1, seconds: Self.seconds, warmUp: 0.1,
            peers: peers)
        let outcome = Result { try plan.run(on: stage, Interruption()) { rows.append($0) } }
        stage.end()
        try outcome.get()
        return rows
    }

    /// Whether the process is there and has not ended: whoever inherits an orphan may take its time to notice.
    private static func runs(_ process: pid_t) -> Bool {
        guard let stat = FileText.content(of: "/proc/\(process)/stat") else { return false }
        return stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].dropFirst(2).first != "Z"
    }

    @Test func `Keybearer serves every pairing without an error, and what it costs is told`() throws {
        let rows = try run([Peer(name: "keybearer", kind: .keybearer(Surroundings.besideUs("keybearer")))], ["json4k"])
        #expect(rows.map(\.pairing) == Pairing.all)
        for row in rows {
            #expect(row.errors == 0, "\(row.pairing): \(row.firstError ?? "")")
            #expect(row.metrics[.busy] != nil && row.metrics[.peakMemory] ?? 0 > 0, "\(row.pairing)")
        }
    }

    @Test func `The stub alone can be measured`() throws {
        let rows = try run([Peer(name: "direct", kind: .direct, pairings: [Pairing(.h1, .h1), Pairing(.h2, .h2)])], ["json4k"])
        #expect(rows.count == 2 && rows.allSatisfy { $0.metrics[.cpuPerRequest] == nil })
        #expect(rows.allSatisfy { $0.errors == 0 }, "\(rows.compactMap(\.firstError))")
    }

    @Test func `A proxy that does not start is told with what it said, and nothing is left of it`() throws {
        let mark = "keybearer-bench-test-\(getpid())"
        let error = #expect(throws: BenchFailure.self) {
            try run([Peer(name: "broken", kind: .command("echo no such \(mark); sleep 1000 & exit 3"))], ["json4k"])
        }
        #expect(error?.description == "broken ended at its start; it said:\nno such \(mark)")
    }

    @Test func `What a proxy has started ends with it`() throws {
        let stage = try Stage(.unpinned)
        let outcome = Result {
            let process = try PeerProcess(
                Peer(
                    name: "two", kind: .command("sleep 1000 & \(Surroundings.besideUs("keybearer")) serve --state-dir $WORK/state & wait")),
                upstream: .h1, on: stage)
            try KeybearerState.write(
                to: stage.folder.path + "/two-h1/state",
                settings: KeybearerState.settings(
                    ports: [process.port, process.http2Port], upstreamPort: 1, authorityFile: stage.authorityFile, http2: false),
                profiles: "{ \"version\": 1, \"profiles\": {} }")
            try process.start(.unpinned, Interruption())
            let started = process.processes
            #expect(started.count >= 3)
            process.stop()
            for _ in 0..<100 where started.contains(where: Self.runs) { usleep(20_000) }
            #expect(!started.contains(where: Self.runs))
        }
        stage.end()
        try outcome.get()
    }
}
