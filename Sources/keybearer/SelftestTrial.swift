internal import Credentials
internal import Glibc

/// One scenario: what is done to the refresh, and what is promised then.
struct SelftestScenario: Sendable {
    let name: String
    var isUnavoidable = false
    /// How long the provider takes a replaced refresh token once more.
    var grace = Duration.zero
    let body: @Sendable (SelftestTrial) throws -> Void
}

/// The user has asked the self-test to end.
struct SelftestStopped: Error {}

/// A scenario under way.
final class SelftestTrial {
    let stage: SelftestStage
    private(set) var row: SelftestRow
    private let checkStop: () throws -> Void

    /// - Parameter checkStop: throws when the self-test is to end.
    init(_ row: SelftestRow, on stage: SelftestStage, checkStop: @escaping () throws -> Void) {
        self.row = row
        self.stage = stage
        self.checkStop = checkStop
    }

    /// Once: a new login, `disturbance`, a refresh that finds whatever that has left, and the question whether the login still works.
    ///
    /// - Parameters:
    ///   - posts: how many requests the provider may see in all.
    ///   - prepare: puts the login in place.
    ///   - excuse: which remains explain a loss in a scenario that may have one: by default that the answer is nowhere on the disk.
    ///   - disturbance: false when the moment was missed, which is then no try.
    /// - Returns: what `disturbance` did.
    @discardableResult
    func attempt(
        posts: ClosedRange<Int>, prepare: (SelftestStage) throws -> Void = { try $0.prepare() },
        excuse: (SelftestStage.Remains) -> Bool = \.isInDoubt, _ disturbance: () throws -> Bool
    ) throws -> Bool {
        try checkStop()
        try prepare(stage)
        let spent = try stage.profile().refresh
        guard try disturbance() else { return false }
        let remains = try stage.remains(ofSpending: spent)
        let before = stage.posts
        let recovery = try stage.refresh()
        row.tries += 1
        let seen = stage.posts
        row.posts += seen
        check(posts.contains(seen), "the provider saw \(seen) requests")
        if remains.hasAnswer || remains.holdsNewToken { check(seen == before, "a request was sent although the answer was on the disk") }
        if let flaw = try stage.flaw() { check(false, flaw) }
        if try !stage.isAlive() {
            row.lost += 1
            check(row.isUnavoidable && excuse(remains), "the login was lost (\(recovery.text))")
        }
        check(stage.reuses <= row.lost, "a spent refresh token was sent again")
        return true
    }

    /// Once: a new login, and `body`, which says itself what is promised. For a login that is not to work afterwards.
    func once(_ body: () throws -> Void) throws {
        try checkStop()
        try stage.prepare()
        try body()
        row.tries += 1
        row.posts += stage.posts
    }

    /// Notes why the scenario could not be tried here.
    func skip(_ reason: String) { row.skipped = reason }

    /// Notes what was not as promised; the same thing once.
    func check(_ holds: Bool, _ flaw: String) {
        if !holds, !row.flaws.contains(flaw) { row.flaws.append(flaw) }
    }

    /// Waits until `condition` holds; notes it as a flaw when it does not in time.
    @discardableResult
    func wait(_ limit: Duration = .seconds(10), until what: String, _ condition: () throws -> Bool) throws -> Bool {
        let deadline = ContinuousClock.now + limit
        while try !condition() {
            guard ContinuousClock.now < deadline else {
                check(false, "waited in vain until \(what)")
                return false
            }
            try checkStop()
            usleep(300)
        }
        return true
    }
}
