@testable import Configuration
@testable import Credentials
import Routing
import Testing

@testable import Proxy

/// Finding keys, and what they may use.
@Suite struct ClientKeysTests {
    private static func table(_ count: Int, _ change: (inout ClientKey) -> Void = { _ in }) throws -> (ClientKeys, [String], ClientBook) {
        var book = ClientBook()
        var texts: [String] = []
        for number in 0..<count {
            var policy = ClientKey(id: "", name: "k\(number)", code: [], shape: .plain, createdAt: 0)
            change(&policy)
            texts.append(book.add(policy, now: 0).text)
        }
        return (ClientKeys(book, try Settings(), ClientLedger()), texts, book)
    }

    private static func find(_ keys: ClientKeys, _ text: String) -> KeyPolicy? {
        let bytes = Array(text.utf8)
        guard let parts = ClientKeyText.parts(of: bytes.span) else { return nil }
        return keys.find(bytes.span.bytes, parts)
    }

    @Test func everyKeyIsFoundAndNoOther() throws {
        let (keys, texts, _) = try Self.table(1000)
        for (number, text) in texts.enumerated() { #expect(Self.find(keys, text)?.name == "k\(number)") }
        #expect(Self.find(keys, texts[3].dropLast() + (texts[3].last == "A" ? "B" : "A")) == nil)
        #expect(Self.find(keys, String(texts[3].prefix(14)) + texts[4].dropFirst(14)) == nil)
        let (none, _, _) = try Self.table(0)
        #expect(none.isEmpty && Self.find(none, texts[0]) == nil)
    }

    @Test func aKeyOfAnotherGenerationIsFoundAgainUnlessItsSecretIsAnother() throws {
        let (keys, texts, book) = try Self.table(3)
        let policy = try #require(Self.find(keys, texts[1]))
        var changed = book
        _ = changed.rotate(book.keys[1].id)
        #expect(keys.renewed(policy)?.name == "k1")
        #expect(ClientKeys(changed, try Settings(), ClientLedger()).renewed(policy) == nil)
        _ = changed.remove(book.keys[0].id)
        #expect(ClientKeys(changed, try Settings(), ClientLedger()).renewed(try #require(Self.find(keys, texts[2])))?.index == 1)
    }

    /// A thousand times less than a walk past all of them would take in this build, whatever else the machine does; the release's time is told
    /// by Tests/full.
    @Test func aKeyAmongTenThousandIsFoundWithoutLookingAtAllOfThem() throws {
        let (keys, texts, _) = try Self.table(10_000)
        let some = (0..<1000).map { Array(texts[$0 * 10].utf8) }
        var found = 0
        var best = Duration.seconds(1)
        for _ in 0..<5 {
            let time = ContinuousClock().measure {
                for bytes in some {
                    if let parts = ClientKeyText.parts(of: bytes.span), keys.find(bytes.span.bytes, parts) != nil { found += 1 }
                }
            }
            best = min(best, time)
        }
        #expect(found == 5000)
        #expect(best / 1000 < .microseconds(500), "\(best / 1000)")
    }

    @Test(arguments: [
        (["gpt-5"], "gpt-5", true), (["gpt-5"], "gpt-5-mini", false), (["gpt-5*"], "gpt-5-mini", true), (["gpt-5*"], "gpt-4", false),
        (["a", "b"], "b", true), (["*"], "anything", true), (["gpt"], "", false), (["GPT-5"], "gpt-5", false),
        ([String(repeating: "m", count: 90)], String(repeating: "m", count: 90), true),
        ([String(repeating: "m", count: 90)], String(repeating: "m", count: 91), false),
    ])
    func models(allowed: [String], model: String, isAllowed: Bool) throws {
        let (keys, texts, _) = try Self.table(1) { $0.models = allowed }
        let policy = try #require(Self.find(keys, texts[0]))
        let bytes = Array(model.utf8)
        #expect(policy.allows(model) == isAllowed)
        #expect(policy.allows(ModelText(bytes.span, 0..<bytes.count), key: ModelKey.of(bytes.span)) == isAllowed)
    }
}

/// Rates and budgets.
@Suite struct ClientMeterTests {
    private func meter(_ rate: String? = nil, budget: Int64? = nil) -> ClientMeter {
        let meter = ClientMeter()
        var key = ClientKey(id: "i", name: "n", code: [], shape: .plain, createdAt: 0)
        key.rate = rate.flatMap { ClientKey.Rate($0) }
        key.budgetTokens = budget
        meter.follow(key)
        return meter
    }

