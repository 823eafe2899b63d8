import Configuration
import Testing

@testable import Routing

/// The same targets on every run (SplitMix64).
private struct Targets {
    var state: UInt64 = 20_261_122

    private mutating func number(below bound: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }

    /// A target of pieces that mean something to the router, and of halves of them.
    mutating func next() -> String {
        let pieces = [
            "/", "/", "/", "//", "?", "&", "key", "=", "%6b", "ey", ".", "..", "%2e", "%2E", "%2f", "%5C", "%", "%4", "%40", "@", "agents",
            "-",
            "anthropic", "openai-codex", "v1", "v1beta", "models", "messages", ":", "m", "ft", "x", "\\",
        ]
        return (0..<number(below: 14)).reduce(into: "/") { target, _ in target += pieces[number(below: pieces.count)] }
    }
}

/// Straightforward versions of what the router does byte by byte.
private enum Reference {
    static func decoded(_ text: some StringProtocol) -> String {
        var result: [UInt8] = []
        let bytes = Array(text.utf8)
        var position = 0
        while position < bytes.count {
            let hex = position + 2 < bytes.count ? String(decoding: bytes[(position + 1)...(position + 2)], as: UTF8.self) : ""
            if bytes[position] == UInt8(ascii: "%"), hex.allSatisfy(\.isHexDigit), let byte = UInt8(hex, radix: 16) {
                result.append(byte)
                position += 3
            } else {
                result.append(bytes[position])
                position += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    static func withoutKey(_ target: String) -> String {
        guard let mark = target.firstIndex(of: "?") else { return target }
        let members = target[target.index(after: mark)...].split(separator: "&", omittingEmptySubsequences: false)
        let kept = members.filter { decoded($0.prefix { $0 != "=" }) != "key" }
        return kept.isEmpty ? String(target[..<mark]) : target[..<mark] + "?" + kept.joined(separator: "&")
    }
}

@Suite struct RandomTargetTests {
    @Test("Of 50,000 targets none leaves its bounds, and no dot segment and no key goes upstream")
    func invariants() throws {
        let settings = try Settings(file: SettingsText(path: "t", bytes: Array(#"{ routes: { default: "ollama" } }"#.utf8)))
        let table = RouteTable(settings: settings)
        var targets = Targets()
        var routed = 0
        for _ in 0..<50_000 {
            let target = targets.next()
            let bytes = Array(target.utf8)
            guard case .provider(let route) = table.route(target: bytes.span, host: bytes.span, hints: []) else { continue }
            routed += 1
            let rest = String(decoding: bytes[route.restStart...], as: UTF8.self)
            try #require(rest.isEmpty || rest.first == "/" || rest.first == "?", "\(target)")
            try #require(!rest.hasPrefix("//"), "\(target)")
            let segments = Reference.decoded(rest.prefix { $0 != "?" }).split { $0 == "/" || $0 == "\\" }
            try #require(!segments.contains(".") && !segments.contains(".."), "\(target)")
            var sent = ""
            var ranges = UpstreamTarget(of: bytes.span, restStart: route.restStart)
            while let range = ranges.next(in: bytes.span) {
                try #require(!range.isEmpty)
                sent += String(decoding: bytes[range], as: UTF8.self)
            }
            try #require(sent == Reference.withoutKey(rest), "\(target)")
        }
        // The pieces are chosen so that a good part of the targets gets this far.
        #expect(routed > 10_000)
    }
}
