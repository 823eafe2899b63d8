import JSON
import Testing

@testable import Sandbox

/// The OAuth endpoints over real TLS.
@Suite struct OAuthDialogueTests {
    private let codex = SandboxProvider.openaiCodex.clientID

    private func refresh(_ curl: Curl, _ token: String) -> Curl.Answer {
        curl("/oauth/token", "-d", "grant_type=refresh_token&client_id=\(codex)&refresh_token=\(token)")
    }

    private func usage(_ curl: Curl, _ access: String, _ account: String) -> Int {
        curl("/backend-api/wham/usage", "-H", "Authorization: Bearer \(access)", "-H", "ChatGPT-Account-Id: \(account)").status
    }

    @Test func `a refresh token works once, and its reuse ends the login`() throws {
        let running = try Running()
        let curl = running.curl
        let login = running.sandbox.addAccount(.openaiCodex, expired: true)
        #expect(usage(curl, login.access, login.accountID) == 401)
        let first = refresh(curl, login.refresh)
        #expect(first.status == 200)
        let access = try #require(first.json?["access_token"]?.string)
        #expect(first.json?["expires_in"]?.int64 == 3600)
        #expect(first.json?["id_token"]?.string != nil)
        #expect(usage(curl, access, login.accountID) == 200)

        let again = refresh(curl, login.refresh)
        #expect(again.status == 401)
        #expect(again.json?["error"]?["code"]?.string == "refresh_token_reused")
        #expect(usage(curl, access, login.accountID) == 401)
        let audit = running.sandbox.audit
        #expect(audit.tokenPosts == 2)
        #expect(audit.refreshesGranted == 1)
        #expect(audit.reusesDetected == 1)
        #expect(audit.familiesRevoked == 1)
        #expect(audit.refusals["expired"] == 1 && audit.refusals["revoked"] == 1)
    }

    @Test func `Anthropic's endpoint takes JSON and refuses in the standard's words`() throws {
        let running = try Running()
        let login = running.sandbox.addAccount(.anthropic)
        let body =
            #"{"grant_type":"refresh_token","client_id":"\#(SandboxProvider.anthropic.clientID)","refresh_token":"\#(login.refresh)"}"#
        let first = running.curl("/v1/oauth/token", "-H", "Content-Type: application/json", "-d", body)
        #expect(first.json?["account"]?["uuid"]?.string == login.accountID)
        #expect(first.json?["refresh_token"]?.string?.hasPrefix("sk-ant-ort01-") == true)
        let again = running.curl("/v1/oauth/token", "-H", "Content-Type: application/json", "-d", body)
        #expect(again.status == 400)
        #expect(again.json?["error"]?.string == "invalid_grant")
    }

    @Test(arguments: [
        ("grant_type=refresh_token&refresh_token=x", "invalid_request"), ("grant_type=password&client_id=c", "unsupported_grant_type"),
        ("client_id=c", "unsupported_grant_type"), ("grant_type=refresh_token&client_id=c&refresh_token=rt_never", "token_expired"),
    ])
    func `a wrong grant is refused by name`(form: String, code: String) throws {
        let answer = try Running().curl("/oauth/token", "-d", form)
        #expect(answer.json?["error"]?["code"]?.string == code)
    }

    @Test func `a browser login with PKCE gives tokens to the right verifier only`() throws {
        let running = try Running()
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        let query =
            "response_type=code&client_id=\(codex)&redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback&state=s%201"
            + "&code_challenge=\(AuthorizationLedger.challenge(of: verifier))&code_challenge_method=S256&login_hint=team"
        let (_, location) = Curl.run([
            "-sS", "--cacert", running.sandbox.caFile, "-o", "/dev/null", "-w", "%{redirect_url}",
            running.sandbox.baseURL + "/oauth/authorize?" + query,
        ])
        #expect(location.hasPrefix("http://localhost:1455/auth/callback?code=ac_"))
        #expect(location.hasSuffix("&state=s%201"))
        let code = try #require(location.split(separator: "=").dropFirst().first?.split(separator: "&").first)
        let form =
            "grant_type=authorization_code&client_id=\(codex)&code=\(code)&redirect_uri=http://localhost:1455/auth/callback&code_verifier="
        let wrong = running.curl("/oauth/token", "-d", form + "wrong")
        #expect(wrong.status == 400)
        #expect(wrong.json?["error"]?["code"]?.string == "invalid_grant")
        let right = running.curl("/oauth/token", "-d", form + verifier)
        #expect(usage(running.curl, try #require(right.json?["access_token"]?.string), "team") == 200)
        #expect(running.sandbox.audit.loginsGranted == 1)
        #expect(!"\(running.sandbox.audit.entries)".contains(code))
    }

