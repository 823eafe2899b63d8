import Credentials
import Sockets
import Testing

@testable import Proxy

/// A secret that comes back is overwritten wherever the pieces of its body are cut, and nothing else is, and nothing waits without need.
@Suite struct EchoMaskTests {
    /// The second ends as it begins, and the first one's end is its beginning.
    private static let secrets = ["sk-one-abcab", "abcabXYabcab"].compactMap { Secret($0) }

    struct Case: Sendable {
        let body: String
        let passes: String
        let found: Int
    }
    static let cases = [
        Case(body: "", passes: "", found: 0),
        Case(body: "no secret, but s and sk- and sk-one-abca and s", passes: "no secret, but s and sk- and sk-one-abca and s", found: 0),
        Case(body: "sk-one-abcab", passes: "************", found: 1),
        Case(body: "<sk-one-abcab>", passes: "<************>", found: 1),
        Case(body: "sk-one-abcabsk-one-abcab", passes: "************************", found: 2),
        Case(body: "sk-sk-one-sk-one-abcab.", passes: "sk-sk-one-************.", found: 1),
        Case(body: "abcabXYabcab/abcabXYabca", passes: "************/***********", found: 2),
        Case(body: "abcabXYabcabXYabcab", passes: "************XYabcab", found: 1),
        Case(body: "ends with most: sk-one-abca", passes: "ends with most: ***********", found: 1),
        Case(body: "ends with little: sk-on", passes: "ends with little: sk-on", found: 0),
    ]

    /// What came out of a body that was cut in these places, how many secrets were found, and how much waited at most.
    private static func pass(_ body: String, cutAt cuts: [Int]) -> (text: String, found: Int) {
        let bytes = Array(body.utf8)
        let pool = BufferPool()
        var mask = EchoMask(pool: pool)
        mask.begin(secrets)
        var (text, found) = ([UInt8](), 0)
        for (start, end) in zip([0] + cuts, cuts + [bytes.count]) {
            let piece = Array(bytes[start..<end])
            found += mask.feed(piece.span.bytes)
            text += Array(mask.ready)
            mask.passed()
        }
        found += mask.end()
        text += Array(mask.ready)
        mask.passed()
        return (String(decoding: text, as: UTF8.self), found)
    }

    @Test(arguments: cases) func everySplitInThreeGivesTheSame(_ expected: Case) {
        let count = expected.body.utf8.count
        for first in 0...count {
            for second in first...count {
                let (text, found) = Self.pass(expected.body, cutAt: [first, second])
                #expect(text == expected.passes && found == expected.found, "cut at \(first) and \(second): \(text), \(found)")
            }
        }
    }

    @Test(arguments: cases) func byteByByteGivesTheSame(_ expected: Case) {
        let (text, found) = Self.pass(expected.body, cutAt: Array(0..<expected.body.utf8.count))
        #expect(text == expected.passes && found == expected.found)
    }

    @Test(arguments: [
        ("no beginning here\n", 0), ("s", 1), ("error: sk-one-abca", 11), ("sk-one-abcab", 0), ("sk-one-abcabX", 0), ("…sk-x", 0),
        ("xab", 2),
    ])
    func onlyWhatMayBeTheBeginningOfASecretWaits(_ run: String, _ waiting: Int) {
        var mask = EchoMask(pool: BufferPool())
        mask.begin(Self.secrets)
        let piece = Array(run.utf8)
        _ = mask.feed(piece.span.bytes)
        let ready = mask.ready.count
        #expect(run.utf8.count - ready == waiting)
    }

    @Test func aMaskThatIsClearedLooksForNothing() {
        var mask = EchoMask(pool: BufferPool())
        mask.begin(Self.secrets)
        let piece = Array("sk-one".utf8)
        _ = mask.feed(piece.span.bytes)
        mask.clear()
        let (isActive, ready) = (mask.isActive, mask.ready.count)
        #expect(!isActive && ready == 0)
    }
}
