import Testing

@testable import keybearer

@Suite struct CompletionTests {
    @Test(
        arguments: [
            (["--state-dir", "/s"], "/s"), (["--state-dir=/s"], "/s"), (["--state-dir", "'/a b'"], "/a b"),
            (["--state-dir", "/a\\ b"], "/a b"),
            (["--state-dir"], nil), (["--state-dir", ""], nil), (["--state-dir", "--agent"], nil),
            (["run", "--", "--state-dir", "/s"], nil), ([], nil),
        ] as [([String], String?)])
    func `An option's value is found in an unfinished line, as the shell hands it over`(words: [String], value: String?) {
        #expect(CommandWords(["keybearer"] + words).value(of: "--state-dir") == value)
    }

    @Test func `Names with a colon are one word in bash and no description in zsh`() throws {
        let option = "--generate-completion-script"
        for arguments in [[option, "bash"], ["\(option)=bash"]] {
            #expect(try #require(CompletionScript.text(for: arguments)).hasSuffix("COMP_WORDBREAKS=\"${COMP_WORDBREAKS//:/}\"\n"))
        }
        let zsh = try #require(CompletionScript.text(for: [option, "zsh"]))
        #expect(zsh.contains(#"completions=("${(@)completions//:/\\:}")"#))
        #expect(CompletionScript.text(for: [option, "fish"]) == nil && CompletionScript.text(for: ["serve"]) == nil)
    }

    @Test func `Profiles, providers, agents and programs of this machine are offered`() throws {
        let scene = try ToolScene()
        try scene.store(ToolScene.key("anthropic:work"), ToolScene.key("openai:default"))
        try scene.store(ToolScene.key("openai:lab"), agent: "lab")
        try scene.program("aider", "true")
        let complete = { (words: [String], argument: String) -> [String] in
            let path = words.prefix { !$0.hasPrefix("-") }
            let outcome = try scene.run(
                ["---completion"] + path + ["--", argument, "\(words.count)", "0", "keybearer"] + words, variables: ["SAP_SHELL": "bash"])
            return outcome.output.split(separator: "\n").map(String.init)
        }
        #expect(try complete(["models", "auth", "logout"], "positional@0") == ["anthropic:work", "openai:default"])
        #expect(try complete(["run", "--provider", "openai", "--profile"], "--profile") == ["openai:default"])
        #expect(try complete(["run", "--agent", "lab", "--profile"], "--profile") == ["openai:lab"])
        #expect(try complete(["env", "--provider"], "--provider").contains("openai-codex"))
        #expect(try complete(["doctor", "--agent"], "--agent") == ["main", "lab"])
        #expect(try complete(["run"], "positional@0") == ["aider"])
        try Text.write("{ oops", to: scene.state + "/keybearer.json5")
        #expect(try complete(["models", "auth", "logout"], "positional@0") == [])
    }
}
