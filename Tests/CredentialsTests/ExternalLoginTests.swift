import JSON
import Testing

@testable import Credentials

/// What is made of other programs' files, whatever is in them (spec/credential-formats.md §8).
@Suite struct ExternalLoginTests {
    private static let jwt = AccessTokenClaimsTests.jwt(
        #"{"exp":1900000000,"https://api.openai.com/auth":{"chatgpt_account_id":"from-token"}}"#)
    private static let identity = AccessTokenClaimsTests.jwt(#"{"email":"me@example.com"}"#)

    private static func read(_ text: String, _ owner: LoginOwner) throws -> ExternalLogin {
        try ExternalLogin(Reader.parse(Array(text.utf8)), of: owner)
    }

    @Test func aCodexLoginHasItsAccountExpiryAndOwner() throws {
        let login = try Self.read(
            """
            {"auth_mode":"chatgpt","OPENAI_API_KEY":null,"tokens":{"id_token":"\(Self.identity)","access_token":"\(Self.jwt)",
             "refresh_token":"rt","account_id":"acc","future":[1]},"last_refresh":"2026-01-01T00:00:00Z","agent_identity":{"x":1}}
            """, .codex)
        #expect(login.provider == "openai-codex" && login.kind == .oauth)
        #expect(login.secret.revealed == Self.jwt && login.refresh?.revealed == "rt")
        #expect(login.expires == 1_900_000_000_000 && login.accountID == "acc" && login.email == "me@example.com")
    }

    @Test(
        arguments: [
            // The file's account, else the token's.
            (#"{"tokens":{"access_token":"JWT","refresh_token":"r"}}"#, "openai-codex", "oauth", "from-token"),
            (#"{"tokens":{"access_token":"JWT","account_id":"a b"}}"#, "openai-codex", "token", nil),
            (#"{"tokens":{"access_token":"opaque","refresh_token":"","account_id":7}}"#, "openai-codex", "token", nil),
            (#"{"auth_mode":"apikey","OPENAI_API_KEY":"sk-1","tokens":{"access_token":"JWT"}}"#, "openai", "api_key", nil),
            (#"{"OPENAI_API_KEY":"sk-1"}"#, "openai", "api_key", nil),
            (#"{"auth_mode":"chatgpt","OPENAI_API_KEY":"sk-1","tokens":{"access_token":"opaque"}}"#, "openai-codex", "token", nil),
        ] as [(String, String, String, String?)])
    func codexFilesOfAllAgesAreRead(text: String, provider: String, kind: String, account: String?) throws {
        let login = try Self.read(text.replacing("JWT", with: Self.jwt), .codex)
        #expect(login.provider == provider && login.kind.rawValue == kind && login.accountID == account)
    }

    @Test(
        arguments: [
            (
                #"{"claudeAiOauth":{"accessToken":"at","refreshToken":"rt","expiresAt":1900000000000,"scopes":["x"]}}"#, "oauth",
                1_900_000_000_000
            ),
            (#"{"mcpOAuth":{"s":{"refreshToken":"no"}},"claudeAiOauth":{"accessToken":"at","subscriptionType":"max"}}"#, "token", nil),
            (#"{"claudeAiOauth":{"accessToken":"at","refreshToken":null,"expiresAt":"soon"}}"#, "token", nil),
            (#"{"claudeAiOauth":{"accessToken":"at","refreshToken":"rt","expiresAt":1.9e12}}"#, "oauth", 1_900_000_000_000),
            (#"{"claudeAiOauth":{"accessToken":"at","refreshToken":"rt","expiresAt":-5}}"#, "oauth", nil),
        ] as [(String, String, Int64?)])
    func claudeFilesAreRead(text: String, kind: String, expires: Int64?) throws {
        let login = try Self.read(text, .claudeCode)
        #expect(login.provider == "anthropic" && login.kind.rawValue == kind && login.expires == expires)
        #expect(login.secret.revealed == "at")
    }

    @Test func aQwenFileIsRead() throws {
        let login = try Self.read(
            #"{"access_token":"at","refresh_token":"rt","expiry_date":1900000000000,"resource_url":"portal.qwen.ai","token_type":"Bearer"}"#,
            .qwen)
        #expect(login.provider == "qwen-portal" && login.kind == .oauth && login.expires == 1_900_000_000_000)
    }

    @Test(
        arguments: [
            ("[]", .codex, "an array where an object"), ("{}", .codex, "no ChatGPT login"),
            (#"{"tokens":null,"OPENAI_API_KEY":null}"#, .codex, "no ChatGPT login"),
            (#"{"tokens":[]}"#, .codex, "no ChatGPT login"), (#"{"tokens":{"refresh_token":"r"}}"#, .codex, "no `tokens.access_token`"),
            (#"{"tokens":{"access_token":5}}"#, .codex, "a number as `tokens.access_token`"),
            (#"{"tokens":{"access_token":"a\r\nX: y"}}"#, .codex, "cannot be sent"),
            (#"{"tokens":{"access_token":"a","refresh_token":{"b":1}}}"#, .codex, "an object as `tokens.refresh_token`"),
            (#"{"OPENAI_API_KEY":true}"#, .codex, "true or false as `OPENAI_API_KEY`"),
            ("{}", .claudeCode, "holds no login"), (#"{"claudeAiOauth":null}"#, .claudeCode, "holds no login"),
            (#"{"claudeAiOauth":"x"}"#, .claudeCode, "a string as `claudeAiOauth`"),
            (#"{"claudeAiOauth":{"accessToken":" "}}"#, .claudeCode, "no `claudeAiOauth.accessToken`"),
            ("null", .qwen, "null where an object"), (#"{"refresh_token":"r"}"#, .qwen, "no `access_token`"),
            (#"{"access_token":["a"]}"#, .qwen, "an array as `access_token`"),
        ] as [(String, LoginOwner, String)])
    func whatIsNoLoginIsNamedWithoutAValue(text: String, owner: LoginOwner, reason: String) throws {
        let flaw = #expect(throws: ExternalLoginFlaw.self) { try Self.read(text, owner) }
        #expect(flaw?.reason.contains(reason) == true, "\(flaw?.reason ?? "")")
        #expect(flaw?.reason.contains("X: y") == false)
    }

    @Test func theUsualPlacesFollowTheToolsOwnVariables() {
        #expect(LoginOwner.codex.path(home: "/h", environment: [:]) == "/h/.codex/auth.json")
        #expect(LoginOwner.codex.path(home: "/h", environment: ["CODEX_HOME": "/c"]) == "/c/auth.json")
        #expect(LoginOwner.codex.path(home: "/h", environment: ["CODEX_HOME": "c"]) == "/h/.codex/auth.json")
        #expect(LoginOwner.claudeCode.path(home: "/h", environment: ["CLAUDE_CONFIG_DIR": "/c"]) == "/c/.credentials.json")
        #expect(LoginOwner.qwen.path(home: "/h", environment: [:]) == "/h/.qwen/oauth_creds.json")
        #expect(LoginOwner.moltbot.path(home: "/h", environment: [:]) == nil)
    }
}
