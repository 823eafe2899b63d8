import Testing

@testable import Routing

@Suite struct PinTests {
    @Test(
        "Header and path must agree",
        arguments: [
            (nil, nil, Pin.Decision.none), ("work", nil, .pinned("work")), (nil, "work", .pinned("work")),
            ("work", "work", .pinned("work")), ("anthropic:work", "work", .pinned("anthropic:work")),
            ("work", "anthropic:work", .pinned("anthropic:work")), ("work", "home", .conflict), ("anthropic:work", "home", .conflict),
            ("openai:work", "work", .conflict), ("Work", "work", .conflict),
        ] as [(String?, String?, Pin.Decision)])
    func decide(header: String?, path: String?, expected: Pin.Decision) {
        #expect(Pin.decide(header: header, path: path, provider: "anthropic") == expected)
    }

    @Test(
        "A name is an id, or an id without its provider",
        arguments: [
            ("anthropic:work", "anthropic:work"), ("work", "work"), ("home", "anthropic:home"), ("nobody", nil), ("", nil),
        ] as [(String, String?)])
    func resolve(name: String, expected: String?) {
        let ids = ["anthropic:work", "work", "anthropic:home", "openai:nobody"]
        #expect(Pin.resolve(name, provider: "anthropic", among: ids) == expected)
    }
}
