import Routing
import Testing

@Suite struct ModelAliasesTests {
    @Test func aNameIsFoundInAnyCaseAndWrittenAsItsPlaceNeeds() throws {
        let aliases = ModelAliases(["Opus": "claude \"opus\"", "fast": "gpt/5"])
        func target(_ name: String) -> ModelAliases.Target? {
            let bytes = Array(name.utf8)
            return aliases.target(of: 0..<bytes.count, in: bytes.span)
        }
        let opus = try #require(target("oPUS"))
        #expect(String(decoding: opus.json, as: UTF8.self) == #"claude \"opus\""#)
        #expect(String(decoding: opus.path, as: UTF8.self) == "claude%20%22opus%22")
        #expect(String(decoding: opus.name, as: UTF8.self) == #"claude "opus""#)
        #expect(target("FAST").map { String(decoding: $0.path, as: UTF8.self) } == "gpt%2F5")
        for other in ["opu", "opus ", "opus2", ""] { #expect(target(other) == nil) }
        #expect(!aliases.isEmpty)
        #expect(ModelAliases([:]).isEmpty)
    }
}
