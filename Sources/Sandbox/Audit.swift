internal import JSON

/// What arrived at the sandbox so far: exact counters, and the last requests one by one. Never a secret.
public struct Audit: Sendable, Equatable {
    /// A field of a request; the value of a credential is replaced.
    public struct Field: Sendable, Equatable {
        /// In lower case.
        public let name: String
        /// As it came, or `‹secret›`.
        public let value: String
    }

    /// One request and what became of it.
    public struct Entry: Sendable, Equatable {
        /// The method.
        public var method: String
        /// The target as it came, with its query; values of `key` and `api_key` are replaced.
        public var target: String
        /// The provider it was meant for; nil for doors of the sandbox itself.
        public var provider: String?
        /// Who paid; nil when refused.
        public var account: String?
        /// `api_key`, `token` or `oauth`; nil when refused.
        public var credentialKind: String?
        /// The first 16 hexadecimal digits of the credential's SHA-256; nil when refused.
        public var fingerprint: String?
        /// The fields as they came, in order.
        public var fields: [Field] = []
        /// Whether a stream was asked for.
        public var stream = false
        /// How long the request's body was.
        public var bodyBytes: Int64 = 0
        /// SHA-256 of the request's body, hexadecimal.
        public var bodySHA256 = ""
        /// The status answered; 0 when none was.
        public var status = 0
        /// Why it was refused: `missing`, `duplicate`, `wrong-header`, `unknown`, `expired`, `revoked`, `leftover`…
        public var refusal: String?
        /// The fault that was played.
        public var fault: String?
        /// The client left before the answer was complete.
        public var aborted = false
    }

    /// Connections accepted.
    public var connections = 0
    /// TLS handshakes that failed.
    public var failedHandshakes = 0
    /// TLS handshakes that resumed an earlier session.
    public var resumedSessions = 0
    /// POSTs at token endpoints, granted or not.
    public var tokenPosts = 0
    /// Refreshes granted.
    public var refreshesGranted = 0
    /// Spent refresh tokens that came again.
    public var reusesDetected = 0
    /// Logins ended by a reuse.
    public var familiesRevoked = 0
    /// Authorization codes and device codes exchanged for tokens.
    public var loginsGranted = 0
    /// Requests to model APIs, refused ones included.
    public var modelRequests = 0
    /// Requests refused for their credential or for a field that must not arrive.
    public var refused = 0
    /// Answers that the client did not wait for.
    public var aborted = 0
    /// Requests by the account that paid.
    public var requestsByAccount: [String: Int] = [:]
    /// Refusals by reason.
    public var refusals: [String: Int] = [:]
    /// The last requests, oldest first, at most `keptEntries`.
    public var entries: [Entry] = []

    /// How many requests are kept one by one.
    public static let keptEntries = 2000

    /// How many requests there were in all; the last of `entries` has this number.
    public private(set) var recorded = 0

    /// Counts one request as it is about to be answered; its number.
    mutating func record(_ entry: Entry) -> Int {
        if let account = entry.account { requestsByAccount[account, default: 0] += 1 }
        if let refusal = entry.refusal {
            refused += 1
            refusals[refusal, default: 0] += 1
        }
        // Cut in blocks: one removal at the front for many requests.
        if entries.count >= Self.keptEntries * 2 { entries.removeFirst(Self.keptEntries) }
        entries.append(entry)
        recorded += 1
        return recorded
    }

    /// Notes that the client of request `number` did not wait for the end of its answer.
    mutating func markAborted(_ number: Int) {
        aborted += 1
        let index = entries.count - 1 - (recorded - number)
        if entries.indices.contains(index) { entries[index].aborted = true }
    }

    /// The form that `GET /sandbox/audit` answers.
    var json: Value {
        let counts: (([String: Int]) -> Value) = { counts in
            .object(Object(counts.sorted { $0.key < $1.key }.map { ($0.key, .integer(Int64($0.value))) }))
        }
        return [
            "connections": .integer(Int64(connections)), "failedHandshakes": .integer(Int64(failedHandshakes)),
            "resumedSessions": .integer(Int64(resumedSessions)), "tokenPosts": .integer(Int64(tokenPosts)),
            "refreshesGranted": .integer(Int64(refreshesGranted)), "reusesDetected": .integer(Int64(reusesDetected)),
            "familiesRevoked": .integer(Int64(familiesRevoked)), "loginsGranted": .integer(Int64(loginsGranted)),
            "modelRequests": .integer(Int64(modelRequests)), "refused": .integer(Int64(refused)), "aborted": .integer(Int64(aborted)),
            "requestsByAccount": counts(requestsByAccount), "refusals": counts(refusals),
            "entries": .array(entries.suffix(Self.keptEntries).map(\.json)),
        ]
    }
}

extension Audit.Entry {
    var json: Value {
        let text: (String?) -> Value = { $0.map { .string($0) } ?? nil }
        return [
            "method": .string(method), "target": .string(target), "provider": text(provider), "account": text(account),
            "credentialKind": text(credentialKind), "fingerprint": text(fingerprint),
            "fields": .array(fields.map { [.string($0.name), .string($0.value)] }), "stream": .bool(stream),
            "bodyBytes": .integer(bodyBytes), "bodySHA256": .string(bodySHA256), "status": .integer(Int64(status)),
            "refusal": text(refusal), "fault": text(fault), "aborted": .bool(aborted),
        ]
    }
}
