import Glibc
import JSON
import Testing

@testable import Credentials

/// Three hundred stores that nobody has thought of, through every change: what is not changed on purpose stays, byte for byte.
@Suite struct GeneratedStoreTests {
    @Test(arguments: 0..<300) func onlyTheMemberChangedIsChanged(seed: Int) throws {
        var generator = StoreGenerator(seed: seed)
        let (root, ids) = generator.store()
        let sink = TemporarySink()
        let text = String(decoding: Writer.pretty(.object(root)), as: UTF8.self)
        sink.write(text, to: sink.store.profilesPath)
        let state = String(decoding: Writer.pretty(.object(generator.state())), as: UTF8.self)
        sink.write(state, to: sink.store.statePath)
        let store = sink.store
        let token = seed % ids.count
        let id = ids[token]

        // Nothing.
        try store.update { _ in true }
        #expect(sink.profiles == text)

        // A profile more, and one less.
        try store.put(.apiKey(Secret("sk-added")!, provider: "added"), id: "added:\(seed)")
        let added =
            "    \"added:\(seed)\": {\n      \"type\": \"api_key\",\n      \"provider\": \"added\",\n      \"key\": \"sk-added\"\n    }"
        let end = try #require(Self.endOfProfiles(text))
        #expect(sink.profiles == text[..<end] + ",\n" + added + text[end...])
        try store.remove(id: "added:\(seed)")
        #expect(sink.profiles == text)

        // A refresh: three members of one entry.
        try store.update { document in
            document.renew(
                id, spent: Secret("refresh-\(token)")!.fingerprint,
                with: RenewedTokens(access: Secret("access-new")!, refresh: Secret("refresh-new")!, expires: 1_800_000_000_000))
        }
        let renewed = text.replacing("\"access-\(token)\"", with: "\"access-new\"").replacing(
            "\"refresh-\(token)\"", with: "\"refresh-new\""
        )
        .replacing("\"expires\": \(StoreGenerator.expires(of: token))", with: "\"expires\": 1800000000000")
        #expect(sink.profiles == renewed)

        // A new login over it, back to the old tokens: members that say nothing of the credential stay where they are.
        try store.put(
            .oauth(
                access: Secret("access-\(token)")!, refresh: Secret("refresh-\(token)")!, expires: StoreGenerator.expires(of: token),
                provider: "gen",
                accountID: nil, email: nil), id: id)
        #expect(sink.profiles == text)
        #expect(sink.state == state)

        // A mark and its end, and an order and its end, in the other file.
        let mark = NeedsLogin(
            fingerprint: Secret("refresh-\(token)")!.fingerprint, code: "invalid_grant", status: 400, at: 1, accessRejected: false)
        try store.markNeedsLogin(id: id, mark)
        #expect(sink.state != state)
        try store.clearNeedsLogin(id: id)
        #expect(sink.state == state)
        try store.setOrder([id], provider: "gen")
        try store.clearOrder(provider: "gen")
        #expect(sink.state == state)
        #expect(sink.profiles == text)
    }

    /// Where the last entry of `profiles`, a member two deep, ends.
    private static func endOfProfiles(_ text: String) -> String.Index? {
        guard let start = text.range(of: "\n  \"profiles\": {\n") else { return nil }
        return text[start.upperBound...].range(of: "\n  }")?.lowerBound
    }
}

extension StringProtocol {
    fileprivate func range(of other: String) -> Range<Index>? { self.ranges(of: other).first }
}

/// Stores with unknown members at every level, names and numbers as odd as JSON allows; the same for the same seed.
struct StoreGenerator {
    private var random: UInt64

    init(seed: Int) { random = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 &+ 1 }

    static func expires(of token: Int) -> Int64 { 1_700_000_000_000 + Int64(token) }

    /// A store, and the ids of its OAuth profiles, whose tokens are numbered.
    mutating func store() -> (Object, ids: [String]) {
        var profiles = Object()
        var ids: [String] = []
        for number in 0..<(1 + below(5)) {
            let id = "gen:\(number)\(name())"
            ids.append(id)
            let token = number
            var entry = Object(unknown(upTo: 3))
            let known: [(String, Value)] = [
                ("type", "oauth"), ("provider", "gen"), ("access", .string("access-\(token)")), ("refresh", .string("refresh-\(token)")),
                ("expires", .integer(Self.expires(of: token))),
            ]
            for (name, value) in known {
                entry[name] = value
                for (name, value) in unknown(upTo: 2) { entry[name] = value }
            }
            profiles[id] = .object(entry)
            if below(3) == 0 { profiles["odd\(number)" + name()] = value(depth: 2) }
        }
        var root = Object(unknown(upTo: 3))
        root["version"] = 1
        for (name, value) in unknown(upTo: 2) { root[name] = value }
        root["profiles"] = .object(profiles)
        for (name, value) in unknown(upTo: 3) { root[name] = value }
        return (root, ids)
    }

    /// A state file that holds a neighbour's state.
    mutating func state() -> Object {
        var root = Object([("version", 1)] + unknown(upTo: 3))
        root["usageStats"] = .object(Object(unknown(upTo: 4)))
        root["order"] = ["other": ["other:1"]]
        for (name, value) in unknown(upTo: 2) { root[name] = value }
        return root
    }

    private mutating func unknown(upTo most: Int) -> [(String, Value)] {
        (0..<below(most + 1)).map { number in ("x\(number)\(below(1000))" + name(), value(depth: 3)) }
    }

    private mutating func value(depth: Int) -> Value {
        switch below(depth > 0 ? 8 : 6) {
        case 0: .null
        case 1: .bool(below(2) == 0)
        case 2, 3: (try? Reader.parse(Array(Self.numbers[below(Self.numbers.count)].utf8))) ?? .null
        case 4, 5: .string(name() + name())
        case 6: .array((0..<below(4)).map { _ in value(depth: depth - 1) })
        default: .object(Object((0..<below(4)).map { ("m\($0)" + name(), value(depth: depth - 1)) }))
        }
    }

    private mutating func name() -> String { Self.names[below(Self.names.count)] }

    private mutating func below(_ limit: Int) -> Int {
        // SplitMix64.
        random &+= 0x9e37_79b9_7f4a_7c15
        var mixed = random
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((mixed ^ (mixed >> 31)) % UInt64(limit))
    }

    private static let numbers = ["0", "-0", "1.0", "1E400", "12345678901234567890", "0.1000", "-1.5e-9", "1e0", "99999999999999999999.5"]
    private static let names = ["", "a", "é", "e\u{301}", "😀", "_1", "ünï", "中文", "\u{200b}", "\"\\"]
}
