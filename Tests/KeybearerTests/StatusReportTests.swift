import Configuration
import Credentials
import Testing

@testable import keybearer

@Suite struct StatusReportTests {
    private static let now: Int64 = 1_800_000_000_000
    private static let hour: Int64 = 3_600_000

    private static func profile(
        _ kind: Profile.Kind, expiresIn: Int64? = nil, refresh: Bool = false, provider: String = "anthropic", id: String = "p",
        empty: Bool = false
    ) -> Profile {
        Profile(
            id: id, provider: provider, kind: kind, secret: empty ? nil : Secret("secret"), refresh: refresh ? Secret("refresh") : nil,
            expires: expiresIn.map { now + $0 })
    }

    private static func report(_ profiles: [Profile], settings: String = "{}", marked: Bool = false) throws -> StatusReport {
        let mark = NeedsLogin(
            fingerprint: Secret("refresh")!.fingerprint, code: "invalid_grant", status: 400, at: now - hour, accessRejected: false)
        return StatusReport(
            settings: try Settings(file: SettingsText(path: "test", bytes: Array(settings.utf8))),
            snapshot: StoreSnapshot(profiles: profiles, needsLogin: marked ? ["p": mark] : [:]), now: now)
    }

    @Test(arguments: [
        (profile(.apiKey), "static", Int32(0)), (profile(.token), "static", 0), (profile(.token, expiresIn: 25 * hour), "ok", 0),
        (profile(.token, expiresIn: 23 * hour), "expiring", 2), (profile(.token, expiresIn: -1), "expired", 1),
        (profile(.oauth, expiresIn: hour, refresh: true), "expiring", 0), (profile(.oauth, expiresIn: -hour, refresh: true), "expired", 0),
        (profile(.oauth, expiresIn: -hour), "expired", 1), (profile(.apiKey, empty: true), "missing", 1),
    ])
    func `A profile's state says when it ends, and the check whether a person has to act`(profile: Profile, state: String, code: Int32)
        throws
    {
        let report = try Self.report([profile])
        #expect(report.providers.first?.entries.first?.state(now: Self.now).rawValue == state)
        #expect(report.checkCode == code)
    }

    @Test(arguments: [hour, -hour])
    func `A login that its provider has ended fails the check, whether its access token still lives or not`(expiresIn: Int64) throws {
        let report = try Self.report([Self.profile(.oauth, expiresIn: expiresIn, refresh: true)], marked: true)
        #expect(report.providers.first?.entries.first?.isRefreshable == false)
        #expect(report.checkCode == (expiresIn > 0 ? 2 : 1))
    }

    @Test(arguments: [
        "{ routes: { default: 'openai' } }", "{ routes: { hosts: { 'o.localhost': 'openai' } } }",
        "{ auth: { order: { openai: ['openai:x'] } } }",
        "{ auth: { profiles: { 'openai:x': { provider: 'openai', mode: 'api_key' } } } }",
    ])
    func `A provider that the settings count on and that has no profile fails the check`(settings: String) throws {
        let report = try Self.report([], settings: settings)
        #expect(report.missing == ["openai"])
        #expect(report.checkCode == 1)
    }

    @Test func `The plain form is a line a profile, tabs between its six cells`() throws {
        let profiles = [
            Self.profile(.oauth, expiresIn: Self.hour, refresh: true, id: "anthropic:a"), Self.profile(.apiKey, id: "anthropic:b"),
            Self.profile(.token, expiresIn: -1, id: "anthropic:c"),
        ]
        let lines = StatusText.plain(try Self.report(profiles))
        #expect(
            lines == [
                "anthropic\t1\tanthropic:a\toauth\texpiring\t\(Self.now + Self.hour)",
                "anthropic\t-\tanthropic:c\ttoken\texpired\t\(Self.now - 1)", "anthropic\t2\tanthropic:b\tapi_key\tstatic\t-",
            ])
    }

    @Test func `A server that takes anyone is not missing its profile`() throws {
        let report = try Self.report([], settings: "{ routes: { default: 'ollama' } }")
        #expect(report.missing.isEmpty && report.checkCode == 0)
    }

    @Test func `A route to a provider that borrows profiles counts for the lender`() throws {
        #expect(try Self.report([], settings: "{ routes: { default: 'chatgpt' } }").missing == ["openai-codex"])
    }

    @Test func `A kind of credential that the provider does not take is not usable`() throws {
        let report = try Self.report([Self.profile(.apiKey, provider: "openai-codex")])
        let entry = try #require(report.providers.first?.entries.first)
        #expect(entry.eligibility == .ok && entry.isUnsendable && !entry.isUsable)
    }

    @Test func `A neighbour's provider is reported, after those of the catalogue`() throws {
        let report = try Self.report([
            Self.profile(.token, provider: "github-copilot", id: "g"), Self.profile(.apiKey, provider: "openai", id: "o"),
        ])
        #expect(report.providers.map(\.id) == ["openai", "github-copilot"])
        #expect(report.providers.map(\.isKnown) == [true, false])
    }
}
