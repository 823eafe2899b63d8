import Configuration
import Credentials
import Testing

@testable import keybearer

@Suite struct StatusEnvironmentTests {
    private static let key = EnvironmentKey(provider: "anthropic", variable: "ANTHROPIC_API_KEY", kind: .apiKey, secret: Secret("sk")!)
    private static let now: Int64 = 1_800_000_000_000

    private static func entry(_ profiles: [Profile], settings: String = "{}") throws -> StatusReport.ProviderEntry? {
        let settings = try Settings(file: SettingsText(path: "test", bytes: Array(settings.utf8)))
        let report = StatusReport(settings: settings, snapshot: StoreSnapshot(profiles: profiles), environmentKeys: [key], now: now)
        return report.providers.first { $0.id == "anthropic" }
    }

    private static func profile(_ kind: Profile.Kind, expires: Int64? = nil) -> Profile {
        Profile(id: "p", provider: "anthropic", kind: kind, secret: Secret("secret"), expires: expires)
    }

    @Test func `A key of the environment is shown, and used where there is no profile`() throws {
        let entry = try #require(try Self.entry([]))
        #expect(entry.environmentKey?.variable == "ANTHROPIC_API_KEY" && entry.usesEnvironment)
    }

    @Test func `It is shown and not used where a profile can be`() throws {
        let entry = try #require(try Self.entry([Self.profile(.apiKey)]))
        #expect(entry.environmentKey != nil && !entry.usesEnvironment)
    }

    @Test func `It does not step in for a subscription that has ended, unless the settings say so`() throws {
        let ended = Self.profile(.token, expires: 1)
        #expect(try Self.entry([ended])?.usesEnvironment == false)
        #expect(try Self.entry([ended], settings: "{ auth: { allowPaidFallback: true } }")?.usesEnvironment == true)
    }

    @Test func `A provider in use is not missing when the environment has its key`() throws {
        let settings = try Settings(file: SettingsText(path: "test", bytes: Array("{ routes: { default: 'anthropic' } }".utf8)))
        let with = StatusReport(settings: settings, snapshot: StoreSnapshot(profiles: []), environmentKeys: [Self.key], now: Self.now)
        #expect(with.missing.isEmpty && with.checkCode == 0)
        #expect(StatusReport(settings: settings, snapshot: StoreSnapshot(profiles: []), now: Self.now).missing == ["anthropic"])
    }
}
