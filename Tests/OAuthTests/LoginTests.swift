import Credentials
import Digest
import Files
import Glibc
import JSON
import Synchronization
import Testing

@testable import OAuth

@Suite struct LoginTests {
    @Test("A code becomes a profile with what the token endpoint gave, under the account's e-mail")
    func exchanged() throws {
        let scene = LoginScene()
        let result = try scene.login().exchange(scene.code())
        #expect(result.profileID == "openai-codex:me@x.example")
        #expect(result.isNew && result.occupied == nil)
        let profile = try #require(scene.store.load().profile(result.profileID))
        #expect(profile.secret?.revealed == scene.provider.lastAccess)
        #expect(profile.refresh?.revealed == "refresh-1")
        #expect(profile.accountID == "acc-1")
        #expect(profile.email == "me@x.example")
        #expect(profile.expires == LoginScene.start + 3600_000)
        #expect(
            scene.provider.bodies == [
                "grant_type=authorization_code&client_id=client-1&code=code-1&code_verifier=\(AuthorizationRequestTests.verifier)"
                    + "&redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback"
            ])
    }

    @Test("Logging in again updates the same profile in place, keeps what others wrote there, and clears the mark")
    func again() throws {
        let scene = LoginScene()
        let first = try scene.login().exchange(scene.code())
        try scene.store.put(.apiKey(Secret("key")!, provider: "openai"), id: "openai:default")
        try scene.store.update { document in
            var entry = document.entry(first.profileID)!
            entry["note"] = "mine"
            document.setEntry(first.profileID, entry)
            return true
        }
        try scene.store.markNeedsLogin(
            id: first.profileID,
            NeedsLogin(fingerprint: Secret("refresh-1")!.fingerprint, code: "invalid_grant", status: 400, at: 1, accessRejected: true))
        let second = try scene.login().exchange(scene.code())
        #expect(second.profileID == first.profileID && !second.isNew)
        let snapshot = try scene.store.load()
        #expect(snapshot.profiles.map(\.id) == [first.profileID, "openai:default"])
        #expect(snapshot.profile(first.profileID)?.refresh?.revealed == "refresh-2")
        #expect(snapshot.needsLogin.isEmpty)
        #expect(try scene.store.document().entry(first.profileID)?["note"]?.string == "mine")
        #expect(!scene.text(scene.store.statePath).contains("invalid_grant"))
    }

    @Test("A second account is a second profile; asked for under the first's name it is kept under its own")
    func accounts() throws {
        let scene = LoginScene()
        _ = try scene.login(profileID: "openai-codex:work").exchange(scene.code())
        scene.provider.state.withLock { $0.account = ("acc-2", "you@x.example") }
        let other = try scene.login(profileID: "openai-codex:work").exchange(scene.code())
        #expect(other.profileID == "openai-codex:you@x.example")
        #expect(other.occupied == "openai-codex:work")
        let snapshot = try scene.store.load()
        #expect(snapshot.profile("openai-codex:work")?.accountID == "acc-1")
        #expect(snapshot.profile("openai-codex:you@x.example")?.accountID == "acc-2")
        let replaced = try scene.login(profileID: "openai-codex:work", replaces: true).exchange(scene.code())
        #expect(replaced.profileID == "openai-codex:work")
    }

    @Test(
        "What is no login is refused, and nothing is stored",
        arguments: [
            (.answer(400, #"{"error":"invalid_grant"}"#), LoginFailure.Reason.refused),
            (.answer(401, #"{"error":{"code":"token_expired"}}"#), .status), (.answer(200, "<html>"), .invalidAnswer),
            (.answer(200, #"{"access_token":"a","expires_in":1}"#), .incomplete),
            (.answer(200, #"{"access_token":"opaque","refresh_token":"r","expires_in":1}"#), .incomplete),
            (.answer(200, #"{"refresh_token":"r","expires_in":1}"#), .invalidAnswer), (.answer(302, ""), .status),
            (.answer(500, ""), .status),
            (.unsent, .unreachable), (.lost, .inDoubt), (.tooLarge, .invalidAnswer),
        ] as [(CodeExchangeProvider.Fate, LoginFailure.Reason)])
    func refused(fate: CodeExchangeProvider.Fate, reason: LoginFailure.Reason) throws {
        let scene = LoginScene()
        scene.provider.state.withLock { $0.fates = [fate] }
        #expect { try scene.login().exchange(scene.code()) } throws: { ($0 as? LoginFailure)?.reason == reason }
        #expect(try scene.store.load().profiles.isEmpty)
        #expect(try scene.login().prepare() == nil, "nothing is left to finish")
        #expect(try scene.login().exchange(scene.code()).isNew, "and the next login works")
    }

    @Test("A code that was used is refused the second time")
    func reused() throws {
        let scene = LoginScene()
        let code = scene.code()
        _ = try scene.login().exchange(code)
        #expect { try scene.login().exchange(code) } throws: {
            ($0 as? LoginFailure) == LoginFailure(.refused, status: 400, code: "invalid_grant")
        }
    }

    @Test("A login whose answer could not be stored is finished by the next one, without the network")
    func interrupted() throws {
        let scene = LoginScene()
        let login = scene.login(profileID: "openai-codex:work")
        scene.provider.state.withLock { $0.beforeAnswer = { scene.breakStore() } }
        #expect { try login.exchange(scene.code()) } throws: { ($0 as? LoginFailure)?.reason == .notDurable }
        scene.provider.state.withLock { $0.beforeAnswer = nil }
        scene.mendStore()
        #expect(try scene.store.load().profiles.isEmpty)
        let result = try #require(try scene.login().prepare())
        #expect(result.profileID == "openai-codex:work")
        #expect(try scene.store.load().profile("openai-codex:work")?.refresh?.revealed == "refresh-1")
        #expect(scene.provider.bodies.count == 1)
        #expect(try scene.login().prepare() == nil)
        #expect(!scene.journals().contains { $0.contains("refresh-1") }, "no token stays in a journal")
    }

    @Test("A code is not spent when its login could not be stored")
    func notDurable() throws {
        let scene = LoginScene()
        scene.breakStore()
        defer { scene.mendStore() }
        #expect { try scene.login().prepare() } throws: { ($0 as? LoginFailure)?.reason == .notDurable }
        #expect { try scene.login().exchange(scene.code()) } throws: { ($0 as? LoginFailure)?.reason == .notDurable }
        #expect(scene.provider.bodies.isEmpty)
    }

    @Test("An app's secret comes from its environment variable, and is asked for before the person is")
    func clientSecret() throws {
        let scene = LoginScene()
        #expect { try scene.login(secretFrom: "UNSET").prepare() } throws: { ($0 as? LoginFailure)?.reason == .settings }
        _ = try scene.login(secretFrom: "SET").exchange(scene.code())
        #expect(scene.provider.bodies.last?.hasSuffix("&client_secret=client-secret") == true)
    }

    @Test("OpenAI's device login: polled while 403, then the code is exchanged with the provider's verifier")
    func openaiDevice() throws {
        let scene = LoginScene()
        scene.provider.script(
            .answer(200, #"{"device_auth_id":"dev-1","user_code":"ABCD-EFGH","interval":"5"}"#), .answer(403, ""), .unsent,
            .answer(404, ""),
            .answer(200, #"{"authorization_code":"code-d","code_verifier":"\#(AuthorizationRequestTests.verifier)"}"#))
        let login = scene.login(device: DeviceCodeTests.openai)
        let code = try login.startDevice()
        let result = try #require(try login.finishDevice(code) { true })
        #expect(result.profileID == "openai-codex:me@x.example")
        #expect(
            scene.provider.bodies == [
                #"{"client_id":"client-1"}"#, #"{"device_auth_id":"dev-1","user_code":"ABCD-EFGH"}"#,
                #"{"device_auth_id":"dev-1","user_code":"ABCD-EFGH"}"#, #"{"device_auth_id":"dev-1","user_code":"ABCD-EFGH"}"#,
                #"{"device_auth_id":"dev-1","user_code":"ABCD-EFGH"}"#,
                "grant_type=authorization_code&client_id=client-1&code=code-d&code_verifier=\(AuthorizationRequestTests.verifier)"
                    + "&redirect_uri=https%3A%2F%2Fa.example%2Fcb",
            ])
        #expect(scene.time.now - LoginScene.start == 5000 + 5000 + 10_000 + 10_000, "an unreachable server is asked less often")
    }

    @Test("RFC 8628: slow_down slows down, and the last poll's answer is stored")
    func standardDevice() throws {
        let scene = LoginScene()
        scene.provider.script(
            .answer(200, #"{"device_code":"dev-1","user_code":"X","verification_uri":"https://a.example/d","expires_in":600}"#),
            .answer(400, #"{"error":"authorization_pending"}"#), .answer(400, #"{"error":"slow_down"}"#), .served)
        let login = scene.login(device: DeviceCodeTests.standard)
        let result = try #require(try login.finishDevice(try login.startDevice()) { true })
        #expect(result.isNew)
        #expect(scene.time.now - LoginScene.start == 5000 + 5000 + 10_000)
        #expect(scene.provider.bodies[0] == "client_id=client-1&scope=openid%20email")
        #expect(
            scene.provider.bodies[3]
                == "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id=client-1&device_code=dev-1")
    }

    @Test(
        "A device login ends when the person says no, or nothing, or the code ends",
        arguments: [
            (#"{"error":"access_denied"}"#, LoginFailure.Reason.denied), (#"{"error":"expired_token"}"#, .expired),
            (#"{"error":"invalid_client"}"#, .status),
        ])
    func deviceRefused(body: String, reason: LoginFailure.Reason) throws {
        let scene = LoginScene()
        scene.provider.script(
            .answer(200, #"{"device_code":"dev-1","user_code":"X","verification_uri":"https://a.example/d"}"#), .answer(400, body))
        let login = scene.login(device: DeviceCodeTests.standard)
        let code = try login.startDevice()
        #expect { try login.finishDevice(code) { true } } throws: { ($0 as? LoginFailure)?.reason == reason }
    }

    @Test("A device login that nobody confirms ends with its code")
    func deviceExpires() throws {
        let scene = LoginScene()
        scene.provider.script(
            .answer(200, #"{"device_code":"dev-1","user_code":"X","verification_uri":"https://a.example/d","expires_in":20}"#),
            .answer(400, #"{"error":"authorization_pending"}"#), .answer(400, #"{"error":"authorization_pending"}"#),
            .answer(400, #"{"error":"authorization_pending"}"#), .answer(400, #"{"error":"authorization_pending"}"#))
        let login = scene.login(device: DeviceCodeTests.standard)
        let code = try login.startDevice()
        #expect { try login.finishDevice(code) { true } } throws: { ($0 as? LoginFailure)?.reason == .expired }
        #expect(scene.provider.bodies.count == 4, "no poll after the code's end")
    }

    @Test("A device login that is called off ends between two polls; an answer that is there is kept")
    func deviceCalledOff() throws {
        let scene = LoginScene()
        scene.provider.script(
            .answer(200, #"{"device_code":"dev-1","user_code":"X","verification_uri":"https://a.example/d"}"#), .served)
        let login = scene.login(device: DeviceCodeTests.standard)
        let code = try login.startDevice()
        #expect(try login.finishDevice(code) { false } == nil)
        #expect(scene.provider.bodies.count == 1)
        let isWanted = Atomic(true)
        scene.provider.state.withLock { $0.beforeAnswer = { isWanted.store(false, ordering: .relaxed) } }
        #expect(try login.finishDevice(code) { isWanted.load(ordering: .relaxed) }?.isNew == true)
    }
}
