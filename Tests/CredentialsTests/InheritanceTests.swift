import Testing

@testable import Credentials

private func profile(_ id: String, _ refresh: String) -> String {
    #""\#(id)":{"type":"oauth","provider":"p","access":"at-\#(refresh)","refresh":"\#(refresh)","expires":9}"#
}

/// An agent that has main's profiles beside its own.
@Suite struct InheritanceTests {
    /// The folder is there for as long as this is held.
    private final class Scene {
        let sink: TemporarySink
        var main: AgentStore { sink.store }
        var heir: AgentStore { AgentStore(sink: sink.path, agentID: "heir") }
        /// What the heir may use.
        var seen: StoreSnapshot { get throws { try heir.load().inheriting(from: try main.load(), of: "main") } }

        init(order: String = "{}") throws {
            sink = TemporarySink(profiles: #"{"version":1,"profiles":{\#(profile("p:a", "rt-a")),\#(profile("p:b", "rt-b"))}}"#)
            sink.write(#"{"version":1,"order":\#(order)}"#, to: main.statePath)
            try heir.put(.apiKey(Secret("key")!, provider: "p"), id: "p:b")
        }
    }

    @Test func itsOwnComeFirstAndWinByName() throws {
        let scene = try Scene()
        let snapshot = try scene.seen
        #expect(snapshot.profiles.map(\.id) == ["p:b", "p:a"])
        #expect(snapshot.profile("p:b")?.kind == .apiKey)
        #expect(snapshot.owner(of: "p:a") == "main" && snapshot.owner(of: "p:b") == nil)
    }

    @Test func nothingIsCopiedBetweenTheFiles() throws {
        let scene = try Scene()
        _ = try scene.seen
        try scene.heir.setOrder(["p:a", "p:b"], provider: "p", besides: try scene.main.load())
        try scene.heir.put(.apiKey(Secret("other")!, provider: "q"), id: "q:1")
        let files = [scene.heir.profilesPath, scene.heir.statePath, scene.heir.profilesPath + ".last-good"].compactMap(scene.sink.read)
        #expect(files.count == 3 && files.allSatisfy { !$0.contains("rt-a") && !$0.contains("at-") })
    }

    @Test func anOrderMayNameWhatIsInheritedAndNothingElse() throws {
        let scene = try Scene()
        #expect(throws: StoreError.self) { try scene.heir.setOrder(["p:a"], provider: "p") }
        #expect(throws: StoreError.self) { try scene.heir.setOrder(["p:z"], provider: "p", besides: try scene.main.load()) }
        try scene.heir.setOrder(["p:a"], provider: "p", besides: try scene.main.load())
        let snapshot = try scene.seen
        #expect(ProfileOrder.resolve(provider: "p", snapshot: snapshot, now: 0).first?.profileID == "p:a")
    }

    @Test func anOrderOfItsOwnGoesBeforeMains() throws {
        let scene = try Scene(order: #"{"p":["p:a"],"q":["q:1"]}"#)
        #expect(try scene.seen.order["p"] == ["p:a"])
        try scene.heir.setOrder(["p:b"], provider: "p")
        let snapshot = try scene.seen
        #expect(snapshot.order["p"] == ["p:b"] && snapshot.order["q"] == ["q:1"])
    }

    @Test func aMarkOfMainsProfileIsSeenToo() throws {
        let scene = try Scene()
        let refresh = try #require(try scene.main.load().profile("p:a")?.refresh)
        try scene.main.markNeedsLogin(
            id: "p:a", NeedsLogin(fingerprint: refresh.fingerprint, code: "invalid_grant", status: 400, at: 1, accessRejected: false))
        let snapshot = try scene.seen
        #expect(snapshot.needsLogin.keys.sorted() == ["p:a"])
    }
}
