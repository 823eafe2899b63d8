import Credentials
import Glibc

/// One refresh: of what, for whom, why.
struct Flight {
    let profileID: String
    let client: OAuthClient
    let cause: Cause

    /// Whether the store's `profile` already holds what is wanted: someone else's newer token.
    func isSatisfied(by profile: Profile, now: Int64) -> Bool {
        guard profile.isUsable(now: now) else { return false }
        switch cause {
        case .expired: return true
        case .early(let held), .rejected(let held): return profile.secret?.fingerprint != held
        }
    }

    /// Whether the access token of `profile` still does its work, so that nothing has to be risked for a new one.
    func accessWorks(in profile: Profile, now: Int64) -> Bool {
        profile.isUsable(now: now) && (cause.rejected == nil || cause.rejected != profile.secret?.fingerprint)
    }
}

extension Cause {
    /// The fingerprint of the access token that an upstream refused.
    var rejected: String? {
        guard case .rejected(let fingerprint) = self else { return nil }
        return fingerprint
    }
}

/// The end of a refresh before its last step.
struct Ending: Error {
    let outcome: RefreshOutcome

    init(_ outcome: RefreshOutcome) { self.outcome = outcome }

    static func failed(
        _ reason: RefreshFailure.Reason, status: Int? = nil, code: String? = nil, detail: String? = nil
    ) -> Ending {
        Ending(.transient(RefreshFailure(reason, status: status, code: code, detail: detail), retryAfter: nil))
    }
}

/// The steps of DESIGN §7 after which a crash is worth looking at.
enum RefreshStep: CaseIterable, Sendable {
    case laneEntered, storeRead, durabilityProved, intentJournalled, answered, answerJournalled, stored, intentClosed
}

/// The process's environment.
public enum ProcessEnvironment {
    /// The value of the variable `name`; nil when it is not set.
    public static let value: @Sendable (_ name: String) -> String? = { name in
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}
