import Credentials
import Testing

@testable import Configuration

@Suite struct EnvironmentKeyTests {
    private static func found(_ environment: [String: String], settings: String = "{}") throws -> [String] {
        let settings = try Settings(file: SettingsText(path: "test", bytes: Array(settings.utf8)))
        return EnvironmentKey.found(for: settings.providers) { environment[$0] }
            .map { "\($0.profileID) \($0.variable) \($0.kind.rawValue) \($0.secret.revealed)" }
    }

    @Test(
        "Each provider's variables are those of the table",
        arguments: [
            ("ANTHROPIC_OAUTH_TOKEN", "anthropic", Profile.Kind.token), ("ANTHROPIC_API_KEY", "anthropic", .apiKey),
            ("OPENAI_API_KEY", "openai", .apiKey), ("GEMINI_API_KEY", "google", .apiKey), ("GROQ_API_KEY", "groq", .apiKey),
            ("XAI_API_KEY", "xai", .apiKey), ("OPENROUTER_API_KEY", "openrouter", .apiKey), ("MOONSHOT_API_KEY", "moonshot", .apiKey),
            ("MISTRAL_API_KEY", "mistral", .apiKey), ("ZAI_API_KEY", "zai", .apiKey), ("Z_AI_API_KEY", "zai", .apiKey),
            ("AWS_BEARER_TOKEN_BEDROCK", "amazon-bedrock", .token),
        ])
    func table(variable: String, provider: String, kind: Profile.Kind) throws {
        #expect(try Self.found([variable: "value"]) == ["\(provider):env \(variable) \(kind.rawValue) value"])
    }

    @Test("The first variable that holds something usable counts")
    func first() throws {
        let both = ["ANTHROPIC_OAUTH_TOKEN": "token", "ANTHROPIC_API_KEY": "key"]
        #expect(try Self.found(both) == ["anthropic:env ANTHROPIC_OAUTH_TOKEN token token"])
        for unusable in ["", "a b", "a\nb", "é", "keybearer-placeholder"] {
            let environment = both.merging(["ANTHROPIC_OAUTH_TOKEN": unusable]) { $1 }
            #expect(try Self.found(environment) == ["anthropic:env ANTHROPIC_API_KEY api_key key"])
        }
    }

    @Test("A provider of one's own names its variables as data")
    func own() throws {
        let settings = "{ providers: { mine: { baseURL: 'https://mine.example', environmentKeys: ['MINE_KEY'] } } }"
        #expect(try Self.found(["MINE_KEY": "v"], settings: settings) == ["mine:env MINE_KEY api_key v"])
    }

    @Test("A kind that the provider cannot be sent is not taken")
    func kind() throws {
        let settings = "{ providers: { openai: { auth: { api_key: null } } } }"
        #expect(try Self.found(["OPENAI_API_KEY": "v"], settings: settings).isEmpty)
    }

    @Test(
        "A metered key steps in for no subscription unless the settings allow it",
        arguments: [
            ([], Profile.Kind.apiKey, false, true), ([.apiKey], .apiKey, false, true), ([.oauth], .apiKey, false, false),
            ([.apiKey, .token], .apiKey, false, false), ([.oauth], .apiKey, true, true), ([.oauth], .token, false, true),
        ] as [([Profile.Kind], Profile.Kind, Bool, Bool)])
    func paid(kinds: [Profile.Kind], kind: Profile.Kind, allowed: Bool, may: Bool) throws {
        let provider = try #require(try Settings().provider("anthropic"))
        let key = EnvironmentKey(provider: "anthropic", variable: "V", kind: kind, secret: Secret("s")!)
        #expect(key.mayReplace(kinds, of: provider, allowPaidFallback: allowed) == may)
    }
}
