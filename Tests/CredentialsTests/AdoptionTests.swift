import Glibc
import JSON
import Testing

@testable import Credentials

/// A login that changes its owner: after every step, and whatever ends it there, one of the two has it.
@Suite struct AdoptionTests {
    private static let id = "openai-codex:codex"
    private static let client = OAuthClient(tokenURL: "https://auth.example/token", clientID: "c")
    private let sink = TemporarySink()
    private var path: String { sink.path + "/auth.json" }

    private static func codex(_ refresh: String = "rt-1") -> String {
        #"{"auth_mode":"chatgpt","tokens":{"access_token":"at","refresh_token":"\#(refresh)","account_id":"acc"},"later":{"x":1}}"#
    }
    private static let claude =
        #"{"mcpOAuth":{"a":1},"claudeAiOauth":{"accessToken":"at","refreshToken":"rt-1","expiresAt":1900000000000}}"#

    private func adoption(_ owner: LoginOwner = .codex) -> Adoption {
        sink.write(owner == .codex ? Self.codex() : Self.claude, to: path, mode: 0o644)
        return Adoption(profileID: Self.id, owner: owner, path: path, wasPointed: false, now: 7)
    }

    /// Who holds the refresh token that was taken over.
    private func owners() throws -> [String] {
        let theirs = (try? ExternalFile(path, of: .codex))?.login.refresh ?? (try? ExternalFile(path, of: .claudeCode))?.login.refresh
        let ours = try sink.store.document().profile(Self.id)?.refresh
        return (theirs?.revealed == "rt-1" ? ["theirs"] : []) + (ours?.revealed == "rt-1" ? ["ours"] : [])
    }

    @Test func itIsTheirsUntilItIsTakenAndOursFromThenOn() throws {
        let adoption = adoption()
        try sink.store.prepare(adoption)
        _ = try sink.store.load()
        #expect(try owners() == ["theirs"])
        try sink.store.take(adoption)
        #expect(try owners() == [], "it waits in the backup")
        var info = stat()
        stat(adoption.backup, &info)
        #expect(info.st_mode & 0o777 == 0o600)
        // A crash here: whoever loads the store next finishes it.
        let snapshot = try sink.store.load()
        #expect(try owners() == ["ours"])
        #expect(snapshot.profile(Self.id)?.accountID == "acc" && snapshot.problems.isEmpty)
        #expect(sink.store.adoptions().map(\.stage) == [.done])
        #expect(try sink.store.own(adoption).profile(Self.id) != nil, "done again, it changes nothing")
        #expect(sink.read(adoption.backup) == Self.codex())
    }

    @Test func whileSomebodyIsAtItNobodyElseFinishesIt() throws {
        let adoption = adoption()
        try sink.store.prepare(adoption)
        try sink.store.adopting {
            try sink.store.take(adoption)
            _ = try sink.store.load()
            #expect(try owners() == [])
            try sink.store.giveBack(adoption)
        }
        #expect(try owners() == ["theirs"] && sink.store.adoptions().isEmpty)
        #expect(sink.read(path) == Self.codex())
    }

