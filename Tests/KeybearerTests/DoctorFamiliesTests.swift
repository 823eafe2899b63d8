import Credentials
import Glibc
import JSON
import Testing

/// Copies of one login, wherever on the machine they are.
@Suite struct DoctorFamiliesTests {
    private let scene: ToolScene

    init() throws { scene = try ToolScene() }

    /// The findings about copies; never a secret in any.
    private func findings() throws -> [(code: String, message: String, advice: String)] {
        let outcome = try scene.run("doctor", "--json")
        #expect(!outcome.everything.contains("canary"))
        let document = try Reader.parse(Array(outcome.output.utf8))
        return (document["findings"]?.array ?? []).map {
            ($0["code"]?.string ?? "", $0["message"]?.string ?? "", $0["advice"]?.string ?? "")
        }.filter { ["shared-token", "token-copy", "spent-token"].contains($0.code) }
    }

    private func put(_ text: String, at path: String) throws {
        try scene.folders(path.split(separator: "/").dropLast().joined(separator: "/"))
        try Text.write(text, to: "\(scene.home)/\(path)")
    }

    private static let codex = #"{"tokens":{"access_token":"canary-at","refresh_token":"canary-refresh"}}"#

    @Test(arguments: [
        ("Qwen Code", ".qwen/oauth_creds.json"), ("Gemini CLI", ".gemini/oauth_creds.json"), ("MiniMax", ".minimax/oauth_creds.json"),
    ])
    func aProgramThatRenewsTheSameLoginIsAProblem(program: String, path: String) throws {
        try scene.store(ToolScene.login("openai-codex:me"))
        try put(#"{"access_token":"canary-at","refresh_token":"canary-refresh"}"#, at: path)
        let found = try findings()
        #expect(found.map(\.code) == ["shared-token"])
        let message = found.first?.message ?? ""
        #expect(message.hasPrefix("openai-codex:me and \(program) (\(scene.home)/\(path)) hold the same refresh token"))
        #expect(found.first?.advice.contains("keybearer models auth logout openai-codex:me") == true)
    }

    @Test func severalThatRenewItAreToldOnceWithTheCopiesBesideThem() throws {
        try scene.store(ToolScene.login("openai-codex:me"))
        try scene.store(ToolScene.login("openai-codex:copy"), agent: "lab")
        try put(Self.codex, at: ".codex/auth.json")
        try put(Self.codex, at: ".codex/auth.json.bak")
        let found = try findings()
        #expect(found.map(\.code) == ["shared-token"])
        #expect(found[0].message.contains("openai-codex:me, openai-codex:copy (agent lab) and Codex"))
        #expect(found[0].message.contains("copies of it are in \(scene.home)/.codex/auth.json.bak"))
        #expect(found[0].advice.contains("keybearer import codex"))
    }

    @Test func aCopyThatNobodyRenewsIsANoteAndTheLastGoodOneNone() throws {
        try scene.store(ToolScene.login("openai-codex:me"))
        let store = AgentStore(sink: scene.state)
        try store.put(.apiKey(Secret("canary-key")!, provider: "openai"), id: "openai:default")
        #expect(try findings().isEmpty, "the copy that follows the store is as it has to be")
        try Text.write(Text.read(store.profilesPath), to: store.profilesPath + ".corrupt-1")
        let found = try findings()
        #expect(found.map(\.code) == ["token-copy"])
        #expect(found[0].message.contains("auth-profiles.json.corrupt-1 is a copy of the login of openai-codex:me"))
    }

    @Test func anOverlayHoldsNoCopyAndWhatWasAdoptedSaysHowItGoesBack() throws {
        try put(Self.codex, at: ".codex/auth.json")
        #expect(try scene.run("import", "codex").code == 0)
        #expect(try findings().isEmpty)
        #expect(try scene.run("models", "auth", "logout", "openai-codex:codex").code == 0)
        try Text.write(
            #"{"tokens":{"access_token":"eyJ.eyJleHAiOjQxMDI0NDQ4MDB9.canary","refresh_token":"canary-refresh"}}"#,
            to: scene.home + "/.codex/auth.json")
        #expect(try scene.run("import", "codex", "--adopt").code == 0)
        let found = try findings()
        #expect(found.map(\.code) == ["token-copy"])
        #expect(found[0].advice.contains("keybearer import codex --undo"))
    }

    @Test func aTokenThatWeHaveSpentIsFoundWithWhoeverStillHoldsIt() throws {
        try scene.store(ToolScene.login("openai-codex:me", refresh: "canary-newer"))
        try put(Self.codex, at: ".codex/auth.json")
        let store = AgentStore(sink: scene.state)
        let profile = try #require(try store.load().profile("openai-codex:me"))
        let client = OAuthClient(tokenURL: "https://auth.openai.com/oauth/token", clientID: "app_EMoamEEZ73f0CkXaXp7hrann")
        try scene.folders(".keybearer/keybearer/journal")
        let spent = try #require(Secret("canary-refresh")).fingerprint
        let journal = try RefreshJournal(path: store.journalPath(of: Lane(client: client, profile: profile, agentID: "main")))
        let intent = RefreshIntent(profileID: "openai-codex:me", spent: spent, rejected: nil, at: 1, retries: 0)
        try journal.open(intent)
        try journal.close(intent)
        let found = try findings()
        #expect(found.map(\.code) == ["spent-token"])
        #expect(found.first?.message.contains("holds a refresh token that openai-codex:me has spent") == true)
    }
}
