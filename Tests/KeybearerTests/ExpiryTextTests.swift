import Credentials
import Testing

@testable import keybearer

@Suite struct ExpiryTextTests {
    private static let spans: [(Int64, String)] = [
        (-5, "0 s"), (499, "0 s"), (500, "1 s"), (59_400, "59 s"), (59_500, "1 min"), (89_999, "1 min"), (90_000, "2 min"),
        (3_569_999, "59 min"), (3_570_000, "1 h"), (10_800_000, "3 h"), (84_540_000, "23 h"), (84_600_000, "1 day"),
        (129_600_000, "2 days"), (863_999_999, "10 days"), (31_536_000_000, "365 days"),
    ]

    @Test(arguments: spans)
    func `A span is said in one unit, rounded to the nearest`(milliseconds: Int64, text: String) {
        #expect(ExpiryText.span(milliseconds) == text)
    }

    @Test(arguments: [
        (Expiry.never, "no expiry"), (.valid(until: 10_800_000), "expires in 3 h"), (.expired(since: -172_800_000), "expired 2 days ago"),
        (.expired(since: 0), "expired: its expiry is no time"), (.invalid, "not used: its expiry is no time"),
    ])
    func `An expiry is a phrase`(expiry: Expiry, text: String) {
        #expect(ExpiryText.sentence(expiry, now: 0) == text)
    }
}

@Suite struct LifetimeTextTests {
    @Test(arguments: [
        ("1ms", Int64(1)), ("2s", 2000), ("3m", 180_000), ("12h", 43_200_000), ("30d", 2_592_000_000), ("30", 2_592_000_000),
        ("3652500d", 315_576_000_000_000),
    ])
    func `A lifetime is a number with a unit, days without one`(text: String, milliseconds: Int64) {
        #expect(LifetimeText.milliseconds(text) == milliseconds)
    }

    @Test(arguments: [
        "", "d", "0", "0d", "-1d", "1.5h", "1 d", "1y", "١d", "3652501d", "9223372036854775807d", "99999999999999999999s", "1d\n",
    ])
    func `Anything else is none`(text: String) {
        #expect(LifetimeText.milliseconds(text) == nil)
    }
}