    @Test func whatElseIsInClaudesFileStaysThereAndTheLoginComesBackIntoIt() throws {
        let adoption = adoption(.claudeCode)
        try sink.store.prepare(adoption)
        try sink.store.take(adoption)
        #expect(try Reader.parse(Array((sink.read(path) ?? "").utf8)) == ["mcpOAuth": ["a": 1]])
        try sink.store.own(adoption)
        #expect(try owners() == ["ours"])
        sink.write(#"{"mcpOAuth":{"a":2}}"#, to: path)
        try sink.store.undo(adoption, client: Self.client)
        #expect(try owners() == ["theirs"])
        #expect(try Reader.parse(Array((sink.read(path) ?? "").utf8))["mcpOAuth"] == ["a": 2])
        #expect(!adoption.isTaken && sink.store.adoptions().isEmpty)
    }

    @Test func anOverlayOfTheFileBecomesTheLogin() throws {
        let adoption = adoption()
        _ = try sink.store.add(Overlay(owner: .codex, path: path), provider: "openai-codex", isKey: false, id: Self.id)
        try sink.store.prepare(adoption)
        try sink.store.take(adoption)
        let profile = try #require(try sink.store.load().profile(Self.id))
        #expect(profile.kind == .oauth && profile.overlay == nil)
        #expect(try sink.store.document().entry(Self.id)?["overlay"] == nil)
    }

    @Test func itComesBackToTheByteAsLongAsItWasNotRenewed() throws {
        let adoption = adoption()
        try sink.store.prepare(adoption)
        try sink.store.take(adoption)
        try sink.store.own(adoption)
        try sink.store.undo(adoption, client: Self.client)
        #expect(sink.read(path) == Self.codex())
        #expect(try sink.store.load().profiles.isEmpty && sink.store.adoptions().isEmpty)
    }

    @Test(arguments: ["renewed", "in doubt", "removed"])
    func itDoesNotComeBackWhenItsTokenMayBeSpent(kind: String) throws {
        let adoption = adoption()
        try sink.store.prepare(adoption)
        try sink.store.take(adoption)
        let profile = try #require(try sink.store.own(adoption).profile(Self.id))
        switch kind {
        case "renewed":
            let tokens = RenewedTokens(access: Secret("at-2")!, refresh: Secret("rt-2")!, expires: 1_900_000_000_000)
            try sink.store.update { $0.renew(Self.id, spent: Secret("rt-1")!.fingerprint, with: tokens) }
        case "in doubt":
            let lane = Lane(client: Self.client, profile: profile, agentID: "main")
            mkdir(sink.store.journalDirectory, 0o700)
            let intent = RefreshIntent(profileID: Self.id, spent: Secret("rt-1")!.fingerprint, rejected: nil, at: 1, retries: 0)
            try RefreshJournal(path: sink.store.journalPath(of: lane)).open(intent)
        default: try sink.store.remove(id: Self.id)
        }
        #expect(throws: StoreError.self) { try sink.store.undo(adoption, client: Self.client) }
        #expect(access(path, F_OK) != 0 && adoption.isTaken)
        #expect(sink.store.adoptions().map(\.stage) == [.done])
    }

    @Test(arguments: [false, true])
    func aCrashWhileItIsGivenBackEndsWithOneOwner(isOut: Bool) throws {
        let adoption = adoption()
        try sink.store.prepare(adoption)
        try sink.store.take(adoption)
        try sink.store.own(adoption)
        let place = sink.store.importsDirectory + "/" + sink.names(in: sink.store.importsDirectory)[0]
        rename(place, place.replacing(".done", with: ".undoing"))
        if isOut { try sink.store.remove(id: Self.id) }
        _ = try sink.store.load()
        #expect(try owners() == [isOut ? "theirs" : "ours"])
        #expect(sink.store.adoptions().map(\.stage) == (isOut ? [] : [.done]))
    }

    @Test func aLoginMadeMeanwhileIsNotOverwrittenOnEitherSide() throws {
        let adoption = adoption()
        try sink.store.prepare(adoption)
        try sink.store.take(adoption)
        try sink.store.put(.apiKey(Secret("k")!, provider: "openai-codex"), id: Self.id)
        let snapshot = try sink.store.load()
        #expect(snapshot.profile(Self.id)?.secret?.revealed == "k")
        #expect(snapshot.problems[0].message.contains("waits in \(adoption.backup)"))
        sink.write(Self.codex("rt-other"), to: path)
        #expect(throws: StoreError.self) { try sink.store.giveBack(adoption) }
        #expect(sink.read(path) == Self.codex("rt-other") && adoption.isTaken)
    }

    @Test func whatIsRememberedHoldsNoSecretAndWhatCannotBeReadIsPassedOver() throws {
        let adoption = adoption()
        try sink.store.prepare(adoption)
        let name = sink.names(in: sink.store.importsDirectory)[0]
        let text = try #require(sink.read(sink.store.importsDirectory + "/" + name))
        #expect(!text.contains("rt-1") && !text.contains("at\"") && text.contains(path))
        sink.write("{", to: sink.store.importsDirectory + "/" + name)
        sink.write(text, to: sink.store.importsDirectory + "/0123.pending")
        sink.write(text, to: sink.store.importsDirectory + "/README")
        #expect(sink.store.adoptions().isEmpty, "nor one under another profile's name")
        #expect(try owners() == ["theirs"])
    }
}
