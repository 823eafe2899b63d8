import Credentials
import Digest
import Testing

@testable import OAuth

@Suite struct LoginIdentityTests {
    static func identity(account: String? = nil, email: String? = nil, subject: String? = nil) -> LoginIdentity {
        LoginIdentity(provider: "openai-codex", accountID: account, email: email, subject: subject)
    }

    static func profile(
        _ id: String, account: String? = nil, email: String? = nil, subject: String? = nil, kind: Profile.Kind = .oauth,
        provider: String = "openai-codex"
    ) -> Profile {
        let payload = subject.map { #"{"sub":"\#($0)"}"# } ?? "{}"
        return Profile(
            id: id, provider: provider, kind: kind, secret: Secret("e30.\(Base64URL.encode(Array(payload.utf8))).c2ln"), accountID: account,
            email: email)
    }

    @Test(
        "A login is the same account's when everything known of both agrees",
        arguments: [
            (identity(account: "a", email: "me@x.example"), profile("p", account: "a", email: "ME@x.example"), true),
            (identity(account: "a", email: "me@x.example"), profile("p", account: "a", email: "you@x.example"), false),
            (identity(account: "a", email: "me@x.example"), profile("p", account: "b", email: "me@x.example"), false),
            (identity(account: "a", subject: "s"), profile("p", account: "a", subject: "s"), true),
            (identity(account: "a", subject: "s"), profile("p", account: "a", subject: "t"), false),
            (
                identity(account: "a", email: "new@x.example", subject: "s"),
                profile("p", account: "a", email: "old@x.example", subject: "s"), true
            ),
            (identity(account: "a", email: "me@x.example"), profile("p", account: "a"), true),
            (identity(email: "me@x.example"), profile("p", email: "me@x.example"), true),
            (identity(email: "me@x.example"), profile("p"), false), (identity(), profile("p"), false),
            (identity(account: "a"), profile("p", account: "a", kind: .token), false),
            (identity(account: "a"), profile("p", account: "a", provider: "anthropic"), false),
        ])
    func same(identity: LoginIdentity, profile: Profile, isSame: Bool) {
        #expect(identity.isSame(as: profile) == isSame)
    }

    @Test(
        "A new account is called by its e-mail, else by its subject",
        arguments: [
            (identity(account: "a", email: "me@x.example", subject: "s"), "openai-codex:me@x.example"),
            (identity(account: "a", subject: "user|1"), "openai-codex:id-dXNlcnwx"), (identity(account: "acc"), "openai-codex:id-YWNj"),
            (identity(), "openai-codex:default"), (identity(email: "a b@x", subject: "s"), "openai-codex:id-cw"),
            (identity(email: "../@x", subject: "s"), "openai-codex:id-cw"),
        ])
    func names(identity: LoginIdentity, id: String) {
        #expect(identity.place(in: StoreSnapshot(profiles: []), requested: nil, replacing: false) == .init(profileID: id))
    }

    @Test("An absurdly long subject makes a name that the store takes")
    func long() {
        let place = Self.identity(subject: String(repeating: "s", count: 5000))
            .place(in: StoreSnapshot(profiles: []), requested: nil, replacing: false)
        #expect(place.profileID.utf8.count < 100)
    }

    @Test("A login goes to the same account's profile, whatever that is called; a second account gets its own")
    func place() {
        let store = StoreSnapshot(profiles: [
            Self.profile("openai-codex:default", account: "a", email: "me@x.example"),
            Self.profile("openai-codex:key", account: "c", kind: .token),
        ])
        let me = Self.identity(account: "a", email: "me@x.example")
        #expect(me.place(in: store, requested: nil, replacing: false) == .init(profileID: "openai-codex:default"))
        let you = Self.identity(account: "b", email: "you@x.example")
        #expect(you.place(in: store, requested: nil, replacing: false) == .init(profileID: "openai-codex:you@x.example"))
    }

    @Test("One person's second workspace does not overwrite the first, and finds its own place again")
    func workspaces() {
        let first = Self.profile("openai-codex:me@x.example", account: "a", email: "me@x.example")
        let second = Self.identity(account: "b", email: "me@x.example")
        let place = second.place(in: StoreSnapshot(profiles: [first]), requested: nil, replacing: false)
        #expect(place.profileID.hasPrefix("openai-codex:me@x.example-"))
        let stored = Self.profile(place.profileID, account: "b", email: "me@x.example")
        #expect(second.place(in: StoreSnapshot(profiles: [first, stored]), requested: nil, replacing: false) == place)
        let third = Self.identity(account: "c", email: "me@x.example")
        #expect(
            ![first.id, stored.id].contains(
                third.place(in: StoreSnapshot(profiles: [first, stored]), requested: nil, replacing: false).profileID))
    }

    @Test("A profile that was asked for is used, unless it would lose another account's credential")
    func requested() {
        let store = StoreSnapshot(profiles: [Self.profile("work", account: "a", email: "me@x.example"), Self.profile("k", kind: .apiKey)])
        let me = Self.identity(account: "a", email: "me@x.example")
        let you = Self.identity(account: "b", email: "you@x.example")
        #expect(me.place(in: store, requested: "work", replacing: false) == .init(profileID: "work"))
        #expect(you.place(in: store, requested: "new", replacing: false) == .init(profileID: "new"))
        #expect(
            you.place(in: store, requested: "work", replacing: false) == .init(profileID: "openai-codex:you@x.example", occupied: "work"))
        #expect(you.place(in: store, requested: "k", replacing: false) == .init(profileID: "openai-codex:you@x.example", occupied: "k"))
        #expect(you.place(in: store, requested: "work", replacing: true) == .init(profileID: "work"))
    }

    @Test("A login of which nothing says whose it is is kept beside the others")
    func anonymous() {
        let nobody = Self.identity()
        var profiles: [Profile] = []
        for name in ["openai-codex:default", "openai-codex:default-2", "openai-codex:default-3"] {
            let place = nobody.place(in: StoreSnapshot(profiles: profiles), requested: nil, replacing: false)
            #expect(place == .init(profileID: name))
            profiles.append(Self.profile(name))
        }
        let store = StoreSnapshot(profiles: profiles)
        let wanted = "openai-codex:default"
        let kept = LoginIdentity.Place(profileID: "openai-codex:default-4", occupied: wanted)
        #expect(nobody.place(in: store, requested: wanted, replacing: false) == kept)
        #expect(nobody.place(in: store, requested: wanted, replacing: true) == .init(profileID: wanted))
        #expect(nobody.isAnonymous && !Self.identity(subject: "u").isAnonymous)
    }

    @Test("The id token says what the access token does not")
    func claims() {
        func jwt(_ payload: String) -> Secret { Secret("e30.\(Base64URL.encode(Array(payload.utf8))).c2ln")! }
        let access = jwt(#"{"https://api.openai.com/auth":{"chatgpt_account_id":"a","chatgpt_user_id":"u"},"sub":"s","iss":"i"}"#)
        let identity = LoginIdentity(provider: "openai-codex", access: access, idToken: jwt(#"{"email":"me@x.example","sub":"other"}"#))
        #expect(identity == Self.identity(account: "a", email: "me@x.example", subject: "u"))
        let opaque = LoginIdentity(provider: "openai-codex", access: Secret("opaque")!, idToken: nil)
        #expect(opaque == Self.identity())
    }
}
