import Testing

@testable import Bench

/// Who is measured when.
@Suite struct RoundsTests {
    private func rounds(_ scenarios: [String], _ peers: [Peer], rounds: Int = 2, pairings: [Pairing] = Pairing.all) -> Rounds {
        Rounds(
            scenarios: scenarios.compactMap { Scenario.named($0) }, pairings: pairings, rounds: rounds, seconds: 2, warmUp: 0.5,
            peers: peers)
    }
    private let ours = Peer(name: "ours", kind: .keybearer("k"))
    private let other = Peer(name: "other", kind: .command("c"), pairings: [Pairing(.h1, .h1), Pairing(.h2, .h1)])
    private let direct = Peer(name: "direct", kind: .direct, pairings: [Pairing(.h1, .h1), Pairing(.h2, .h2)])

    @Test func `All take turns in every round, which goes the other way each time`() {
        let plan = rounds(["json4k"], [ours, other])
        #expect(plan.processes.map { "\($0.peer.name) \($0.upstream)" } == ["ours h1", "ours h2", "other h1"])
        #expect(plan.turns.filter { $0.round == 0 }.map(\.process) == [0, 0, 1, 1, 2, 2])
        #expect(plan.turns.filter { $0.round == 1 }.map(\.process) == [2, 2, 1, 1, 0, 0])
        #expect(plan.turns.map(\.client).prefix(4) == [.h1, .h2, .h1, .h2])
    }

    @Test func `Memory is looked at once, and not where there is no proxy`() {
        let turns = rounds(["idle"], [ours, direct], rounds: 5).turns
        #expect(turns.count == 4)
        #expect(turns.allSatisfy { $0.round == 0 && $0.process < 2 })
    }

    @Test func `Only the pairings that were asked for are measured`() {
        let plan = rounds(["json4k", "sse"], [ours, other], rounds: 1, pairings: [Pairing(.h1, .h2)])
        #expect(plan.processes.map { "\($0.peer.name) \($0.upstream)" } == ["ours h2"])
        #expect(plan.turns.count == 2)
    }

    @Test func `An open loop is measured twice as long, and paced streams twice as long and as often, after a second`() throws {
        let plan = rounds(["lat", "ssep", "json4k"], [ours], rounds: 1, pairings: [Pairing(.h1, .h1)])
        #expect(plan.turns.map(plan.duration) == [4.5, 5, 5, 2.5])
        #expect(plan.turns.map(\.round) == [0, 0, 1, 0])
        let load = try #require(Scenario.named("lat")).plan(.h2, port: 1, seconds: 2, warmUp: 0)
        #expect(load.rate == 1000 && load.connections == 2 && load.streams == 8 && load.usesHTTP2)
    }

    @Test(arguments: [
        ("h1/h1", Pairing(.h1, .h1)), ("h2/h1", Pairing(.h2, .h1)), ("h1", nil), ("h1/h3", nil), ("h1/h1/h1", nil), ("", nil),
    ])
    func `A pairing is read`(text: String, pairing: Pairing?) {
        #expect(Pairing(text) == pairing)
        if let pairing { #expect(pairing.description == text) }
    }

    @Test func `A list of pairings has the order of tables`() {
        #expect(Pairing.list("h2/h2,h1/h1") == [Pairing(.h1, .h1), Pairing(.h2, .h2)])
        #expect(Pairing.list("h2/h2,") == nil)
    }
}
