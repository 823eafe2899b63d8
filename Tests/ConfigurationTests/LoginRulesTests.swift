import Credentials
import JSON
import Testing

@testable import Configuration

@Suite struct LoginRulesTests {
    private static func settings(_ login: String) throws -> Settings {
        let text = """
            { providers: { mine: { baseURL: "https://mine.example", oauth: {
              tokenURL: "https://mine.example/t", authorizeURL: "https://mine.example/a", clientID: "c", login: \(login) } } } }
            """
        return try Settings(file: SettingsText(path: "test", bytes: Array(text.utf8)))
    }

    @Test("openai-codex logs in as spec/credential-formats.md §4.1 says, under our own name")
    func codex() throws {
        let rules = try #require(try Settings().provider("openai-codex")?.oauth?.login)
        #expect(rules.redirect?.uri == "http://localhost:1455/auth/callback")
        #expect(rules.redirect?.port == 1455)
        #expect(rules.redirect?.path == "/auth/callback")
        #expect(
            rules.authorizeParameters == [
                LoginParameter(name: "id_token_add_organizations", value: "true"),
                LoginParameter(name: "codex_cli_simplified_flow", value: "true"), LoginParameter(name: "originator", value: "keybearer"),
            ])
        #expect(
            rules.device
                == .openai(
                    startURL: "https://auth.openai.com/api/accounts/deviceauth/usercode",
                    pollURL: "https://auth.openai.com/api/accounts/deviceauth/token", pageURL: "https://auth.openai.com/codex/device",
                    redirectURI: "https://auth.openai.com/deviceauth/callback"))
    }

    @Test("Logins are there where their owner lets third parties in; openai-codex is the first, and so the default")
    func others() throws {
        let settings = try Settings()
        #expect(
            settings.providers.filter { $0.oauth?.login != nil }.map(\.id) == ["openai-codex", "qwen-portal", "chutes", "minimax-portal"])
        #expect(settings.providers.filter { $0.onDemand != nil }.map(\.id) == ["azure-openai", "vertex"])
    }

    @Test("minimax-portal and qwen-portal log in as spec/credential-formats.md §4.5 says")
    func portals() throws {
        let settings = try Settings()
        guard case .standard(let start, let manners) = settings.provider("minimax-portal")?.oauth?.login?.device else {
            return #expect(Bool(false), "it has a device login")
        }
        #expect(start == "https://api.minimax.io/oauth/code" && manners.pollKey == .userCode && manners.usesPKCE && manners.sendsState)
        #expect(manners.grantType.hasSuffix(":user_code") && manners.expiry == ["expired_in"] && manners.expiryForm == .any)
        let qwen = try #require(settings.provider("qwen-portal")?.oauth)
        #expect(qwen.answer.address(in: ["resource_url": "portal.qwen.ai/v1"]) == "https://portal.qwen.ai")
        #expect(qwen.answer.address(in: ["resource_url": "evil.example"]) == nil && qwen.refusedStatuses == [400])
        #expect(settings.provider("chutes")?.oauth?.clientIDEnvironment == "CHUTES_CLIENT_ID")
    }

    @Test("A provider of one's own may log in by browser, by RFC 8628, or both")
    func own() throws {
        let rules = try #require(
            try Self.settings(
                #"{ redirectURI: "http://127.0.0.1:8085/cb", parameters: ["a=b=c"], device: { startURL: "https://mine.example/d" } }"#
            )
            .provider("mine")?.oauth?.login)
        #expect(rules.redirect?.port == 8085)
        #expect(rules.authorizeParameters == [LoginParameter(name: "a", value: "b=c")])
        #expect(rules.device == .standard(startURL: "https://mine.example/d"))
    }

    @Test("A provider that goes from OpenAI's device form to the standard's polls nothing of the old one's")
    func changedForm() throws {
        let text = """
            { providers: { "openai-codex": { oauth: { login: { device: { form: "rfc8628", startURL: "https://mine.example/d" } } } } } }
            """
        let settings = try Settings(file: SettingsText(path: "test", bytes: Array(text.utf8)))
        #expect(settings.provider("openai-codex")?.oauth?.login?.device == .standard(startURL: "https://mine.example/d"))
    }

    @Test(
        "A login that cannot work is told with its place",
        arguments: [
            (#"{ redirectURI: "https://mine.example/cb" }"#, "an http URL of this machine"),
            (#"{ redirectURI: "http://localhost/cb" }"#, "an http URL of this machine"), (#"{ parameters: ["a"] }"#, "name=value"),
            (#"{ parameters: ["=b"] }"#, "name=value"), (#"{ device: {} }"#, "\"startURL\""),
            (#"{ device: { form: "openai", startURL: "https://a.example/" } }"#, "\"pollURL\", \"pageURL\", \"redirectURI\""),
            (#"{ device: { startURL: "http://a.example/" } }"#, "a URL that starts with https://"),
            (#"{ device: { form: "other", startURL: "https://a.example/" } }"#, "rfc8628"), (#"{ devise: {} }"#, "device"),
        ])
    func flaws(login: String, expectation: String) {
        #expect {
            try Self.settings(login)
        } throws: { error in
            (error as? SettingsError)?.problems.contains { $0.message.contains(expectation) && $0.line != nil } == true
        }
    }
}
