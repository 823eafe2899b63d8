import Credentials
import Testing

@testable import Configuration

@Suite struct LoginRulesTests {
    private static func settings(_ login: String) throws -> Settings {
        let text = """
            { providers: { mine: { baseURL: "https://mine.example", oauth: {
              tokenURL: "https://mine.example/t", clientID: "c", login: \(login) } } } }
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

    @Test("Nobody else has a login of their own here")
    func others() throws {
        #expect(try Settings().providers.filter { $0.oauth?.login != nil }.map(\.id) == ["openai-codex"])
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
