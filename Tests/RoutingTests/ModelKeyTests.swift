import Testing

@testable import Routing

@Suite struct ModelKeyTests {
    @Test("Keys tell models apart, and never mean that there is none")
    func keys() {
        let names = ["claude-sonnet-4-5", "claude-sonnet-4-6", "gpt-5", "gpt-5-mini", "m", "M", "models/gemini-2.5-flash"]
        #expect(Set(names.map { ModelKey.of($0) }).count == names.count)
        #expect(!names.contains { ModelKey.of($0) == 0 })
        #expect(ModelKey.of("") == 0)
    }

    @Test("FNV-1a, as published", arguments: [("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)] as [(String, UInt64)])
    func vectors(name: String, key: UInt64) {
        #expect(ModelKey.of(name) == key)
    }
}
