import Testing

@testable import Credentials

@Suite struct ProfileOrderTests {
    static let now: Int64 = 1_000_000

    /// `id:kind[:state]`; the provider is `p` unless the id starts with `q`.
    static func profile(_ text: String) -> Profile {
        let parts = text.split(separator: ":").map(String.init)
        let state = parts.count > 2 ? parts[2] : ""
        let kind = Profile.Kind(rawValue: parts[1])!
        let isExpired = state == "expired" || state == "expired-dead"
        return Profile(
            id: parts[0], provider: parts[0].hasPrefix("q") ? "q" : "p", kind: kind,
            secret: state == "empty" || state == "ref" ? nil : Secret("s-\(parts[0])"),
            refresh: kind == .oauth && state != "expired-dead" && state != "empty" ? Secret("r-\(parts[0])") : nil,
            expires: isExpired ? now - 1 : now + 1, hasInvalidExpires: state == "invalid", hasUnresolvedReference: state == "ref")
    }

    struct Row: CustomTestStringConvertible, Sendable {
        let name: String
        var stored: [String]
        var order: [String]?
        var configured: [String]?
        var declared: [String: DeclaredProfile] = [:]
        var marked: [String: Bool] = [:]
        let expected: [String]
        var testDescription: String { name }
    }

    static let rows = [
        Row(
            name: "derived: oauth, token, api_key, each in stored order",
            stored: ["k:api_key", "t:token", "o1:oauth", "k2:api_key", "o2:oauth", "q:token"],
            expected: ["o1 ok", "o2 ok", "t ok", "k ok", "k2 ok"]),
        Row(
            name: "the store's order wins over the configuration and excludes the rest", stored: ["a:token", "b:token", "c:token"],
            order: ["c", "a"],
            configured: ["b"], expected: ["c ok", "a ok", "b excluded_by_auth_order"]),
        Row(
            name: "the configuration's order is kept as it is", stored: ["a:api_key", "b:oauth"], configured: ["a", "b"],
            expected: ["a ok", "b ok"]),
        Row(name: "an empty order is none", stored: ["a:api_key", "b:oauth"], configured: [], expected: ["b ok", "a ok"]),
        Row(name: "duplicates count once", stored: ["a:token"], order: ["a", "a"], expected: ["a ok"]),
        Row(
            name: "an order may name what is not there", stored: ["a:token", "q:token"], order: ["x", "q", "a"],
            expected: ["x unknown_profile", "q provider_mismatch", "a ok"]),
        Row(name: "an expired token is unusable", stored: ["a:token:expired"], expected: ["a expired"]),
        Row(name: "an expired oauth profile with a refresh token is usable", stored: ["a:oauth:expired"], expected: ["a ok"]),
        Row(name: "an expired oauth profile without one is not", stored: ["a:oauth:expired-dead"], expected: ["a expired"]),
        Row(
            name: "profiles without a secret", stored: ["a:api_key:empty", "b:oauth:empty", "c:api_key:ref"],
            expected: ["b missing_credential", "a missing_credential", "c unresolved_ref"]),
        Row(name: "a token with a bad expiry", stored: ["a:token:invalid"], expected: ["a invalid_expires"]),
        Row(name: "needs-login once expired", stored: ["a:oauth:expired"], marked: ["a": false], expected: ["a needs_login"]),
        Row(name: "needs-login leaves a working access token in use", stored: ["a:oauth"], marked: ["a": false], expected: ["a ok"]),
        Row(name: "unless the access token was refused as well", stored: ["a:oauth"], marked: ["a": true], expected: ["a needs_login"]),
        Row(
            name: "a declaration must fit; oauth and token stand for each other", stored: ["a:oauth", "b:token", "c:api_key", "d:token"],
            declared: [
                "a": DeclaredProfile(provider: "P", mode: "token"), "b": DeclaredProfile(provider: "p", mode: "oauth"),
                "c": DeclaredProfile(provider: "p", mode: "oauth"), "d": DeclaredProfile(provider: "p"),
            ], expected: ["a ok", "b ok", "d ok", "c mode_mismatch"]),
        Row(
            name: "declared profiles are the base of a derived order", stored: ["a:token", "b:token"],
            declared: ["b": DeclaredProfile(provider: "p"), "x": DeclaredProfile(provider: "p")],
            expected: ["b ok", "x unknown_profile", "a excluded_by_auth_order"]),
        Row(
            name: "unless none of them is in the store", stored: ["a:token"], declared: ["x": DeclaredProfile(provider: "p")],
            expected: ["a ok", "x unknown_profile"]),
        Row(
            name: "a declaration for another provider", stored: ["a:token"], order: ["a"], declared: ["a": DeclaredProfile(provider: "q")],
            expected: ["a provider_mismatch"]),
    ]

    @Test(arguments: rows)
    func orderAndReasonsFollowTheTable(row: Row) {
        let profiles = row.stored.map(Self.profile)
        var marks: [String: NeedsLogin] = [:]
        for (id, accessRejected) in row.marked {
            marks[id] = NeedsLogin(fingerprint: "f", code: "invalid_grant", status: 400, at: 1, accessRejected: accessRejected)
        }
        let snapshot = StoreSnapshot(profiles: profiles, order: row.order.map { ["p": $0] } ?? [:], needsLogin: marks)
        let ranked = ProfileOrder.resolve(
            provider: "P ", snapshot: snapshot, configured: row.configured, declared: row.declared, now: Self.now)
        #expect(ranked.map { "\($0.profileID) \($0.eligibility.rawValue)" } == row.expected)
        let source: Ranked.Source = row.order != nil ? .store : row.configured?.isEmpty == false ? .configuration : .derived
        #expect(ranked.allSatisfy { $0.source == source })
    }
}
