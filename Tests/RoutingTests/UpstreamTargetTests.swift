import Testing

@testable import Routing

@Suite struct UpstreamTargetTests {
    private func ranges(_ target: String, from start: Int = 0) -> [String] {
        let bytes = Array(target.utf8)
        var parts = UpstreamTarget(of: bytes.span, restStart: start)
        var kept: [String] = []
        while let range = parts.next(in: bytes.span) { kept.append(String(decoding: bytes[range], as: UTF8.self)) }
        return kept
    }

    @Test(
        "The member key is removed and everything else stays as it was",
        arguments: [
            ("/a?key=x", ["/a"]), ("/a?key", ["/a"]), ("/a?key=", ["/a"]), ("/a?key=x&key=y", ["/a"]), ("?key=x", []),
            ("/a?key=x&alt=sse", ["/a?", "alt=sse"]), ("/a?alt=sse&key=x", ["/a?alt=sse"]), ("/a?b=1&key=x&c=2", ["/a?b=1", "&c=2"]),
            ("/a?b&key=x&c&key=y&d&e", ["/a?b", "&c", "&d&e"]), ("/a?key=x&key=y&b&c", ["/a?", "b&c"]),
            ("/a?key=x&b&key=y&c", ["/a?", "b", "&c"]), ("/a?key=1=2&b=key=3", ["/a?", "b=key=3"]), ("?key=x&b", ["?", "b"]),
            ("/a?%6bey=x", ["/a"]), ("/a?%6B%65%79=x&b", ["/a?", "b"]), ("/a?k%65y", ["/a"]),
            ("/a?key=x&", ["/a?"]), ("/a?&key=x", ["/a?"]), ("/a?b&&key=x&&c", ["/a?b&", "&&c"]),
        ])
    func removesKey(target: String, expected: [String]) {
        #expect(ranges(target) == expected)
    }

    @Test(
        "A target without the member is one range",
        arguments: [
            "/", "/a/b", "/a?", "/a?b=1&c=2", "/a?keys=1", "/a?monkey=1", "/a?Key=1", "/a?key%3D=1", "/a?k=ey", "/a?%6=1", "/a?ke",
            "/key=1", "/a?b=?key=1",
            "/a?&&", "?b",
        ])
    func untouched(target: String) {
        #expect(ranges(target) == [target])
    }

    @Test("Nothing before the rest is given")
    func rest() {
        #expect(ranges("/google/v1beta/models?key=x&alt=sse", from: 7) == ["/v1beta/models?", "alt=sse"])
        #expect(ranges("/google?key=x", from: 7) == [])
        #expect(ranges("/google", from: 7) == [])
    }

    @Test("Whether a slash has to be added is told", arguments: [("/g/a", 2, true), ("/g", 2, false), ("/g?x", 2, false)])
    func slash(target: String, start: Int, expected: Bool) {
        #expect(UpstreamTarget.startsWithSlash(Array(target.utf8).span, restStart: start) == expected)
    }
}
