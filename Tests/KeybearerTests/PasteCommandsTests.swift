import Testing

/// `paste-token` and Anthropic's setup-tokens.
@Suite struct PasteCommandsTests {
    private let scratch: Scratch
    private let keybearer: Executable
    private static let token = "sk-ant-oat01-" + String(repeating: "x", count: 80)

    init() throws {
        scratch = try Scratch()
        keybearer = Executable(home: scratch.path)
    }

    private func paste(_ token: String, to provider: String = "anthropic", _ more: String...) throws -> Executable.Outcome {
        let process = try keybearer.start(["models", "auth", "paste-token", "--provider", provider] + more, input: token + "\n")
        let code = process.wait()
        return Executable.Outcome(code: code, output: process.output, errors: process.errors)
    }

    @Test func `A setup-token's year is noted, and said`() throws {
        let outcome = try paste(Self.token)
        #expect(outcome.code == 0)
        #expect(outcome.output.hasPrefix("stored anthropic:manual (token, expires in 365 days)"))
        #expect(outcome.errors.contains("a setup-token lasts 365 days"))
        let own = try paste(Self.token, to: "anthropic", "--expires-in", "90d")
        #expect(own.output.contains("expires in 90 days") && own.errors.isEmpty)
    }

    @Test(arguments: [
        (String(token.prefix(79)), [], "shorter than a setup-token"),
        (String(token.prefix(79)), ["--any-shape"], "shorter than a setup-token"),
        ("sk-ant-api03-canary", [], "add --any-shape"),
    ])
    func `A token of the wrong shape is refused, unseen`(token: String, more: [String], part: String) throws {
        let process = try keybearer.start(["models", "auth", "paste-token", "--provider", "anthropic"] + more, input: token)
        #expect(process.wait() == 64)
        #expect(process.errors.contains(part) && !process.errors.contains(token))
        #expect(process.errors.split(separator: "\n").count == 1, "\(process.errors)")
        #expect(Text.read(scratch.path + "/.keybearer/agents/main/agent/auth-profiles.json").isEmpty)
    }

    @Test func `One of 80 characters is long enough`() throws {
        #expect(try paste(String(Self.token.prefix(80))).code == 0)
    }

    @Test func `Any shape is taken where that is said, and by other providers; no end is made up for it`() throws {
        #expect(try paste("other-token", to: "anthropic", "--any-shape").output.contains("(token, no expiry)"))
        let openai = try paste("t", to: "openai")
        #expect(openai.code == 0 && openai.errors.isEmpty && openai.output.contains("(token, no expiry)"))
    }
}
