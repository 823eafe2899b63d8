import Files
import Glibc
import Testing

@testable import Credentials

@Suite struct NeighbourTests {
    struct Row: CustomTestStringConvertible, Sendable {
        let folder: String
        let version: String?
        let form: LockName.Form
        let underStoreLock: Bool
        let refreshLocks: Bool
        var testDescription: String { "\(folder) \(version ?? "?")" }
    }

    static let rows = [
        Row(folder: ".clawdbot", version: nil, form: .directory, underStoreLock: true, refreshLocks: false),
        Row(folder: ".moltbot", version: "2026.1.27-beta.1", form: .directory, underStoreLock: true, refreshLocks: false),
        Row(folder: ".moltbot", version: "2026.2.27", form: .file, underStoreLock: true, refreshLocks: false),
        Row(folder: ".openclaw", version: "2026.2.12", form: .directory, underStoreLock: true, refreshLocks: false),
        Row(folder: ".openclaw", version: "v2026.2.13", form: .file, underStoreLock: true, refreshLocks: false),
        Row(folder: ".openclaw", version: "2026.4.22", form: .file, underStoreLock: true, refreshLocks: true),
        Row(folder: ".openclaw", version: "2026.10.1", form: .file, underStoreLock: false, refreshLocks: true),
        Row(folder: ".openclaw", version: nil, form: .file, underStoreLock: true, refreshLocks: true),
        Row(folder: "anything", version: "latest", form: .file, underStoreLock: true, refreshLocks: true),
    ]

    @Test(arguments: rows) func theLocksFollowTheVersion(row: Row) {
        let neighbour = Neighbour(folder: row.folder, version: row.version)
        #expect(neighbour.form == row.form)
        #expect(neighbour.refreshesUnderStoreLock == row.underStoreLock)
        #expect(neighbour.hasRefreshLocks == row.refreshLocks)
    }

    @Test func aSinkIsOursAloneWithoutANeighboursNameOrSettings() {
        let sink = TemporarySink()
        #expect(Neighbour.sharing(sink.path) == nil)
        #expect(!sink.store.isShared)
        sink.write("// by hand\n{ meta: { lastTouchedVersion: '2026.1.30' } }", to: sink.path + "/openclaw.json", mode: 0o644)
        #expect(Neighbour.sharing(sink.path)?.form == .directory)
        sink.write("{ broken", to: sink.path + "/openclaw.json", mode: 0o644)
        #expect(Neighbour.sharing(sink.path)?.form == .file)
        #expect(Neighbour.sharing("/nowhere/.moltbot/")?.form == .directory)
        #expect(Neighbour.sharing("/nowhere/.keybearer") == nil)
    }

    @Test(arguments: [LockName.Form.directory, .file]) func aLockThatStandsThereTellsOfANeighbour(form: LockName.Form) {
        let sink = TemporarySink()
        if form == .directory { mkdir(sink.lockPath, 0o755) } else { sink.write("", to: sink.lockPath) }
        #expect(sink.store.neighbour?.form == form)
    }

    @Test(arguments: [
        (
            "openai-codex", "openai-codex:default", "sha256-cee1bbaed8073aace8170859a25616882c288ceeaa1119df363bf01cc0cdab65",
            "lock-7b9da1f0ba485a46aaec13e8c09ceb27"
        ),
        (
            "openai", "openai:user@example.com", "sha256-7fa4ed0b02b0a8efa90d0bcfdb9f3efeca2a7688a5bf857ed7f4f858507dd58a",
            "lock-05381e74f3b000f9b2edef1bc8669fab"
        ),
        (
            "anthropic", "anthropic:ü", "sha256-0694e983d10abc5eb91ace58b836344427d1e7921b53e07f2e7277d69c3eb732",
            "lock-6c07232fbd29c8a869c91162b57eec30"
        ),
    ])
    func theNamesOfRefreshLocksAreTheNeighbours(provider: String, id: String, sha256: String, double: String) {
        #expect(RefreshLockName.sha256(provider: provider, profileID: id) == sha256)
        #expect(RefreshLockName.doubleHash(provider: provider, profileID: id) == double)
    }
}
