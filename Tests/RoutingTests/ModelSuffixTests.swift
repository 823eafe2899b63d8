import Routing
import Testing

@Suite struct ModelSuffixTests {
    static let rows: [(suffix: String, meaning: ModelSuffix)] = [
        ("work", .profile("work")),
        ("anthropic:work", .profile("anthropic:work")),
        ("me@example.com", .profile("me@example.com")),
        ("anthropic:me@example.com", .profile("anthropic:me@example.com")),
        ("anthropic:nobody", .profile("anthropic:nobody")),
        ("openai:work", .profile("openai:work")),
        ("anthropic:", .none),
        (":work", .none),
        ("", .none),
        ("auto", .auto),
        ("Auto", .none),
        ("Work", .none),
        ("nobody", .none),
        ("20250514", .none),  // Vertex
        ("latest", .none),
        ("preset/translator", .none),  // OpenRouter
        ("preset/translator:free", .none),
        ("cf/meta/llama-3:8b", .none),  // Cloudflare
        ("hf:Qwen/Qwen3", .none),
        (String(repeating: "a", count: 257), .none),
        ("anthropic:" + String(repeating: "a", count: 247), .none),
    ]

    @Test(arguments: rows)
    func aSuffixIsAPinOnlyWhereItIsCertainlyOne(suffix: String, meaning: ModelSuffix) {
        let profiles = ["anthropic:work", "work", "me@example.com", "anthropic:me@example.com"]
        let read = ModelSuffix.read(
            suffix, isProfile: { profiles.contains($0) }, isProvider: { ["anthropic", "openai"].contains($0) })
        #expect(read == meaning)
    }

    @Test func aProfileCalledAutoIsAProfile() {
        #expect(ModelSuffix.read("auto", isProfile: { $0 == "auto" }, isProvider: { _ in false }) == .profile("auto"))
    }
}
