import Credentials
import Glibc
import Testing

@testable import OAuth

@Suite(.serialized) struct CurlTransportTests {
    static func request(_ url: String, _ form: OAuthClient.BodyForm = .form) -> TokenRequest {
        .refresh(Secret("r/1+\"x")!, client: OAuthClient(tokenURL: url, clientID: "client", bodyForm: form), clientSecret: nil)
    }

    static let success = LoopbackTokenServer.response("200 OK", #"{"access_token":"a"}"#)

    @Test func aFormArrivesAsItWasMade() throws {
        let server = LoopbackTokenServer(.answer(Self.success))
        defer { server.stop() }
        let answer = try CurlTransport().post(Self.request(server.url))
        #expect(answer.status == 200)
        #expect(answer.retryAfter == nil)
        #expect(answer.body.bytes == Array(#"{"access_token":"a"}"#.utf8))
        let received = try #require(server.received.first)
        #expect(received.hasPrefix("POST /token HTTP/1.1\r\n"))
        #expect(received.contains("Content-Type: application/x-www-form-urlencoded\r\n"))
        #expect(received.contains("Accept: application/json\r\n"))
        #expect(!received.lowercased().contains("expect:"))
        #expect(received.hasSuffix("\r\n\r\ngrant_type=refresh_token&refresh_token=r%2F1%2B%22x&client_id=client"))
    }

    @Test func jsonArrivesAsItWasMade() throws {
        let server = LoopbackTokenServer(.answer(Self.success))
        defer { server.stop() }
        _ = try CurlTransport().post(Self.request(server.url, .json))
        let received = try #require(server.received.first)
        #expect(received.contains("Content-Type: application/json\r\n"))
        #expect(received.hasSuffix(#"{"grant_type":"refresh_token","refresh_token":"r/1+\"x","client_id":"client"}"#))
    }

    @Test func anyStatusIsAnAnswerAndRetryAfterIsRead() throws {
        let server = LoopbackTokenServer(.answer(LoopbackTokenServer.response("429 Slow", "{}", headers: "Retry-After: 17\r\n")))
        defer { server.stop() }
        let answer = try CurlTransport().post(Self.request(server.url))
        #expect(answer.status == 429)
        #expect(answer.retryAfter == .seconds(17))
    }

    @Test func aRedirectIsNotFollowed() throws {
        let elsewhere = LoopbackTokenServer(.answer(Self.success))
        let server = LoopbackTokenServer(.answer(LoopbackTokenServer.response("307 Go", "", headers: "Location: \(elsewhere.url)\r\n")))
        defer {
            server.stop()
            elsewhere.stop()
        }
        #expect(try CurlTransport().post(Self.request(server.url)).status == 307)
        #expect(elsewhere.received.isEmpty)
    }

    @Test func anEndlessAnswerIsCut() {
        let server = LoopbackTokenServer(.flood(10 << 20))
        defer { server.stop() }
        #expect(throws: TransportFailure.tooLarge(status: 200)) { try CurlTransport().post(Self.request(server.url)) }
    }

    @Test func aSlowEndpointIsInDoubtAfterTheTimeOut() {
        let server = LoopbackTokenServer(.silence(milliseconds: 3000))
        defer { server.stop() }
        let start = ContinuousClock.now
        #expect(throws: TransportFailure.inDoubt(code: "timed_out")) {
            try CurlTransport(timeout: .milliseconds(300)).post(Self.request(server.url))
        }
        #expect(ContinuousClock.now - start < .seconds(2))
    }

    @Test func aCutAnswerIsInDoubt() {
        for behaviour in [LoopbackTokenServer.Behaviour.hangUp, .cut] {
            let server = LoopbackTokenServer(behaviour)
            defer { server.stop() }
            #expect(throws: TransportFailure.inDoubt(code: "answer_cut")) { try CurlTransport().post(Self.request(server.url)) }
        }
    }

