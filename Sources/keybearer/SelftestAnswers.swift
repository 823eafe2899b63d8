internal import Credentials
internal import Glibc
internal import Sandbox

/// Token endpoints that are slow, lie, or are cut off (spec/threats.md §6, T5).
enum SelftestAnswers {
    static let scenarios: [SelftestScenario] =
        [
            lie("answer: an HTML page (captive portal)", .html, then: .transient("invalid_answer")),
            lie("answer: 10 MB", .tenMegabytes, then: .transient("invalid_answer")),
            lie("answer: garbage", .garbage, then: .transient("invalid_answer")),
            lie("answer: another account's token", .otherAccount, then: .transient("other_account")),
            lie("answer: HTTP 500", .status(500), then: .transient("status")),
            lie("answer: HTTP 429 with Retry-After", .status(429, retryAfter: 1), then: .transient("status")),
            lie("answer: no refresh token in it", .noRefreshToken, then: .refreshed, posts: 1),
            lie("connection dropped, request not carried out", .drop, then: .refreshed, posts: 2),
        ] + cuts + [slow, ended, newLogin]

    /// The answer `kind` once; the refresh ends as `expected`, and the next one puts it right.
    private static func lie(_ name: String, _ kind: Fault.Kind, then expected: SelftestOutcome, posts: Int = 2) -> SelftestScenario {
        SelftestScenario(name: name) { trial in
            for _ in 0..<2 {
                try trial.attempt(posts: posts...posts) {
                    trial.stage.sandbox.inject(Fault(path: SelftestStage.tokenPath, kind: kind))
                    let outcome = try trial.stage.refresh()
                    trial.check(outcome == expected, "the refresh ended as: \(outcome.text)")
                    return true
                }
            }
        }
    }

    /// The provider has replaced the token, and its answer does not arrive whole.
    private static let cuts: [SelftestScenario] =
        [(Duration.zero, "answer cut on its way, token replaced"), (.seconds(60), "answer cut on its way, provider with grace")].map {
            grace, name in
            SelftestScenario(name: name, isUnavoidable: grace == .zero, grace: grace) { trial in
                for kind in [Fault.Kind.commitThenClose, .cut(afterBytes: 40), .excessLength(10)] {
                    // The process lived on: it has asked once more, and been told.
                    try trial.attempt(posts: 2...2, excuse: { _ in true }) {
                        trial.stage.sandbox.inject(Fault(path: SelftestStage.tokenPath, kind: kind))
                        try trial.stage.refresh()
                        return true
                    }
                }
            }
        }

    /// Everyone waits for the one request.
    private static let slow = SelftestScenario(name: "slow token endpoint, 4 processes wait") { trial in
        try trial.attempt(posts: 1...1) {
            trial.stage.sandbox.inject(Fault(path: SelftestStage.tokenPath, kind: .slow(.seconds(2))))
            let processes = try (0..<4).map { _ in try trial.stage.start() }
            for process in processes { trial.check(process.wait(for: .seconds(20)) == 0, "a waiting process failed: \(process.output)") }
            let outcomes = processes.flatMap(\.outcomes)
            trial.check(outcomes.count(where: { $0 == .refreshed }) == 1, "not one process alone refreshed")
            trial.check(outcomes.count(where: { $0 == .adopted }) == 3, "the others did not adopt its token")
            return true
        }
    }

    /// Told once, marked, and never asked again; every byte is kept.
    private static let ended = SelftestScenario(name: "login ended by the provider: not asked twice") { trial in
        for _ in 0..<2 {
            try trial.once {
                guard let token = try trial.stage.profile().refresh else { return }
                trial.stage.sandbox.revoke(refresh: token.revealed)
                let outcomes = try (0..<3).map { _ in try trial.stage.refresh() }
                trial.check(outcomes.allSatisfy { $0 == .needsLogin }, "it was not marked for a new login")
                trial.check(trial.stage.posts == 1, "the provider was asked \(trial.stage.posts) times")
                trial.check(try trial.stage.profile().refresh == token, "the refresh token was not kept")
            }
        }
    }

    /// What a person does meanwhile wins over the answer to an older token.
    private static let newLogin = SelftestScenario(name: "new login while the request is under way") { trial in
        for _ in 0..<2 {
            try trial.attempt(posts: 1...1) {
                let stage = trial.stage
                let before = stage.posts
                stage.sandbox.inject(Fault(path: SelftestStage.tokenPath, kind: .slow(.milliseconds(500))))
                let process = try stage.start()
                try trial.wait(until: "the request had arrived") { stage.posts > before }
                let held = try stage.profile()
                let login = stage.sandbox.addAccount(.openaiCodex, named: held.accountID)
                guard let access = Secret(login.access), let refresh = Secret(login.refresh) else { return false }
                try stage.store.put(
                    .oauth(
                        access: access, refresh: refresh, expires: login.expires, provider: held.provider, accountID: held.accountID,
                        email: nil), id: held.id)
                trial.check(process.wait(for: .seconds(10)) == 0, "the refresh failed: \(process.output)")
                trial.check(try stage.profile().refresh == refresh, "the new login was overwritten")
                return true
            }
        }
    }
}