    @Test func `OpenAI's device flow waits for the person`() throws {
        let running = try Running()
        let json = ["-H", "Content-Type: application/json"]
        let start = running.curl("/api/accounts/deviceauth/usercode", json[0], json[1], "-d", #"{"client_id":"\#(codex)"}"#)
        let device = try #require(start.json?["device_auth_id"]?.string)
        let user = try #require(start.json?["user_code"]?.string)
        let poll = {
            running.curl(
                "/api/accounts/deviceauth/token", json[0], json[1], "-d", #"{"device_auth_id":"\#(device)","user_code":"\#(user)"}"#)
        }
        #expect(poll().status == 403)
        #expect(running.curl("/sandbox/approve", "-d", #"{"user_code":"\#(user)"}"#).status == 200)
        let approved = poll()
        let code = try #require(approved.json?["authorization_code"]?.string)
        let verifier = try #require(approved.json?["code_verifier"]?.string)
        let form =
            "grant_type=authorization_code&client_id=\(codex)&code=\(code)&code_verifier=\(verifier)"
            + "&redirect_uri=https://auth.openai.com/deviceauth/callback"
        #expect(running.curl("/oauth/token", "-d", form).json?["refresh_token"]?.string != nil)
    }

    @Test func `the standard's device flow ends in tokens or in a no`() throws {
        let running = try Running()
        for approve in [true, false] {
            let start = running.curl("/oauth/device/code", "-d", "client_id=\(codex)")
            let device = try #require(start.json?["device_code"]?.string)
            let form = "grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id=\(codex)&device_code=\(device)"
            #expect(running.curl("/oauth/token", "-d", form).json?["error"]?["code"]?.string == "authorization_pending")
            let isFound = running.sandbox.decideDevice(userCode: try #require(start.json?["user_code"]?.string), approve: approve)
            #expect(isFound)
            let end = running.curl("/oauth/token", "-d", form)
            #expect(end.status == (approve ? 200 : 400))
            #expect(approve || end.json?["error"]?["code"]?.string == "access_denied")
        }
    }

    @Test(arguments: [
        ("commitThenClose", 401), ("drop", 200), ("noRefreshToken", 200), ("otherAccount", 200), ("html", 200), ("garbage", 200),
    ])
    func `each fault of the token endpoint spends the refresh token or does not`(kind: String, statusAfter: Int) throws {
        let running = try Running()
        let login = running.sandbox.addAccount(.openaiCodex)
        let added = running.curl("/sandbox/faults", "-d", #"{"path":"/oauth/token","kind":"\#(kind)"}"#)
        #expect(added.status == 200)
        let spoilt = refresh(running.curl, login.refresh)
        switch kind {
        case "commitThenClose", "drop": #expect(spoilt.exit != 0 && spoilt.status == 0)
        case "noRefreshToken":
            #expect(spoilt.json?["access_token"]?.string != nil)
            #expect(spoilt.json?["refresh_token"] == nil)
        case "otherAccount":
            let access = try #require(spoilt.json?["access_token"]?.string)
            #expect(usage(running.curl, access, login.accountID) == 401)
        default: #expect(spoilt.exit == 0 && spoilt.json == nil)
        }
        // The client, not knowing, tries the old token.
        #expect(refresh(running.curl, login.refresh).status == statusAfter)
        #expect(running.sandbox.audit.reusesDetected == (statusAfter == 401 ? 1 : 0))
    }
}
