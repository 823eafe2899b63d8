import Glibc
import JSON
import Testing

@testable import keybearer

@Suite struct AgentsCommandTests {
    private let scene: ToolScene

    init() throws {
        scene = try ToolScene(settings: "agents: { list: [{ id: 'main', default: true }, { id: 'planned' }] }")
        try scene.store(ToolScene.key("openai:default"))
    }

    private func ids() throws -> [String] {
        let outcome = try scene.run("agents", "list", "--json")
        return try Reader.parse(Array(outcome.output.utf8))["agents"]?.array?.compactMap { $0["id"]?.string } ?? []
    }

    @Test func `An agent is a folder of its own: added, listed and removed`() throws {
        #expect(try ids() == ["main", "planned"])
        let added = try scene.run("agents", "add", "Research Lab")
        #expect(
            added.code == 0 && added.output.hasPrefix("added research-lab: \(scene.state)/agents/research-lab/agent\n"), "\(added.errors)")
        var info = stat()
        #expect(stat("\(scene.state)/agents/research-lab/agent", &info) == 0 && info.st_mode & 0o777 == 0o700)
        #expect(try ids() == ["main", "planned", "research-lab"])
        #expect(try scene.run("agents", "add", "research-lab").code == 1)
        #expect(try scene.run("agents", "list").output.contains("no profiles"))
        #expect(try scene.run("agents", "remove", "research-lab").code == 0)
        #expect(access("\(scene.state)/agents/research-lab", F_OK) != 0)
        #expect(try ids() == ["main", "planned"])
    }

    @Test func `An agent with credentials is removed only when that is said, and others' files stay`() throws {
        try scene.store(ToolScene.login("openai-codex:me"), agent: "lab")
        try scene.folders(".keybearer/agents/lab/sessions")
        try Text.write("history", to: scene.state + "/agents/lab/sessions/one.jsonl")
        let refused = try scene.run("agents", "remove", "lab")
        #expect(refused.code == 1 && refused.errors.contains("it has openai-codex:me; say --yes"), "\(refused.errors)")
        let removed = try scene.run("agents", "remove", "lab", "--yes")
        #expect(removed.code == 0, "\(removed.errors)")
        #expect(removed.output.contains("left, since Keybearer did not make it: \(scene.state)/agents/lab/sessions"))
        #expect(access(scene.state + "/agents/lab/agent", F_OK) != 0)
        #expect(Text.read(scene.state + "/agents/lab/sessions/one.jsonl") == "history")
    }

    @Test func `The default agent stays`() throws {
        let outcome = try scene.run("agents", "remove", "main", "--yes")
        #expect(outcome.code == 1 && outcome.errors.contains("main is the default agent"))
        #expect(Text.read(scene.state + "/agents/main/agent/auth-profiles.json").contains("openai:default"))
    }
}
