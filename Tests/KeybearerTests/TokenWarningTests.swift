import Configuration
import Credentials
import Testing

@testable import keybearer

@Suite struct TokenWarningTests {
    private static let now: Int64 = 1_800_000_000_000
    private static let day: Int64 = 86_400_000

    private static func profile(_ kind: Profile.Kind = .token, expiresIn: Int64?, provider: String = "anthropic") -> Profile {
        Profile(
            id: "\(provider):manual", provider: provider, kind: kind, secret: Secret("secret"), refresh: kind == .oauth ? Secret("r") : nil,
            expires: expiresIn.map { now + $0 })
    }

    @Test(
        arguments: [
            (30 * day + 1, nil), (30 * day, 30), (8 * day, 30), (7 * day, 7), (2 * day, 7), (day, 1), (1, 1), (0, nil), (-day, nil),
            (nil, nil),
        ] as [(Int64?, Int?)])
    func `A token is warned about 30, 7 and 1 day before its end`(expiresIn: Int64?, days: Int?) {
        #expect(TokenWarning(profile: Self.profile(expiresIn: expiresIn), now: Self.now)?.days == days)
    }

    @Test func `A warning names the profile and the command that renews it`() throws {
        let own = try #require(TokenWarning(profile: Self.profile(expiresIn: 3 * Self.day), now: Self.now))
        #expect(
            own.text == "warning: the token anthropic:manual ends in 3 days; renew it by "
                + "`keybearer models auth setup-token --provider anthropic --profile-id anthropic:manual`")
        let other = try #require(TokenWarning(profile: Self.profile(expiresIn: 20 * Self.day, provider: "groq"), now: Self.now))
        #expect(other.text.hasPrefix("note: ") && other.text.contains("paste-token --provider groq"))
    }

    @Test func `Only tokens are warned about: logins renew themselves, keys do not end`() throws {
        let profiles = [Self.profile(.oauth, expiresIn: Self.day), Self.profile(.apiKey, expiresIn: nil, provider: "openai")]
        let report = StatusReport(settings: try Settings(), snapshot: StoreSnapshot(profiles: profiles), now: Self.now)
        #expect(report.tokenWarnings.isEmpty)
    }
}
