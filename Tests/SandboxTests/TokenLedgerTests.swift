import Digest
import JSON
import Testing

@testable import Sandbox

@Suite struct TokenLedgerTests {
    private let now: Int64 = 1_800_000_000_000
    private let client = SandboxProvider.openaiCodex.clientID

    private func ledger(grace: Int64 = 0) -> TokenLedger { TokenLedger(mint: TokenMint(), lifetime: 3_600_000, grace: grace) }

    /// A ledger with one login.
    private func loggedIn(
        _ provider: SandboxProvider = .openaiCodex, expired: Bool = false, grace: Int64 = 0
    ) -> (TokenLedger, SandboxLogin) {
        var ledger = ledger(grace: grace)
        let account = ledger.account(provider)
        let login = ledger.login(account, clientID: client, expired: expired, now: now)
        return (ledger, login)
    }

    @Test func `a refresh gives a new pair and the old access token lives on`() throws {
        var (ledger, first) = loggedIn()
        let second = try ledger.refresh(first.refresh, clientID: client, now: now + 10)
        #expect(second.access != first.access)
        #expect(second.refresh != first.refresh)
        #expect(second.expires == now + 10 + 3_600_000)
        #expect(try ledger.holder(of: first.access, now: now + 20).account.id == "acct-1")
        #expect(try ledger.holder(of: second.access, now: now + 20).kind == .oauth)
    }

    @Test func `a spent refresh token ends the whole family and no other`() throws {
        var (ledger, first) = loggedIn()
        let neighbour = ledger.login(ledger.account(.openaiCodex), clientID: client, now: now)
        let second = try ledger.refresh(first.refresh, clientID: client, now: now)
        #expect(throws: TokenLedger.RefreshRefusal.reused) { try ledger.refresh(first.refresh, clientID: client, now: now) }
        #expect(throws: TokenLedger.RefreshRefusal.revoked) { try ledger.refresh(second.refresh, clientID: client, now: now) }
        #expect(throws: TokenLedger.AccessRefusal.revoked) { try ledger.holder(of: second.access, now: now) }
        #expect(ledger.familiesRevoked == 1)
        #expect(try ledger.holder(of: neighbour.access, now: now).account.id == neighbour.accountID)
    }

    @Test func `within the grace period the token before is taken once more and gives the same refresh token`() throws {
        var (ledger, first) = loggedIn(grace: 5000)
        let second = try ledger.refresh(first.refresh, clientID: client, now: now)
        let again = try ledger.refresh(first.refresh, clientID: client, now: now + 4999)
        #expect(again.refresh == second.refresh)
        #expect(throws: TokenLedger.RefreshRefusal.reused) { try ledger.refresh(first.refresh, clientID: client, now: now + 5000) }
    }

    @Test func `an expired login has a dead access token and a live refresh token`() throws {
        var (ledger, login) = loggedIn(expired: true)
        #expect(login.expires < now)
        #expect(throws: TokenLedger.AccessRefusal.expired) { try ledger.holder(of: login.access, now: now) }
        #expect(try ledger.refresh(login.refresh, clientID: client, now: now).expires > now)
    }

    @Test func `an access token ends at its expiry and not before`() throws {
        let (ledger, login) = loggedIn()
        #expect(try ledger.holder(of: login.access, now: login.expires - 1).expires == login.expires)
        #expect(throws: TokenLedger.AccessRefusal.expired) { try ledger.holder(of: login.access, now: login.expires) }
    }

    @Test func `a refresh without rotation keeps the token good`() throws {
        var (ledger, first) = loggedIn()
        let second = try ledger.refresh(first.refresh, clientID: client, rotating: false, now: now)
        #expect(second.refresh == first.refresh)
        #expect(try ledger.refresh(first.refresh, clientID: client, now: now).refresh != first.refresh)
    }

    @Test func `another client's refresh is refused and costs nothing`() throws {
        var (ledger, first) = loggedIn()
        #expect(throws: TokenLedger.RefreshRefusal.otherClient) { try ledger.refresh(first.refresh, clientID: "thief", now: now) }
        #expect(throws: TokenLedger.RefreshRefusal.unknown) { try ledger.refresh("rt_never", clientID: client, now: now) }
        #expect(try ledger.refresh(first.refresh, clientID: client, now: now).accountID == first.accountID)
    }

    @Test func `a login ended by the provider is dead in both its tokens`() {
        var (ledger, login) = loggedIn()
        let revoked = [login.refresh, "rt_never"].map { ledger.revoke(refresh: $0) }
        #expect(revoked == [true, false])
        #expect(throws: TokenLedger.AccessRefusal.revoked) { try ledger.holder(of: login.access, now: now) }
        #expect(throws: TokenLedger.RefreshRefusal.revoked) { try ledger.refresh(login.refresh, clientID: client, now: now) }
        #expect(ledger.familiesRevoked == 0)
    }

    @Test func `an OpenAI access token is a JWT that names account, address and times`() throws {
        let (_, login) = loggedIn()
        let parts = login.access.split(separator: ".").map(String.init)
        try #require(parts.count == 3)
        let claims = try Reader.parse(#require(Base64URL.decode(parts[1])))
        #expect(claims["https://api.openai.com/auth"]?["chatgpt_account_id"]?.string == login.accountID)
        #expect(claims["https://api.openai.com/profile"]?["email"]?.string == login.email)
        #expect(claims["exp"]?.int64 == login.expires / 1000)
        #expect(claims["iat"]?.int64 == now / 1000)
    }

    @Test func `Anthropic's tokens have the forms by which clients tell them`() {
        var (ledger, login) = loggedIn(.anthropic)
        #expect(login.access.hasPrefix("sk-ant-oat01-"))
        #expect(login.refresh.hasPrefix("sk-ant-ort01-"))
        let account = ledger.account(.anthropic)
        #expect(ledger.apiKey(account).hasPrefix("sk-ant-api03-"))
        #expect(ledger.setupToken(account).hasPrefix("sk-ant-oat01-"))
    }
}

extension TokenLedgerTests {
    @Test func `accounts count up unless they are named`() {
        var ledger = ledger()
        #expect(ledger.account(.openai).id == "acct-1")
        #expect(ledger.account(.openai, named: "team").id == "team")
        #expect(ledger.account(.openai).id == "acct-3")
    }
}
