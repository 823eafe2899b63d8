import Credentials
import OAuth
import Testing

@testable import keybearer

/// What has to be done before a credential can be printed, at a moment of our choosing.
@Suite struct TokenStandingTests {
    private static let now: Int64 = 1_800_000_000_000
    private static let access = Secret("access")!

    private func login(expires: Int64?, refresh: String? = "refresh", secret: Secret? = access) -> Profile {
        Profile(id: "p", provider: "x", kind: .oauth, secret: secret, refresh: refresh.flatMap { Secret($0) }, expires: expires)
    }

    private func standing(_ profile: Profile, _ mark: NeedsLogin? = nil, canRefresh: Bool = true) -> TokenStanding {
        TokenStanding(profile, mark, canRefresh: canRefresh, minValidity: 1000, now: Self.now)
    }

    private func mark(accessRejected: Bool = false) -> NeedsLogin {
        NeedsLogin(fingerprint: "f", code: "invalid_grant", status: 400, at: 1, accessRejected: accessRejected)
    }

    @Test(arguments: [
        (1001 as Int64, TokenStanding.works), (1000, .works), (999, .refresh(.early(holding: access.fingerprint))),
        (1, .refresh(.early(holding: access.fingerprint))), (0, .refresh(.expired)), (-1, .refresh(.expired)),
    ])
    func `A login is refreshed early within its window, and must be from its expiry on`(left: Int64, expected: TokenStanding) {
        #expect(standing(login(expires: Self.now + left)) == expected)
    }

    @Test func `What never expires works`() {
        #expect(standing(login(expires: nil)) == .works)
        #expect(standing(Profile(id: "p", provider: "x", kind: .apiKey, secret: Self.access)) == .works)
        #expect(standing(Profile(id: "p", provider: "x", kind: .token, secret: Self.access)) == .works)
    }

    @Test func `What cannot be refreshed is used to its end, and then dead`() {
        #expect(standing(login(expires: Self.now + 1, refresh: nil)) == .works)
        #expect(standing(login(expires: Self.now + 1), canRefresh: false) == .works)
        #expect(standing(login(expires: Self.now, refresh: nil)) == .dead(.notRefreshable))
        #expect(standing(login(expires: Self.now), canRefresh: false) == .dead(.notRefreshable))
    }

    @Test func `A login that has ended is used to its end, unless its access token was refused too`() {
        #expect(standing(login(expires: Self.now + 1), mark()) == .works)
        #expect(standing(login(expires: Self.now + 5000), mark(accessRejected: true)) == .dead(.ended("invalid_grant")))
        #expect(standing(login(expires: Self.now), mark()) == .dead(.ended("invalid_grant")))
    }

    @Test func `A login without an access token gets one`() {
        #expect(standing(login(expires: nil, secret: nil)) == .refresh(.expired))
    }

    @Test func `A static token ends, and nobody can help it`() {
        let token = Profile(id: "p", provider: "x", kind: .token, secret: Self.access, expires: Self.now - 5)
        #expect(standing(token) == .dead(.expired(since: Self.now - 5)))
        let odd = Profile(id: "p", provider: "x", kind: .token, secret: Self.access, hasInvalidExpires: true)
        #expect(standing(odd) == .dead(.invalidExpiry))
    }

    @Test func `What holds no secret says why`() {
        #expect(standing(Profile(id: "p", provider: "x", kind: .apiKey, secret: nil)) == .dead(.noSecret))
        #expect(standing(Profile(id: "p", provider: "x", kind: .apiKey, secret: nil, hasUnresolvedReference: true)) == .dead(.reference))
    }
}