    @Test func aClosedPortIsNotInDoubt() {
        let server = LoopbackTokenServer(.hangUp)
        server.stop()
        usleep(50_000)
        #expect(throws: TransportFailure.notSent(code: "connection_refused")) { try CurlTransport().post(Self.request(server.url)) }
    }

    @Test func plainHttpToAnotherMachineIsNotEvenTried() {
        #expect(throws: TransportFailure.notSent(code: "url_not_allowed")) {
            try CurlTransport().post(Self.request("http://auth.example/token"))
        }
    }

    @Test func httpsIsSpokenToAnHttpsEndpoint() throws {
        let server = LoopbackTokenServer(.hangUp)
        defer { server.stop() }
        #expect(throws: TransportFailure.notSent(code: "tls_failed")) {
            try CurlTransport().post(Self.request("https://127.0.0.1:\(server.port)/token"))
        }
        #expect(server.received.allSatisfy { !$0.contains("grant_type") })
    }

    @Test func aTokenForThisMachineTakesNoProxy() throws {
        let proxy = LoopbackTokenServer(.answer(Self.success))
        let server = LoopbackTokenServer(.answer(Self.success))
        setenv("http_proxy", "http://127.0.0.1:\(proxy.port)", 1)
        defer {
            unsetenv("http_proxy")
            proxy.stop()
            server.stop()
        }
        _ = try CurlTransport().post(Self.request(server.url))
        #expect(proxy.received.isEmpty)
        #expect(server.received.count == 1)
    }

    @Test func aProfilesOwnProxyIsUsedWhateverTheEnvironmentSays() throws {
        let proxy = LoopbackTokenServer(.answer(Self.success))
        defer { proxy.stop() }
        // Nobody listens there: the answer can only be the proxy's.
        let request = Self.request("http://127.0.0.1:1/oauth/token").through(OutboundProxy("http://me:pass@127.0.0.1:\(proxy.port)"))
        _ = try CurlTransport().post(request)
        let received = try #require(proxy.received.first)
        #expect(received.hasPrefix("POST http://127.0.0.1:1/oauth/token HTTP/1.1\r\n"))
        #expect(received.contains("\r\nProxy-Authorization: Basic "))
    }

    @Test func aTokenForThisMachineDoesNotLeaveItByAProfilesProxyEither() throws {
        let server = LoopbackTokenServer(.answer(Self.success))
        defer { server.stop() }
        _ = try CurlTransport().post(Self.request(server.url).through(OutboundProxy("http://proxy.invalid:3128")))
        #expect(server.received.count == 1)
    }

    @Test func aProxyThatRefusesIsToldAndNothingWasSent() {
        let proxy = LoopbackTokenServer(.answer(LoopbackTokenServer.response("407 Proxy Authentication Required", "")))
        defer { proxy.stop() }
        let request = Self.request("https://provider.invalid/token").through(OutboundProxy("http://127.0.0.1:\(proxy.port)"))
        #expect(throws: TransportFailure.notSent(code: "proxy_refused")) { try CurlTransport().post(request) }
        #expect(proxy.received.allSatisfy { $0.hasPrefix("CONNECT provider.invalid:443 ") && !$0.contains("grant_type") })
    }

    @Test func aWholeRefreshOverTheRealTransport() throws {
        let server = LoopbackTokenServer(
            .answer(LoopbackTokenServer.response("200 OK", #"{"access_token":"new","refresh_token":"refresh-1","expires_in":60}"#)))
        defer { server.stop() }
        let scene = RefreshScene()
        let outcome = scene.refresher(transport: CurlTransport()).refresh(
            profileID: RefreshScene.id, client: OAuthClient(tokenURL: server.url, clientID: "client"), cause: .expired)
        #expect(outcome.name == "refreshed")
        #expect(try scene.profile.secret?.revealed == "new")
        #expect(try scene.profile.expires == RefreshScene.start + 60_000)
    }
}
