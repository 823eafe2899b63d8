import Configuration
import Credentials
import Routing
import Testing

@testable import Proxy

@Suite struct TokenSightingsTests {
    /// 4.5 of the 5 minutes before expiry: half of all draws have opened the window.
    private static let now: Int64 = 1_800_000_000_000, expires = now + 270_000

    private static func profiles() -> StoreSnapshot {
        StoreSnapshot(
            profiles: (0..<100).map { number in
                Profile(
                    id: "openai-codex:\(number)", provider: "openai-codex", kind: .oauth, secret: Secret("access-\(number)"),
                    refresh: Secret("refresh-\(number)"), expires: expires)
            })
    }

    private static func builder() throws -> RosterBuilder {
        let settings = try Settings(file: SettingsText(path: "test", bytes: Array("{}".utf8)))
        return RosterBuilder(settings: settings, standings: Standings(rules: CooldownRules(settings.auth.cooldowns)))
    }

    private static func early(_ builder: RosterBuilder, _ snapshot: StoreSnapshot) throws -> Set<String> {
        let roster = builder.roster(of: "main", snapshot, problem: nil, now: now)
        let lineup = roster.lineups[try #require(builder.settings.provider("openai-codex")).index]
        return Set(lineup.candidates.filter { $0.readiness(now: now) == .early }.map(\.key.profileID))
    }

    @Test func rostersMadeAnewRefreshNobodyEarlier() throws {
        let builder = try Self.builder()
        let first = try Self.early(builder, Self.profiles())
        #expect((20...80).contains(first.count), "those that expire together are spread")
        for _ in 0..<3 { #expect(try Self.early(builder, Self.profiles()) == first) }
        #expect(try Self.early(builder.following(builder.settings, environmentKeys: nil), Self.profiles()) == first, "nor other settings")
    }

    @Test func eachGenerationIsDrawnAnew() throws {
        let sightings = TokenSightings()
        let key = ProfileKey(agentID: "main", profileID: "p")
        let seen = (0..<3).map { sightings.sighting(of: "generation \($0)", key, now: Self.now) }
        #expect(seen.map(\.issued) == [nil, Self.now, Self.now], "the first may be of any age")
        #expect(Set(seen.map(\.jitter)).count == 3)
        let again = sightings.sighting(of: "generation 1", key, now: Self.now + 60_000)
        #expect(again.issued == Self.now && again.jitter == seen[1].jitter)
    }
}
