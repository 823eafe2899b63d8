import Testing

@testable import Credentials

@Suite struct StatePlacesTests {
    struct Row: CustomTestStringConvertible, Sendable {
        let name: String
        var flag: String?
        var setting: String?
        var environment: [String: String] = [:]
        var filled: Set<String> = []
        var retired: Set<String> = []
        var state = "/home/u/.keybearer"
        let sink: String
        var isNoticed = false
        var testDescription: String { name }
    }

    static let rows = [
        Row(name: "nothing anywhere: ours", sink: "/home/u/.keybearer"),
        Row(
            name: "the flag names both", flag: "/x", environment: ["KEYBEARER_STATE_DIR": "/y"], filled: ["/home/u/.openclaw"], state: "/x",
            sink: "/x"),
        Row(name: "our variable names both", environment: ["KEYBEARER_STATE_DIR": " ~/kb/ "], state: "/home/u/kb", sink: "/home/u/kb"),
        Row(name: "a relative path starts here", flag: "kb/./x", state: "/work/kb/x", sink: "/work/kb/x"),
        Row(name: "a tilde inside is a name", flag: "/a/~/b", state: "/a/~/b", sink: "/a/~/b"),
        Row(name: "a blank variable is none", environment: ["KEYBEARER_STATE_DIR": "  "], sink: "/home/u/.keybearer"),
        Row(name: "the setting names the sink", flag: "/x", setting: "~/creds", state: "/x", sink: "/home/u/creds"),
        Row(
            name: "a neighbour's variable, in their order", environment: ["CLAWDBOT_STATE_DIR": "/c", "MOLTBOT_STATE_DIR": "/m"],
            filled: ["/home/u/.keybearer"], sink: "/m", isNoticed: true),
        Row(
            name: "a neighbour's folder when ours is empty", filled: ["/home/u/.moltbot", "/home/u/.clawdbot"], sink: "/home/u/.moltbot",
            isNoticed: true),
        Row(name: "ours when it holds a profile", filled: ["/home/u/.keybearer", "/home/u/.openclaw"], sink: "/home/u/.keybearer"),
        Row(
            name: "never where the logins moved to SQLite", filled: ["/home/u/.openclaw"], retired: ["/home/u/.openclaw"],
            sink: "/home/u/.keybearer", isNoticed: true),
        Row(
            name: "but the next neighbour may do", filled: ["/home/u/.openclaw", "/home/u/.clawdbot"], retired: ["/home/u/.openclaw"],
            sink: "/home/u/.clawdbot", isNoticed: true),
        Row(
            name: "not by a variable either", environment: ["OPENCLAW_STATE_DIR": "/o"], retired: ["/o"], sink: "/home/u/.keybearer",
            isNoticed: true),
        Row(name: "nor by name", flag: "/o", retired: ["/o"], state: "/o", sink: "/home/u/.keybearer", isNoticed: true),
    ]

    @Test(arguments: rows)
    func placesFollowTheTable(row: Row) {
        let inputs = StatePlaces.Inputs(
            stateDirectoryFlag: row.flag, sinkSetting: row.setting, environment: row.environment, home: "/home/u",
            currentDirectory: "/work",
            agentID: "work")
        let probe = StatePlaces.Probe(
            hasProfiles: { sink, agent in agent == "work" && row.filled.contains(sink) },
            isRetired: { sink, agent in agent == "work" && row.retired.contains(sink) })
        let places = StatePlaces.resolve(inputs, probe: probe)
        #expect(places.stateDirectory == row.state)
        #expect(places.sink == row.sink)
        #expect((places.notice != nil) == row.isNoticed)
        if let notice = places.notice { #expect(!notice.contains("\n")) }
    }

    @Test func theLiveProbeLooksAtTheRealFiles() {
        let probe = StatePlaces.Probe.live
        let full = TemporarySink(profiles: #"{"version":1,"profiles":{"p":{}}}"#)
        let empty = TemporarySink(profiles: #"{"version":1,"profiles":{}}"#)
        let broken = TemporarySink(profiles: "{")
        #expect(probe.hasProfiles(full.path, "main"))
        #expect(!probe.hasProfiles(full.path, "other"))
        #expect(!probe.hasProfiles(empty.path, "main"))
        #expect(probe.hasProfiles(broken.path, "main"), "a broken store is not walked past")
        #expect(!probe.isRetired(full.path, "main"))
        full.write("", to: full.store.directory + "/openclaw-agent.sqlite")
        #expect(probe.isRetired(full.path, "main"))
    }
}
