public import Credentials
import Files

/// What a crash, a lost connection or a full disk left open (DESIGN §7, recovery).
/// ```
/// open intent ─▶ answer journalled whole? ─ yes ─▶ steps 8-9, no network
///                     │ no
///                     ▼
///        store holds another refresh token? ─ yes ─▶ adopt it, close
///                     │ no: in doubt
///                     ▼
///        provider punishes a second use? ─ yes ─▶ access token works: leave it; else needs-login
///                     │ no
///                     ▼
///        first time and under 60 s old, or access token gone? ─ yes ─▶ send the old token once more
///                     │ no
///                     ▼
///        leave it, the access token works
/// ```
extension Refresher {
    /// A lost answer is repeated at once while the provider's grace for the old token, where there is one, may still last.
    static let graceWindow: Int64 = 60 * 1000

    /// Finishes what an earlier refresh of `profileID` left in its journal, without asking the network: for a start. A refresh does
    /// the same by itself. `.unchanged` when there is nothing, or someone is at it.
    public func recover(profileID: String, client: OAuthClient) -> RefreshOutcome {
        // A lock of ours that nobody gave back would cost a neighbour half a minute.
        store.removeLeftoverLocks()
        guard let profile = try? store.load().profile(profileID), profile.kind == .oauth else { return .unchanged }
        let lane = Lane(client: client, profile: profile, agentID: store.agentID)
        // Opening would make one.
        guard PrivateFile.identity(of: store.journalPath(of: lane)) != nil else { return .unchanged }
        do {
            guard let lock = try FileLock.acquire(store.lockPath(of: lane), timeout: .zero) else { return .unchanged }
            defer { withExtendedLifetime(lock) {} }
            let journal = try RefreshJournal(path: store.journalPath(of: lane))
            guard let intent = try journal.lastIntent(), intent.isOpen, let answer = try journal.answer(to: intent) else {
                return .unchanged
            }
            return try settle(answer, in: journal, intent, by: client, isRecorded: true)
        } catch let ending as Ending {
            return ending.outcome
        } catch {
            return .unchanged
        }
    }

    /// Settles the open intent in `journal`, if there is one. Returns how often its token has been sent in vain, which is 0 unless it is
    /// to be sent again.
    func settleOpenIntent(in journal: borrowing RefreshJournal, _ flight: Flight) throws(Ending) -> Int {
        let answer: JournalledAnswer?
        let intent: RefreshIntent
        do throws(FileError) {
            guard let last = try journal.lastIntent(), last.isOpen else { return 0 }
            intent = last
            answer = try journal.answer(to: last)
        } catch {
            throw .failed(.notDurable, detail: error.description)
        }
        let ending: RefreshOutcome
        if let answer {
            ending = try settle(answer, in: journal, intent, by: flight.client, isRecorded: true)
        } else if let kept = UnwrittenAnswers.answer(to: intent) {
            // The disk would not take it then; it may now.
            let isRecorded = (try? journal.record(kept, to: intent)) ?? false
            ending = try settle(kept, in: journal, intent, by: flight.client, isRecorded: isRecorded)
        } else {
            return try resolveDoubt(about: intent, in: journal, flight)
        }
        switch ending {
        case .refreshed, .adopted, .unchanged, .transient: return 0
        case .needsLogin(let failure): throw Ending(.needsLogin(failure))
        }
    }

    /// Steps 8 and 9 for an answer that was journalled before the crash, or kept in memory since.
    private func settle(
        _ answer: JournalledAnswer, in journal: borrowing RefreshJournal, _ intent: RefreshIntent, by client: OAuthClient, isRecorded: Bool
    ) throws(Ending) -> RefreshOutcome {
        guard let profile = try load().profile(intent.profileID) else {
            close(intent, in: journal, isDone: false)
            return .unchanged
        }
        return try settle(answer, nil, to: intent, for: profile, by: client, journal, isRecorded: isRecorded)
    }

    /// Decides about a token that was sent and whose answer is not known.
    private func resolveDoubt(
        about intent: RefreshIntent, in journal: borrowing RefreshJournal, _ flight: Flight
    ) throws(Ending) -> Int {
        guard let profile = try load().profile(intent.profileID), profile.refresh?.fingerprint == intent.spent else {
            close(intent, in: journal, isDone: false)
            return 0
        }
        let now = clock.now()
        let accessWorks = flight.accessWorks(in: profile, now: now)
        switch flight.client.retryInDoubt {
        case .never:
            if accessWorks { throw Ending(.unchanged) }
            let outcome = markNeedsLogin(RefreshFailure(.inDoubt), intent)
            close(intent, in: journal, isDone: false)
            throw Ending(outcome)
        case .once:
            let isFresh = (0..<Self.graceWindow).contains(now - intent.at)
            guard intent.retries == 0 && isFresh || !accessWorks else { throw Ending(.unchanged) }
            return intent.retries + 1
        }
    }
}
