import Glibc
import JSON
import Testing

/// `keybearer explain` where no server runs: it reads the files, and says what a server would do.
@Suite struct ExplainCommandTests {
    private let scratch: Scratch
    private let keybearer: Executable

    init() throws {
        scratch = try Scratch()
        keybearer = Executable(home: scratch.path)
        let state = scratch.path + "/.keybearer"
        let agent = state + "/agents/main/agent"
        for folder in [state, state + "/agents", state + "/agents/main", agent] { mkdir(folder, 0o700) }
        try Text.write(
            """
            {"version":1,"profiles":{
              "openai:one":{"type":"api_key","provider":"openai","key":"sk-one-of-the-tests"},
              "openai:two":{"type":"api_key","provider":"openai","key":"sk-two-of-the-tests"},
              "openai:empty":{"type":"api_key","provider":"openai"}}}
            """, to: agent + "/auth-profiles.json")
    }

    private func explain(_ arguments: String...) throws -> Executable.Outcome {
        let process = try keybearer.start(["explain"] + arguments)
        let code = process.wait()
        #expect(!process.output.contains("sk-"))
        return Executable.Outcome(code: code, output: process.output, errors: process.errors)
    }

    @Test func `Every profile is listed in the order in which requests meet it, with its rule`() throws {
        let outcome = try explain("--provider", "openai")
        #expect(outcome.code == 0)
        #expect(outcome.output.hasPrefix("openai: openai:one (order)\n"))
        let lines = outcome.output.split(separator: "\n").dropFirst().map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines == ["1 openai:one chosen order", "2 openai:two next failover", "- openai:empty dropped missing_credential"])
    }

    @Test func `A pin leaves one, whichever way it is given`() throws {
        for pin in [["--profile", "two"], ["--model", "gpt-5@two"], ["--model", "gpt-5@openai:two"]] {
            let process = try keybearer.start(["explain", "--provider", "openai", "--json"] + pin)
            #expect(process.wait() == 0)
            let answer = try Reader.parse(Array(process.output.utf8))
            #expect(answer["explanations"]?.array?.first?["outcome"]?["profile"]?.string == "openai:two")
        }
    }

    @Test func `A pin that cannot serve is said to be one, and nothing stands in for it`() throws {
        let outcome = try explain("--provider", "openai", "--profile", "empty")
        #expect(outcome.output.hasPrefix("openai: nobody (profile_unusable)\n"))
        #expect(!outcome.output.contains("chosen"))
    }

    @Test func `What is not there is named`() throws {
        let provider = try explain("--provider", "opnai")
        #expect(provider.code == 64)
        #expect(provider.errors.contains("did you mean \"openai\"?"))
        let agent = try explain("--agent", "nobody")
        #expect(agent.code == 1)
        #expect(agent.errors.contains("there is no agent \"nobody\""))
    }
}
