import Routing
import Testing

@Suite struct AffinityKeyTests {
    private func key(_ id: String, kind: AffinityKey.Kind = .session, salt: UInt64 = 7, agent: String = "main", provider: String = "openai")
        -> AffinityKey
    {
        let bytes = Array(id.utf8)
        return AffinityKey(kind, salt: salt, agent: agent, provider: provider, id: bytes.span)
    }

    @Test func everyPartCounts() {
        let keys = [
            key("a"), key("b"), key("a", kind: .stored), key("a", salt: 8), key("a", agent: "work"), key("a", provider: "anthropic"),
            key("", agent: "mainopenai", provider: "a"), key("aopenai", provider: ""), key(""),
        ]
        #expect(Set(keys).count == keys.count)
        #expect(key("a") == key("a"))
        #expect(!keys.contains(.none))
    }

    @Test func aHundredThousandIdsAreAsManyKeysInEachHalf() {
        let keys = (0..<100_000).map { key("019a\($0)-7c4e") }
        #expect(Set(keys.map(\.low)).count == keys.count)
        #expect(Set(keys.map(\.high)).count == keys.count)
        // As the table places them: no shard has many more than its part.
        let shards = Dictionary(grouping: keys) { $0.low & 255 }.values.map(\.count)
        #expect(shards.count == 256)
        #expect(shards.allSatisfy { (250...550).contains($0) })
    }

    @Test func textIsReadBack() {
        let some = key("x")
        #expect(AffinityKey(some.description) == some)
        #expect(AffinityKey(high: 1, low: 2).description == "00000000000000010000000000000002")
        for wrong in ["", "x", String(repeating: "g", count: 32), String(repeating: "0", count: 33)] { #expect(AffinityKey(wrong) == nil) }
    }
}
