import ArgumentParser
import Configuration
import Testing

@testable import Bench

/// Options of a run, and what they make of it.
@Suite struct RunCommandTests {
    private func command(_ words: String...) throws -> RunCommand { try RunCommand.parse(words) }

    @Test func `What is not said is everything, three times, by the Keybearer beside us`() throws {
        let command = try command()
        #expect(command.plan.scenarios.map(\.name) == Scenario.all.map(\.name))
        #expect(command.plan.pairings == Pairing.all && command.plan.rounds == 3 && command.plan.seconds == 2)
        #expect(command.peers.map(\.name) == ["keybearer"] && command.comparedWith == nil)
        #expect(command.peers.first?.kind == .keybearer(Surroundings.besideUs("keybearer")))
    }

    @Test func `Another build is what ratios are made with`() throws {
        let command = try command("--executable", "/a", "--against", "/b", "--scenarios", "sse,json4k", "--pairings", "h2/h2,h1/h1")
        #expect(command.peers.map(\.kind) == [.keybearer("/a"), .keybearer("/b")])
        #expect(command.comparedWith == Comparison.Baseline(peer: "against", pairing: nil))
        #expect(command.plan.scenarios.map(\.name) == ["sse", "json4k"])
        #expect(command.plan.pairings == [Pairing(.h1, .h1), Pairing(.h2, .h2)])
    }

    @Test func `Other proxies speak what is said of them`() throws {
        let command = try command(
            "--peer", "nginx=exec nginx -c a=b", "--peer", "envoy=envoy.sh", "--peer-pairings", "nginx=h1/h1,h2/h1", "--baseline",
            "nginx:h1/h1", "--direct")
        #expect(command.peers.map(\.name) == ["keybearer", "nginx", "envoy", "direct"])
        #expect(command.peers[1].kind == .command("exec nginx -c a=b"))
        #expect(command.peers[1].pairings == [Pairing(.h1, .h1), Pairing(.h2, .h1)] && command.peers[2].pairings == Pairing.all)
        #expect(command.comparedWith == Comparison.Baseline(peer: "nginx", pairing: Pairing(.h1, .h1)))
    }

    @Test(arguments: [
        ["--rounds", "0"], ["--seconds", "0"], ["--pairings", "h1"], ["--scenarios", "json4k,none"], ["--peer", "nginx"],
        ["--peer-pairings", "nginx=h4/h1"], ["--baseline", "nobody"], ["--baseline", "keybearer:h1"], ["--peer", "a=b", "--peer", "a=c"],
        ["--version-of", "x"],
    ])
    func `What cannot be is refused`(words: [String]) { #expect(throws: (any Error).self) { try RunCommand.parse(words) } }

    @Test(arguments: [["f", "--markdown"], ["f", "--baseline", "a:b"], []])
    func `So is it of tables`(words: [String]) { #expect(throws: (any Error).self) { try TableCommand.parse(words) } }

    @Test func `Keybearer reads the settings that it is given`() throws {
        let folder = try TemporaryFolder()
        try KeybearerState.write(
            to: folder.path + "/state",
            settings: KeybearerState.settings(ports: [1, 2], upstreamPort: 3, authorityFile: "/ca.pem", http2: false), profiles: "{}")
        let settings = try SettingsFile.load(stateDirectory: folder.path + "/state")
        #expect(settings.listen.map(\.description) == ["127.0.0.1:1", "127.0.0.1:2"])
        #expect(settings.provider("anthropic")?.http2 == false)
        #expect(settings.upstream.caFile == "/ca.pem")
    }
}
