import Testing

@testable import Sandbox

@Suite struct AuthorizationLedgerTests {
    private let now: Int64 = 1_800_000_000_000
    private let account = Account(id: "acct-1", provider: .openaiCodex)
    private let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    private let redirect = "http://localhost:1455/auth/callback"

    private func granted(state: String? = nil) -> (AuthorizationLedger, String) {
        var ledger = AuthorizationLedger()
        let code = ledger.grant(
            AuthorizationLedger.CodeRequest(
                account: account, clientID: "app", redirectURI: redirect, challenge: AuthorizationLedger.challenge(of: verifier),
                state: state), now: now)
        return (ledger, code)
    }

    @Test func `the challenge is the one of RFC 7636's example`() {
        #expect(AuthorizationLedger.challenge(of: verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    }

    @Test func `a code is good for one exchange`() throws {
        var (ledger, code) = granted()
        let exchange = { (ledger: inout AuthorizationLedger) throws in
            try ledger.exchange(code: code, clientID: "app", redirectURI: redirect, verifier: verifier, state: nil, now: now)
        }
        #expect(try exchange(&ledger) == account)
        #expect(throws: AuthorizationLedger.CodeRefusal.used) { try exchange(&ledger) }
    }

    @Test(arguments: [
        ("app", "http://localhost:1455/auth/callback", "wrong", Int64(0), AuthorizationLedger.CodeRefusal.wrongVerifier),
        ("other", "http://localhost:1455/auth/callback", "", 0, .otherClient),
        ("app", "http://localhost:1456/auth/callback", "", 0, .otherRedirect),
        ("app", "http://localhost:1455/auth/callback", "", 600_000, .expired),
    ])
    func `a wrong exchange is refused and the code stays good`(
        client: String, redirectURI: String, wrongVerifier: String, later: Int64, refusal: AuthorizationLedger.CodeRefusal
    ) throws {
        var (ledger, code) = granted()
        let given = wrongVerifier.isEmpty ? verifier : wrongVerifier
        #expect(throws: refusal) {
            try ledger.exchange(code: code, clientID: client, redirectURI: redirectURI, verifier: given, state: nil, now: now + later)
        }
        let good = try ledger.exchange(code: code, clientID: "app", redirectURI: redirect, verifier: verifier, state: nil, now: now)
        #expect(good == account)
    }

    @Test func `where the state is wanted again it must be the same`() throws {
        var (ledger, code) = granted(state: "s1")
        #expect(throws: AuthorizationLedger.CodeRefusal.wrongState) {
            try ledger.exchange(code: code, clientID: "app", redirectURI: redirect, verifier: verifier, state: "s2", now: now)
        }
        #expect(
            try ledger.exchange(code: code, clientID: "app", redirectURI: redirect, verifier: verifier, state: "s1", now: now) == account)
    }

    @Test func `a device waits, is approved, and is told so once`() {
        var ledger = AuthorizationLedger()
        let start = ledger.startDevice(.openaiCodex, clientID: "app", now: now)
        #expect(ledger.poll(deviceCode: start.deviceCode, now: now) == .pending)
        #expect(ledger.provider(waitingFor: start.userCode) == .openaiCodex)
        ledger.decide(userCode: start.userCode, account: account)
        #expect(ledger.poll(deviceCode: start.deviceCode, userCode: "WRNG-WRNG", now: now) == .unknown)
        #expect(ledger.poll(deviceCode: start.deviceCode, clientID: "other", now: now) == .unknown)
        #expect(ledger.poll(deviceCode: start.deviceCode, userCode: start.userCode, clientID: "app", now: now) == .approved(account))
        #expect(ledger.poll(deviceCode: start.deviceCode, now: now) == .unknown)
        #expect(ledger.provider(waitingFor: start.userCode) == nil)
    }

    @Test func `a device is denied, expires, and must not poll too fast`() {
        var ledger = AuthorizationLedger(pollInterval: 5)
        let start = ledger.startDevice(.openaiCodex, clientID: "app", now: now)
        #expect(ledger.poll(deviceCode: start.deviceCode, now: now) == .pending)
        #expect(ledger.poll(deviceCode: start.deviceCode, now: now + 4999) == .slowDown)
        ledger.decide(userCode: start.userCode, account: nil)
        #expect(ledger.poll(deviceCode: start.deviceCode, now: now + 5000) == .denied)
        #expect(ledger.poll(deviceCode: start.deviceCode, now: now + 900_000) == .expired)
    }
}
