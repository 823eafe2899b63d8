internal import JSON

/// What a provider's error body says besides its words: codes, and when to come back.
///
/// Looked for where providers put them: `error.code`, `error.type`, `error.status`, `error.details[]` (Google), `__type` (AWS), and the same
/// without `error` around it. Of a stream's event `response.failed`, in `response.error`.
public struct RefusalText: Sendable, Equatable {
    /// The codes, in the order of their place.
    public private(set) var codes: [String] = []
    /// When it will be over, in milliseconds since 1970.
    public private(set) var resetsAt: Int64?

    /// A body that says nothing.
    public init() {}

    /// What the JSON in `bytes` says; nothing when it is none.
    public init(_ bytes: [UInt8], now: Int64) {
        guard let value = try? Reader.parse(bytes) else { return }
        // Google's streams wrap an error in a list.
        read(value.array?.first ?? value, now: now)
    }

    private mutating func read(_ root: Value, now: Int64) {
        let error = root["error"] ?? root["response"]?["error"] ?? root
        for place in [error, root] {
            for name in ["code", "type", "status", "__type"] {
                // AWS writes `com.amazon.coral.service#ThrottlingException`.
                guard let code = place[name]?.string?.split(separator: "#").last.map(String.init), !codes.contains(code) else { continue }
                codes.append(code)
            }
        }
        if let text = error.string { codes.append(text) }
        readTimes(error, now: now)
        for detail in error["details"]?.array ?? [] { read(detail: detail, now: now) }
    }

    /// Codex: `resets_at` in seconds since 1970, `resets_in_seconds`.
    private mutating func readTimes(_ error: Value, now: Int64) {
        if let seconds = error["resets_at"]?.double, seconds > 0, seconds < 1e11 {
            resetsAt = Int64(seconds * 1000)
        } else if let seconds = error["resets_in_seconds"]?.double, seconds >= 0, seconds < 1e9 {
            resetsAt = now + Int64(seconds * 1000)
        }
    }

    /// Google: `ErrorInfo.reason`, `QuotaFailure.violations[].quotaId`, `RetryInfo.retryDelay`.
    private mutating func read(detail: Value, now: Int64) {
        if let reason = detail["reason"]?.string { codes.append(reason) }
        for violation in detail["violations"]?.array ?? [] {
            if let quota = violation["quotaId"]?.string { codes.append(quota) }
        }
        if let delay = detail["retryDelay"]?.string, let pause = ResetTime.duration(Array(delay.utf8).span) { resetsAt = now + pause }
    }
}
