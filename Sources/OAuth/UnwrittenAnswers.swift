import Credentials
import Digest
import Synchronization

/// Answers of token endpoints that neither the journal nor the store would take (a disk that failed between the proof and the answer):
/// kept in memory, and tried again by the next refresh instead of a request that would spend the old token a second time.
/// They are lost only with the process.
enum UnwrittenAnswers {
    private struct Held {
        let status: Int
        let receivedAt: Int64
        var body: [UInt8]
    }
    /// By attempt.
    private static let held = Mutex<[[UInt8]: Held]>([:])

    /// Keeps the answer to `intent`.
    static func hold(_ answer: JournalledAnswer, to intent: RefreshIntent) {
        let copy = Held(status: answer.status, receivedAt: answer.receivedAt, body: answer.body.bytes)
        held.withLock { $0[intent.attempt] = copy }
    }

    /// The answer to `intent` if it is kept here.
    static func answer(to intent: RefreshIntent) -> JournalledAnswer? {
        guard let kept = held.withLock({ $0[intent.attempt] }) else { return nil }
        let body = SensitiveBytes(capacity: kept.body.count)
        body.append(kept.body)
        return JournalledAnswer(status: kept.status, receivedAt: kept.receivedAt, body: body)
    }

    /// The answer to `intent` is on the disk, or of no use any more.
    static func release(_ intent: RefreshIntent) {
        held.withLock { held in
            guard var kept = held.removeValue(forKey: intent.attempt) else { return }
            Memory.cleanse(&kept.body)
        }
    }
}
