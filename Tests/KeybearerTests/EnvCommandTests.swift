import JSON
import Testing

@testable import keybearer

@Suite struct EnvCommandTests {
    private let scene: ToolScene

    init() throws {
        scene = try ToolScene()
        try scene.store(ToolScene.key("anthropic:work"), ToolScene.key("openai:default"), ToolScene.key("groq:default"))
    }

    @Test func `The exports of a tool name the address that the settings listen on`() throws {
        let outcome = try scene.run("env", "--tool", "claude", "--shell", "bash")
        #expect(outcome.code == 0 && outcome.errors.isEmpty)
        #expect(
            outcome.output == """
                unset ANTHROPIC_API_KEY
                unset CLAUDE_CODE_OAUTH_TOKEN
                unset CLAUDE_CODE_USE_BEDROCK
                unset CLAUDE_CODE_USE_VERTEX
                export ANTHROPIC_BASE_URL=\(scene.origin)/anthropic
                export ANTHROPIC_AUTH_TOKEN=keybearer-placeholder
                export ENABLE_TOOL_SEARCH=true
                export NO_PROXY=127.0.0.1,localhost,::1

                """)
    }

    @Test(arguments: [("/usr/bin/fish", "set -gx "), ("/bin/zsh", "export "), ("/bin/dash", "export ")])
    func `Without --shell it is the user's own`(shell: String, start: String) throws {
        let outcome = try scene.run(["env", "--tool", "openai-sdk"], variables: ["SHELL": shell])
        #expect(outcome.output.hasPrefix(start), "\(outcome.output)")
    }

    @Test(arguments: [
        (["--profile", "work"], "/anthropic@work"), (["--profile", "anthropic:work"], "/anthropic@work"),
        (["--agent", "lab", "--provider", "anthropic"], "/agents/lab/anthropic"), (["--provider", "zai"], "/zai/api/anthropic"),
    ])
    func `Pin, agent and provider are in the address`(flags: [String], path: String) throws {
        let outcome = try scene.run(["env", "--tool", "claude", "--json"] + flags)
        let variables = try Reader.parse(Array(outcome.output.utf8))["variables"]
        #expect(variables?["ANTHROPIC_BASE_URL"]?.string == scene.origin + path)
    }

    @Test func `Without a tool the libraries' variables are printed for what there are profiles of`() throws {
        let output = try scene.run("env", "--shell", "zsh").output
        #expect(output.contains("OPENAI_BASE_URL=") && output.contains("ANTHROPIC_BASE_URL="))
        #expect(!output.contains("GOOGLE_GEMINI_BASE_URL="))
    }

    @Test func `A provider without a profile is told, beside the exports`() throws {
        let outcome = try scene.run("env", "--tool", "google-genai")
        #expect(outcome.code == 0 && outcome.output.contains("GOOGLE_GEMINI_BASE_URL="))
        #expect(outcome.errors == "note: there is no profile of google yet: keybearer models auth paste-api-key --provider google\n")
    }

    @Test func `Names that the environment excepts from its proxy stay excepted`() throws {
        let outcome = try scene.run(["env", "--tool", "gptme", "--shell", "bash"], variables: ["NO_PROXY": "corp.example"])
        #expect(outcome.output.contains("export NO_PROXY=corp.example,127.0.0.1,localhost,::1\n"))
    }

    @Test(arguments: [["env"], ["env", "--json"], ["env", "--tool", "codex", "--json"], ["tools", "--json"], ["doctor", "--json"]])
    func `No output holds a secret`(arguments: [String]) throws {
        #expect(try !scene.run(arguments).everything.contains("canary"))
    }
}
