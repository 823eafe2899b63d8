import Configuration
import Credentials
import Routing
import Sockets
import Testing

@testable import Proxy

@Suite struct EnvironmentKeyTests {
    private static let key = EnvironmentKey(provider: "anthropic", variable: "ANTHROPIC_API_KEY", kind: .apiKey, secret: Secret("sk-env")!)
    private static let now: Int64 = 1_800_000_000_000

    private static func lineup(_ profiles: [Profile], problem: String? = nil, paid: Bool = false) throws -> Lineup {
        let text = "{ auth: { allowPaidFallback: \(paid) } }"
        let settings = try Settings(file: SettingsText(path: "test", bytes: Array(text.utf8)))
        let roster = RosterBuilder(
            settings: settings, standings: Standings(rules: CooldownRules(settings.auth.cooldowns)), environmentKeys: [key]
        )
        .roster(of: "main", StoreSnapshot(profiles: profiles), problem: problem, now: now)
        return roster.lineups[try #require(settings.provider("anthropic")).index]
    }

    private static func profile(_ kind: Profile.Kind, expires: Int64? = nil) -> Profile {
        Profile(id: "anthropic:p", provider: "anthropic", kind: kind, secret: Secret("secret"), expires: expires)
    }

    @Test("Without a profile the environment's key goes on the request, and says where it is from")
    func used() throws {
        let lineup = try Self.lineup([])
        let candidate = try #require(lineup.candidates.first)
        #expect(candidate.key.profileID == "anthropic:env")
        #expect(String(decoding: candidate.encodedID, as: UTF8.self) == "anthropic:env")
        #expect(candidate.readiness(now: Self.now) == .ready)
        #expect(candidate.client == nil)
        #expect(lineup.named("env") === candidate)
    }

    @Test("A profile that can be used leaves no place for it")
    func unused() throws {
        #expect(try Self.lineup([Self.profile(.apiKey)]).candidates.map(\.key.profileID) == ["anthropic:p"])
        #expect(try Self.lineup([Self.profile(.apiKey)]).named("env") == nil)
    }

    @Test("It does not take the place of a subscription that has ended, unless the settings allow to pay")
    func paid() throws {
        let ended = Self.profile(.token, expires: 1)
        #expect(try Self.lineup([ended]).candidates.isEmpty)
        #expect(try Self.lineup([ended], paid: true).candidates.map(\.key.profileID) == ["anthropic:env"])
    }

    @Test("A store that cannot be read may hold a login, so that nothing steps in for it")
    func unreadable() throws {
        #expect(try Self.lineup([], problem: "unreadable").candidates.isEmpty)
    }
}
