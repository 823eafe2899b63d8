import Routing
import Testing

@testable import Proxy

@Suite struct AffinitiesTests {
    private let folder = TestFolder()
    private let hour: Int64 = 3_600_000
    private var path: String { folder.path + "/sessions" }

    private func key(_ id: String, _ affinities: Affinities, _ kind: AffinityKey.Kind = .session) -> AffinityKey {
        let id = Array(id.utf8)
        return AffinityKey(kind, salt: affinities.salt, agent: "main", provider: "openai", id: id.span)
    }
    private func profile(_ id: String) -> ProfileKey { ProfileKey(agentID: "main", profileID: id) }

    @Test func theyOutliveAServer() throws {
        let pools = PoolNumbers()
        let (one, two) = (pools.number("openai", profile("openai:one")), pools.number("openai", profile("openai:zwei ü")))
        let before = Affinities(path: path, pools: pools)
        before.served(key("a", before), by: one, findsHome: false, now: hour)
        before.served(key("a", before), by: two, findsHome: false, now: hour)
        before.pin(key("b", before), to: two, now: hour)
        before.keep(key("resp_1", before, .stored), by: two, now: hour)
        #expect(before.save(now: hour) == nil)
        // Numbers are a process's own: the file names profiles.
        let newPools = PoolNumbers()
        _ = newPools.number("anthropic", profile("anthropic:x"))
        let after = Affinities(path: path, pools: newPools)
        #expect(after.salt == before.salt)
        let a = try #require(after.session(key("a", after), now: hour))
        #expect(after.profile(Int(a.home)) == profile("openai:one"))
        #expect(after.profile(Int(a.last)) == profile("openai:zwei ü"))
        #expect(a.pin == -1)
        let b = try #require(after.session(key("b", after), now: hour))
        #expect(after.profile(Int(b.pin)) == profile("openai:zwei ü"))
        #expect(after.knowsKept)
        #expect(after.keeper(key("resp_1", after, .stored), now: hour).flatMap { after.profile($0) } == profile("openai:zwei ü"))
    }

    @Test func theFileHoldsNoIdAndIsPrivate() {
        let affinities = Affinities(path: path, pools: PoolNumbers())
        affinities.served(key("my-session", affinities), by: 0, findsHome: false, now: hour)
        #expect(affinities.save(now: hour) == nil)
        let text = TestFolder.text(of: path)
        #expect(text.hasPrefix("keybearer-sessions 1 "))
        #expect(!text.contains("my-session"))
    }

    @Test func whatHasNotChangedIsNotWrittenAgain() {
        let affinities = Affinities(path: path, pools: PoolNumbers())
        #expect(affinities.save(now: hour) == nil)
        #expect(TestFolder.text(of: path).isEmpty)
        affinities.pin(key("a", affinities), to: nil, now: hour)
        #expect(affinities.save(now: hour) == nil)
        #expect(TestFolder.text(of: path).isEmpty)
    }

    @Test func whatWasNotUsedForAMonthIsForgotten() {
        let affinities = Affinities(path: path, pools: PoolNumbers())
        affinities.pin(key("old", affinities), to: 0, now: hour)
        affinities.pin(key("new", affinities), to: 0, now: 800 * hour)
        #expect(affinities.save(now: 800 * hour) == nil)
        let again = Affinities(path: path, pools: PoolNumbers())
        #expect(again.session(key("old", again), now: 800 * hour) == nil)
        #expect(again.session(key("new", again), now: 800 * hour) != nil)
    }

    @Test func aPlaceThatCannotBeWrittenIsTold() {
        let affinities = Affinities(path: folder.path + "/none/sessions", pools: PoolNumbers())
        affinities.pin(key("a", affinities), to: 0, now: hour)
        #expect(affinities.save(now: hour) != nil)
    }

    @Test func theFirstProfileIsKeptUntilItIsGone() {
        let affinities = Affinities(path: nil, pools: PoolNumbers())
        let a = key("a", affinities)
        affinities.served(a, by: 1, findsHome: false, now: hour)
        affinities.served(a, by: 2, findsHome: false, now: hour)
        #expect(affinities.session(a, now: hour)?.home == 1)
        #expect(affinities.session(a, now: hour)?.last == 2)
        affinities.served(a, by: 2, findsHome: true, now: hour)
        #expect(affinities.session(a, now: hour)?.home == 2)
    }
}

@Suite struct AffinityFileTests {
    /// Files that are damaged, foreign or of another version: what can be read is, and nothing fails.
    static let rows: [(text: String, entries: Int?)] = [
        ("", nil),
        ("keybearer-sessions 2 ff\n", nil),
        ("keybearer-sessions 1 zz\n", nil),
        ("keybearer-sessions 1 ff", 0),
        ("keybearer-sessions 1 ff\nprofile openai main openai%3Aone\nsession 00000000000000010000000000000002 0 0 - 7\n", 1),
        ("keybearer-sessions 1 ff\nsession 00000000000000010000000000000002 5 -1 x 7\n", 1),
        ("keybearer-sessions 1 ff\nsession 0001 0 0 - 7\n", 0),
        ("keybearer-sessions 1 ff\nsession 00000000000000010000000000000002 0 0 - -7\n", 0),
        ("keybearer-sessions 1 ff\nsession 00000000000000010000000000000002 0 0\n", 0),
        ("keybearer-sessions 1 ff\nstored 00000000000000010000000000000002 - - - 7\nnew kind of line\n\u{0}\n", 1),
    ]

    @Test(arguments: rows)
    func aFileIsReadAsFarAsItCanBe(text: String, entries: Int?) {
        #expect(AffinityFile(text: Array(text.utf8))?.entries.count == entries)
    }

    @Test func whatIsWrittenIsReadBack() {
        let one = AffinityFile.Profile(provider: "openai", agent: "main", id: "openai:a b/ü@x")
        let two = AffinityFile.Profile(provider: "openai", agent: "work", id: "openai:a b/ü@x")
        let entries = [
            AffinityFile.Entry(kind: .session, key: AffinityKey(high: 1, low: 2), home: one, last: two, pin: nil, used: 7),
            AffinityFile.Entry(kind: .stored, key: AffinityKey(high: .max, low: 1), home: two, last: nil, pin: nil, used: .max),
        ]
        let file = AffinityFile(salt: 0xfedc_ba98_7654_3210, entries: entries)
        let again = AffinityFile(text: file.text)
        #expect(again?.salt == file.salt)
        #expect(again?.entries == entries)
    }
}
