import Credentials
import JSON
import Testing

@testable import OAuth

/// Endpoints that an issuer names, and whole logins by a provider's data.
@Suite struct DiscoveryTests {
    private static let well = "https://id.example/.well-known/openid-configuration"
    private static func issuer(_ url: String = "https://id.example", hosts: [String] = []) -> OAuthClient {
        var client = OAuthClient(
            tokenURL: "", clientID: "c",
            login: LoginRules(redirect: LoopbackRedirect("http://localhost:1455/cb"), device: .standard(startURL: "")))
        client.issuer = url
        client.endpointHosts = hosts
        return client
    }

    @Test func `An issuer names its endpoints`() throws {
        let transport = ScriptedEndpoints([
            Self.well: [
                (
                    200,
                    #"{"issuer":"https://id.example","authorization_endpoint":"https://id.example/a","token_endpoint":"https://token.id.example/t","device_authorization_endpoint":"https://id.example/d"}"#
                )
            ]
        ])
        let ready = try Self.issuer().prepared(transport: transport) { _ in nil }
        #expect(ready.tokenURL == "https://token.id.example/t" && ready.authorizeURL == "https://id.example/a")
        #expect(ready.login?.device == .standard(startURL: "https://id.example/d"))
        #expect(transport.requests == [.init(url: Self.well, method: .get, credential: nil, body: "")])
        let profile = Profile(id: "p", provider: "p", kind: .oauth, secret: nil)
        #expect(Lane(client: ready, profile: profile, agentID: "main") == Lane(client: Self.issuer(), profile: profile, agentID: "main"))
    }

