import Configuration
import Credentials
import Testing

@testable import keybearer

@Suite struct ExpiryWatchTests {
    private static let start: Int64 = 1_800_000_000_000
    private static let day: Int64 = 86_400_000

    private static func report(_ now: Int64, _ tokens: (id: String, expires: Int64)...) throws -> StatusReport {
        let profiles = tokens.map {
            Profile(id: $0.id, provider: "anthropic", kind: .token, secret: Secret("secret"), refresh: nil, expires: $0.expires)
        }
        return StatusReport(settings: try Settings(), snapshot: StoreSnapshot(profiles: profiles), now: now)
    }

    @Test func `A year of daily looks tells each threshold once`() throws {
        var watch = ExpiryWatch()
        var told: [Int: Int] = [:]
        let end = Self.start + 365 * Self.day
        for day in 0..<400 {
            let report = try Self.report(Self.start + Int64(day) * Self.day, ("anthropic:manual", end))
            for news in watch.look("main", report) { told[news.warning.days] = day }
        }
        #expect(told == [30: 335, 7: 358, 1: 364])
    }

    @Test func `A start near the end tells the nearest threshold alone`() throws {
        var watch = ExpiryWatch()
        let days = watch.look("main", try Self.report(Self.start, ("a", Self.start + 6 * Self.day))).map(\.warning.days)
        #expect(days == [7])
    }

    @Test func `A token that was replaced is watched anew, and so is the same name of another agent`() throws {
        var watch = ExpiryWatch()
        let end = Self.start + 5 * Self.day
        #expect(watch.look("main", try Self.report(Self.start, ("a", end))).count == 1)
        #expect(watch.look("main", try Self.report(Self.start, ("a", end))).isEmpty)
        #expect(watch.look("lab", try Self.report(Self.start, ("a", end))).count == 1)
        #expect(watch.look("main", try Self.report(Self.start, ("a", end + Self.day))).count == 1)
    }

    /// Left until the end, in ms, and the pause.
    private static let pauses: [(Int64, Int64)] = [
        (31 * day, 3_600_000), (30 * day + 5000, 5000), (30 * day, 3_600_000), (7 * day + 90_000, 90_000), (7 * day + 1, 1000),
        (day + 2000, 2000), (day, 3_600_000), (-day, 3_600_000),
    ]

    @Test(arguments: pauses)
    func `The next look is at the next threshold, within the hour, and never at once`(left: Int64, pause: Int64) throws {
        #expect(ExpiryWatch.pause([try Self.report(Self.start, ("a", Self.start + left))]) == pause)
    }

    @Test func `Without a token there is a look an hour, since one may be stored`() throws {
        #expect(ExpiryWatch.pause([try Self.report(Self.start)]) == ExpiryWatch.longestPause)
        #expect(ExpiryWatch.pause([]) == ExpiryWatch.longestPause)
    }
}
