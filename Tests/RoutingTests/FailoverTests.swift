import Configuration
import Testing

@testable import Routing

/// A first attempt with everything allowed: kept body, another subscription waiting.
private func attempt(_ change: (inout Failover.Attempt) -> Void = { _ in }) -> Failover.Attempt {
    var attempt = Failover.Attempt(
        number: 1, isReplay: false, isSafeMethod: false, bodyIsKept: true, isPinned: false, isRefreshable: true, billing: .subscription,
        nextBilling: .subscription, allowsPaidFallback: false, replay: .never)
    change(&attempt)
    return attempt
}

private func status(_ status: Int, retryAfter: Bool = false, _ refusal: RefusalMeaning = .unknown) -> Failover.Event {
    .status(status, hasRetryAfter: retryAfter, refusal: refusal)
}

/// Every event of DESIGN §8, with what the table says: once with the same credential, another credential.
private let table: [(event: Failover.Event, same: Failover.Decision?, another: Bool)] = [
    (.unreachable, .retrySame(afterRefresh: false), true),
    (.broken, nil, false),
    (status(401), .retrySame(afterRefresh: true), true),
    (status(402), nil, true), (status(402, .entitlement), nil, true), (status(429), nil, true), (status(529), nil, true),
    (status(403, .nextMayHelp), nil, true), (status(403, .entitlement), nil, true), (status(403), nil, false),
    (status(403, retryAfter: true), nil, false),
    (status(503, retryAfter: true), nil, true), (status(503), nil, false),
    (status(500), nil, false), (status(502), nil, false), (status(504), nil, false), (status(500, retryAfter: true), nil, false),
    (status(200), nil, false), (status(302), nil, false), (status(400), nil, false), (status(404), nil, false), (status(501), nil, false),
    (status(400, .nextMayHelp), nil, false), (status(200, .entitlement), nil, false), (status(500, .billing), nil, false),
    (status(400, .billing), nil, true), (status(400, .auth), nil, true), (status(404, .model), nil, true), (status(403, .model), nil, true),
    (status(503, .overloaded), nil, true), (status(404, .nextMayHelp), nil, false), (status(400, .entitlement), nil, true),
]

@Suite struct FailoverTests {
    @Test("Every row: the same credential first, then another, else what there is", arguments: table.indices)
    func rows(index: Int) {
        let row = table[index]
        let another = row.another ? Failover.Decision.next : .deliver
        #expect(Failover.decide(row.event, attempt()) == row.same ?? another)
        #expect(Failover.decide(row.event, attempt { $0.isReplay = true }) == another)
        #expect(
            Failover.decide(
                row.event,
                attempt {
                    $0.nextBilling = nil; $0.isReplay = true
                }) == .deliver)
    }

    @Test("A pin's siblings are never tried", arguments: table.indices)
    func pinned(index: Int) {
        let row = table[index]
        #expect(Failover.decide(row.event, attempt { $0.isPinned = true }) == row.same ?? .deliver)
        #expect(
            Failover.decide(
                row.event,
                attempt {
                    $0.isPinned = true; $0.isReplay = true
                }) == .deliver)
    }

    @Test("There are three attempts in all", arguments: table.indices)
    func attempts(index: Int) {
        let row = table[index]
        #expect(Failover.decide(row.event, attempt { $0.number = 2 }) == Failover.decide(row.event, attempt()))
        #expect(Failover.decide(row.event, attempt { $0.number = 3 }) == .deliver)
    }

    @Test("Without the body nothing is sent again", arguments: table.indices)
    func body(index: Int) {
        #expect(
            Failover.decide(
                table[index].event,
                attempt {
                    $0.bodyIsKept = false; $0.isSafeMethod = true
                }) == .deliver)
    }

    @Test("A request never moves from a subscription to a metered key unless that is allowed", arguments: table.indices)
    func paid(index: Int) {
        let row = table[index]
        #expect(
            Failover.decide(
                row.event,
                attempt {
                    $0.nextBilling = .metered; $0.isReplay = true
                }) == .deliver)
        #expect(
            Failover.decide(
                row.event,
                attempt {
                    $0.nextBilling = .metered; $0.isReplay = true; $0.allowsPaidFallback = true
                })
                == (row.another ? .next : .deliver))
    }

    @Test(
        "Who may follow whom",
        arguments: [
            (Billing.subscription, Billing.subscription, true), (.subscription, .metered, false), (.metered, .subscription, true),
            (.metered, .metered, true),
        ] as [(Billing, Billing, Bool)])
    func billing(previous: Billing, next: Billing, expected: Bool) {
        #expect(Failover.mayFollow(next, after: previous, allowsPaidFallback: false) == expected)
        #expect(Failover.mayFollow(next, after: previous, allowsPaidFallback: true))
    }

    @Test("Only oauth credentials are refreshed; a 401 of any other goes to the next")
    func refresh() {
        #expect(Failover.decide(status(401), attempt { $0.isRefreshable = false }) == .next)
        #expect(
            Failover.decide(
                status(401),
                attempt {
                    $0.isRefreshable = false; $0.isPinned = true
                }) == .deliver)
    }

    @Test("GET and HEAD may be sent again after bytes were written")
    func safeMethods() {
        #expect(Failover.decide(.broken, attempt { $0.isSafeMethod = true }) == .retrySame(afterRefresh: false))
        #expect(
            Failover.decide(
                .broken,
                attempt {
                    $0.isSafeMethod = true; $0.isReplay = true
                }) == .next)
    }

    @Test("Server errors go to another credential only where the provider says they were not served", arguments: [500, 502, 503, 504])
    func unserved(code: Int) {
        #expect(Failover.decide(status(code), attempt { $0.replay = .unserved }) == .next)
        #expect(Failover.decide(status(501), attempt { $0.replay = .unserved }) == .deliver)
    }

    @Test(
        "What a refusal lets a profile rest for",
        arguments: [
            (status(401), .auth), (status(402), .billing), (status(403, .nextMayHelp), .auth), (status(429), .rate),
            (status(529), .overloaded),
            (status(503, retryAfter: true), .overloaded), (status(429, .quota), .quota), (status(429, .billing), .billing),
            (status(429, .overloaded), .overloaded), (status(400, .billing), .billing), (status(400, .auth), .auth),
            (status(403, .billing), .billing), (status(403, .model), .model), (status(404, .model), .model), (status(503, .rate), .rate),
            (status(402, .quota), .quota), (status(429, .nextMayHelp), .rate),
        ] as [(Failover.Event, FailureReason)])
    func rests(event: Failover.Event, reason: FailureReason) {
        #expect(Failover.rest(after: event) == reason)
        #expect(Failover.decide(event, attempt { $0.isRefreshable = false }) == .next)
    }

    @Test("An entitlement refusal lets nothing rest", arguments: [400, 401, 402, 403, 404, 429, 503, 529])
    func entitlement(code: Int) {
        #expect(Failover.rest(after: status(code, retryAfter: true, .entitlement)) == nil)
    }

    @Test(
        "What says nothing about the credential lets it be",
        arguments: [
            .unreachable, .broken, status(403), status(503), status(500), status(502), status(504), status(400), status(404), status(200),
            status(400, .nextMayHelp), status(500, .rate), status(200, .billing),
        ] as [Failover.Event])
    func notCooling(event: Failover.Event) {
        #expect(Failover.rest(after: event) == nil)
    }
}