    @Test(arguments: [
        (404, "", "HTTP 404"), (200, "<html>", "HTTP 200"), (200, "{}", "another issuer's"),
        (200, #"{"issuer":"https://evil.example","token_endpoint":"https://id.example/t"}"#, "another issuer's"),
        (200, #"{"issuer":"https://id.example"}"#, "no token_endpoint"),
        (200, #"{"issuer":"https://id.example","token_endpoint":"https://evil.example/t"}"#, "endpointHosts"),
        (200, #"{"issuer":"https://id.example","token_endpoint":"https://id.example.evil.example/t"}"#, "endpointHosts"),
        (200, #"{"issuer":"https://id.example","token_endpoint":"http://id.example/t"}"#, "endpointHosts"),
        (
            200,
            #"{"issuer":"https://id.example","token_endpoint":"https://id.example/t","authorization_endpoint":"https://evil.example"}"#,
            "endpointHosts"
        ),
        (
            200,
            #"{"issuer":"https://id.example","token_endpoint":"https://id.example/t","device_authorization_endpoint":"https://evil.example"}"#,
            "endpointHosts"
        ),
    ])
    func `A discovery that cannot be trusted ends the login`(status: Int, body: String, words: String) {
        #expect {
            try Self.issuer().prepared(transport: ScriptedEndpoints([Self.well: [(status, body)]])) { _ in nil }
        } throws: { error in
            (error as? LoginFailure)?.reason == .discovery && "\(error)".contains(words)
        }
    }

    @Test func `Endpoints may be at the hosts that the data names`() throws {
        let body = #"{"issuer":"https://id.example","token_endpoint":"https://oauth2.apis.example/t"}"#
        let client = try Self.issuer(hosts: ["apis.example"]).prepared(transport: ScriptedEndpoints([Self.well: [(200, body)]])) { _ in nil
        }
        #expect(client.tokenURL == "https://oauth2.apis.example/t" && client.authorizeURL == nil && client.login?.device == nil)
    }

    // MARK: Whole logins

    private static let code = AuthorizationCode(
        code: Secret("code-1")!, verifier: Secret(AuthorizationRequestTests.verifier)!, redirectURI: AuthorizationRequestTests.redirect)

    @Test func `A login keeps what is not the same for all, and is renewed by it`() throws {
        let scene = PlugInScene()
        let answer = #"{"access_token":"a1","refresh_token":"r1","expires_in":60,"resource_url":"portal.id.example"}"#
        let transport = ScriptedEndpoints([
            Self.well: [
                (
                    200,
                    #"{"issuer":"https://id.example","authorization_endpoint":"https://id.example/a","token_endpoint":"https://id.example/t"}"#
                )
            ],
            "https://id.example/t": [
                (200, answer), (200, #"{"access_token":"a2","refresh_token":"r2","expires_in":60,"resource_url":"new.id.example"}"#),
            ],
            "https://id.example/me": [(200, #"{"sub":"user-7","username":"ann"}"#)],
        ])
        var data = Self.issuer()
        data.clientID = ""
        data.clientIDEnvironment = "MY_CLIENT"
        data.userinfoURL = "https://id.example/me"
        data.answer.account = ["sub"]
        data.answer.email = ["username"]
        data.answer.baseURL = ["resource_url"]
        data.answer.baseURLHosts = ["id.example"]
        #expect(throws: LoginFailure(.settings, detail: "$MY_CLIENT is not set")) { try data.prepared(transport: transport) { _ in nil } }
        let ready = try data.prepared(transport: transport) { $0 == "MY_CLIENT" ? "my-client" : nil }
        let login = Login(
            store: scene.store, client: ready, target: LoginTarget(provider: "mine"), transport: transport, clock: PlugIn.clock,
            environment: { _ in nil })
        let result = try login.exchange(Self.code)
        #expect(result.profileID == "mine:ann")
        #expect(
            transport.requests.last == .init(url: "https://id.example/me", method: .get, credential: "authorization: Bearer a1", body: ""))
        let entry = try #require(scene.entry)
        #expect(entry["clientId"]?.string == "my-client" && entry["tokenEndpoint"]?.string == "https://id.example/t")
        #expect(entry["baseUrl"]?.string == "https://portal.id.example" && entry["accountId"]?.string == "user-7")
        // The environment may have changed, and nothing is discovered again.
        let refresher = Refresher(
            store: scene.store, transport: transport, clock: WallClock(now: { PlugIn.start + 61_000 }, sleep: { _ in }),
            environment: { _ in nil })
        guard case .refreshed(let snapshot) = refresher.refresh(profileID: "mine:ann", client: data, cause: .expired) else {
            return #expect(Bool(false), "it was renewed")
        }
        #expect(
            snapshot.profile("mine:ann")?.secret?.revealed == "a2"
                && snapshot.profile("mine:ann")?.facts.baseURL == "https://new.id.example")
        #expect(transport.requests.last?.body == "grant_type=refresh_token&refresh_token=r1&client_id=my-client")
        #expect(transport.requests.count { $0.url == Self.well } == 1)
    }

    @Test func `A stored endpoint at another host is not used`() throws {
        let scene = PlugInScene()
        var facts = LoginFacts()
        facts.tokenEndpoint = "https://evil.example/t"
        try scene.store.put(
            .oauth(access: Secret("a")!, refresh: Secret("r")!, expires: 1, provider: "mine", accountID: nil, email: nil, facts: facts),
            id: "mine:x")
        let transport = ScriptedEndpoints([
            Self.well: [(200, #"{"issuer":"https://id.example","token_endpoint":"https://id.example/t"}"#)],
            "https://id.example/t": [(200, #"{"access_token":"a2","expires_in":60}"#)],
        ])
        let refresher = Refresher(store: scene.store, transport: transport, clock: PlugIn.clock, environment: { _ in nil })
        _ = refresher.refresh(profileID: "mine:x", client: Self.issuer(), cause: .expired)
        #expect(transport.requests.map(\.url) == [Self.well, "https://id.example/t"])
    }

    @Test func `A client gets tokens for itself, keeps them for every process, and asks again after a refusal`() throws {
        let scene = PlugInScene()
        var client = PlugIn.client { $0.authentication = .basic }
        client = OAuthClient(tokenURL: client.tokenURL, clientID: "svc", clientSecretEnvironment: "SVC_SECRET", scopes: ["a", "b"])
        client.authentication = .basic
        let issuance = Issuance.clientCredentials(client)
        try scene.store.put(.onDemand(provider: "mine"), id: "mine:svc")
        let transport = ScriptedEndpoints([
            client.tokenURL: [(200, #"{"access_token":"t1","expires_in":60}"#), (200, #"{"access_token":"t2","expires_in":60}"#)]
        ])
        func issue(_ cause: Cause, secret: String? = "s1", at now: Int64 = PlugIn.start) -> RefreshOutcome {
            Minter(
                store: scene.store, transport: transport, clock: WallClock(now: { now }, sleep: { _ in }),
                environment: { $0 == "SVC_SECRET" ? secret : nil }
            )
            .issue(profileID: "mine:svc", by: issuance, client: nil, cause: cause)
        }
        guard case .transient(let failure, _) = issue(.expired, secret: nil) else { return #expect(Bool(false), "there is no secret") }
        #expect(failure.reason == .settings && failure.detail == "$SVC_SECRET is not set" && transport.requests.isEmpty)
        guard case .refreshed(let first) = issue(.expired) else { return #expect(Bool(false), "it was issued") }
        #expect(
            transport.requests.last
                == .init(
                    url: client.tokenURL, method: .post, credential: "authorization: Basic c3ZjOnMx",
                    body: "grant_type=client_credentials&scope=a%20b"))
        let profile = try #require(first.profile("mine:svc"))
        let token = try #require(first.issued(for: profile, by: issuance))
        #expect(token == MintedToken(secret: Secret("t1")!, expires: PlugIn.start + 60_000))
        guard case .adopted = issue(.expired) else { return #expect(Bool(false), "it is there") }
        guard case .refreshed(let second) = issue(.rejected(token.secret.fingerprint)) else {
            return #expect(Bool(false), "it was refused")
        }
        #expect(second.issued(for: profile, by: issuance)?.secret.revealed == "t2" && transport.requests.count == 2)
        guard case .refreshed = issue(.expired, at: PlugIn.start + 61_000) else { return #expect(Bool(false), "it has ended") }
    }
}
