import JSON
import Testing

@testable import keybearer

@Suite struct ChannelsCommandTests {
    @Test(arguments: [["channels", "list", "--json"], ["channels", "--json"], ["channels", "list", "--json", "--no-usage"]])
    func `The credentials are listed in Moltbot's form`(arguments: [String]) throws {
        let scene = try ToolScene()
        try scene.store(ToolScene.key("openai:default"), ToolScene.login("openai-codex:me"))
        let outcome = try scene.run(arguments)
        #expect(
            try Reader.parse(Array(outcome.output.utf8)) == [
                "chat": [:],
                "auth": [
                    ["id": "openai:default", "provider": "openai", "type": "api_key", "isExternal": false],
                    ["id": "openai-codex:me", "provider": "openai-codex", "type": "oauth", "isExternal": false],
                ],
            ])
        #expect(!outcome.everything.contains("canary"))
    }

    @Test func `For people it is a table`() throws {
        let scene = try ToolScene()
        #expect(try scene.run("channels", "list").output.hasPrefix("no profiles in "))
        try scene.store(ToolScene.key("openai:default"))
        #expect(try scene.run("channels", "list").output == "openai:default  openai  api_key\n")
    }
}
