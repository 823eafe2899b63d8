import Testing

@testable import OAuth

@Suite struct RefreshWindowTests {
    static let hour: Int64 = 3_600_000

    @Test(
        arguments: [
            // expires, issued, now, jitter → state
            (nil, nil, 0, 0.0, RefreshWindow.State.fresh),
            (hour, nil, hour, 0, .expired), (hour, nil, hour - 1, 0, .early), (hour, nil, hour + 1, 0, .expired),
            // 5 min when the life is not known or long
            (hour, nil, hour - 300_000, 0, .early), (hour, nil, hour - 300_001, 0, .fresh),
            (hour, 0, hour - 300_000, 0, .early), (hour, 0, hour - 300_001, 0, .fresh),
            // a tenth of a short life
            (600_000, 0, 540_000, 0, .early), (600_000, 0, 539_999, 0, .fresh),
            // jitter shortens it, at most by a fifth
            (hour, nil, hour - 300_000, 1, .fresh), (hour, nil, hour - 240_000, 1, .early), (hour, nil, hour - 240_001, 7, .fresh),
            (hour, nil, hour - 300_000, -1, .early),
            // an issue time after the expiry is no life
            (hour, hour + 5, hour - 300_000, 0, .early),
        ] as [(Int64?, Int64?, Int64, Double, RefreshWindow.State)])
    func theWindowOpensByTheTable(expires: Int64?, issuedAt: Int64?, now: Int64, jitter: Double, state: RefreshWindow.State) {
        #expect(RefreshWindow.state(expires: expires, issuedAt: issuedAt, now: now, jitter: jitter) == state)
    }
}

@Suite struct BackoffTests {
    @Test func pausesDoubleToFiveMinutes() {
        var backoff = Backoff()
        let pauses = (0..<12).map { _ in backoff.failed(now: 0, jitter: 0) }
        #expect(pauses.prefix(4) == [.seconds(1), .seconds(2), .seconds(4), .seconds(8)])
        #expect(pauses.suffix(3) == [.seconds(300), .seconds(300), .seconds(300)])
        for _ in 0..<100_000 { _ = backoff.failed(now: 0, jitter: 0) }
        #expect(backoff.failures == 100_012)
    }

    @Test func jitterTakesAwayUpToAHalf() {
        var backoff = Backoff()
        #expect(backoff.failed(now: 0, jitter: 1) == .milliseconds(500))
        #expect(backoff.failed(now: 0, jitter: 0.5) == .milliseconds(1500))
    }

    @Test func theProvidersWishIsAMinimumUpToAnHour() {
        var backoff = Backoff()
        #expect(backoff.failed(now: 0, retryAfter: .seconds(90), jitter: 0) == .seconds(90))
        #expect(backoff.failed(now: 0, retryAfter: .milliseconds(5), jitter: 0) == .seconds(2))
        #expect(backoff.failed(now: 0, retryAfter: .seconds(1_000_000), jitter: 0) == .seconds(3600))
    }

    @Test func anAttemptIsPermittedWhenThePauseIsOver() {
        var backoff = Backoff()
        #expect(backoff.permits(now: 0))
        _ = backoff.failed(now: 1000, jitter: 0)
        #expect(!backoff.permits(now: 1999))
        #expect(backoff.permits(now: 2000))
        #expect(backoff.permits(now: -10_000_000), "a clock set back far does not lock the lane")
        backoff.succeeded()
        #expect(backoff == Backoff())
    }
}