    @Test func aRateFillsAsTimePasses() {
        let meter = meter("60/min")
        let start: Int64 = 1_000_000
        for _ in 0..<60 { #expect(meter.take(now: start) == nil) }
        #expect(meter.take(now: start) == 1)
        #expect(meter.take(now: start + 999) == 1)
        #expect(meter.take(now: start + 1_000) == nil)
        #expect(meter.take(now: start + 1_000) == 1)
        // A clock that is set back gives nothing, and one that leaps no more than there is room for.
        #expect(meter.take(now: start - 5_000) == 1)
        for _ in 0..<60 { #expect(meter.take(now: start + 10_000_000) == nil) }
        #expect(meter.take(now: start + 10_000_000) == 1)
    }

    @Test func aSlowRateSaysWhenThereIsOneAgain() {
        let meter = meter("2/h")
        #expect(meter.take(now: 1) == nil && meter.take(now: 1) == nil)
        #expect(meter.take(now: 1) == 1800)
    }

    @Test func withoutARateOrBudgetNothingIsCounted() {
        let meter = meter()
        for _ in 0..<1000 { #expect(meter.take(now: 1) == nil) }
        #expect(meter.exhausted(now: 1) == nil && !meter.counts)
    }

    @Test func aBudgetIsADays() {
        let meter = meter(budget: 100)
        let noon = 20_000 * ClientMeter.dayMilliseconds + ClientMeter.dayMilliseconds / 2
        #expect(meter.exhausted(now: noon) == nil && meter.counts)
        meter.spent(99, now: noon)
        #expect(meter.exhausted(now: noon) == nil)
        meter.spent(1, now: noon)
        #expect(meter.exhausted(now: noon) == 43_200)
        #expect(meter.exhausted(now: noon + ClientMeter.dayMilliseconds) == nil)
    }

    @Test func whatWasUsedOutlivesTheServer() {
        let folder = TestFolder()
        let path = folder.path + "/clients.json.spent"
        var key = ClientKey(id: "aaaaaaaaaa", name: "n", code: [], shape: .plain, createdAt: 0)
        key.budgetTokens = 10
        let now = 20_000 * ClientMeter.dayMilliseconds + 5
        let first = ClientLedger(path: path)
        first.meter(key).spent(10, now: now)
        first.save(now: now)
        let second = ClientLedger(path: path)
        #expect(second.meter(key).exhausted(now: now) != nil)
        withExtendedLifetime(folder) {}
        #expect(second.tokens(now: now) == ["aaaaaaaaaa": 10] && second.tokens(now: now + ClientMeter.dayMilliseconds).isEmpty)
    }
}

/// What answers tell of their tokens.
@Suite struct TokenCountTests {
    @Test(arguments: [
        (#"{"usage":{"input_tokens":50,"output_tokens":9}}"#, Int64?(59)),
        (#"{"usage":{"input_tokens": 5 ,"cache_creation_input_tokens":10,"cache_read_input_tokens":20,"output_tokens":3}}"#, 38),
        (#"{"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}"#, 10),
        (#"{"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":9}}}"#, 15),
        (#"{"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":6,"thoughtsTokenCount":5,"totalTokenCount":15}}"#, 15),
        (
            "event: a\ndata: {\"usage\":{\"input_tokens\":25,\"output_tokens\":1}}\n\nevent: b\ndata: {\"usage\":{\"output_tokens\":15}}\n\n",
            40
        ),
        (#"{"text":"\"output_tokens\":99999"}"#, nil), (#"{"text":"\\\"output_tokens\":99999"}"#, nil),
        (#"{"output_tokens":"9"}"#, nil), (#"{"output_tokens":null}"#, nil), (#"{"max_output_tokens":9}"#, nil), ("", nil),
        (#"{"output_tokens":99999999999999999999999999}"#, 1_125_899_906_842_624 * 10 + 9),
    ])
    func counts(answer: String, tokens: Int64?) {
        let bytes = Array(answer.utf8)
        for size in [1, 2, 7, 4096] {
            var count = TokenCount()
            var at = 0
            while at < bytes.count {
                count.feed(bytes.span.bytes.extracting(at..<min(at + size, bytes.count)))
                at += size
            }
            #expect(count.isTold == (tokens != nil))
            if let tokens, tokens < 1 << 40 { #expect(count.tokens == tokens, "in pieces of \(size)") }
        }
    }
}
