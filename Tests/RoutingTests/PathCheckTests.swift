import Testing

@testable import Routing

@Suite struct PathCheckTests {
    private func flaw(_ target: String) -> RouteError? {
        switch PathCheck.run(Array(target.utf8).span) {
        case .path: nil
        case .flaw(let error): error
        }
    }

    @Test(
        "Dot segments are refused, plain and encoded, also where only a decoding server would see them",
        arguments: [
            "/.", "/..", "/a/.", "/a/..", "/a/./b", "/a/../b", "/%2e", "/%2E%2e/b", "/.%2e", "/%2e./b", "/a/%2e%2E?x", "/..?x",
            "/a%2f..%2fb", "/a/..%2Fb", "/a%2F%2e%2e", "/a%5c..%5Cb", "/anthropic/v1/../../openai",
        ])
    func dotSegments(target: String) {
        #expect(flaw(target) == .dotSegment)
    }

    @Test(
        "What only looks like a dot segment passes",
        arguments: [
            "/...", "/.a", "/a.", "/a..", "/..a/b", "/a/.well-known/x", "/%2ea", "/%252e%252e/x", "/a%2fb", "/a?x=/../y", "/", "/a/%2",
            "/a/%", "/%zz/..a",
            "/....", "/a%20%80%c3%a4", "/a%00%0d%0a%7f", "/a?b=%0d%0a%00",
        ])
    func harmless(target: String) {
        #expect(flaw(target) == nil)
    }

    @Test(
        "Targets in another form are refused",
        arguments: [
            ("", RouteError.notOriginForm), ("*", .notOriginForm), ("http://evil.example/", .notOriginForm), ("a/b", .notOriginForm),
            ("?x", .notOriginForm), ("//evil.example/v1", .doubleSlash), ("//", .doubleSlash), ("/a\\b", .backslash),
            ("/\\evil", .backslash),

        ] as [(String, RouteError)])
    func forms(target: String, expected: RouteError) {
        #expect(flaw(target) == expected)
    }

    @Test("The path ends at the first question mark", arguments: [("/a/b", 4), ("/a?b?c", 2), ("/?", 1), ("/a\u{3f}\\", 2)])
    func end(target: String, expected: Int) {
        guard case .path(let end) = PathCheck.run(Array(target.utf8).span) else {
            Issue.record("\(target) was refused")
            return
        }
        #expect(end == expected)
    }
}
