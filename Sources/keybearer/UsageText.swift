internal import Credentials
internal import JSON

/// What the store remembers of a profile's quota, and of money spent with it: in words, and for scripts.
enum UsageText {
    /// `quota 4 min ago: 5h 42 % used, anew in 3 h; 7d 10 % used`; nil when nothing is known.
    static func quota(_ usage: ProfileUsage?, now: Int64) -> String? {
        guard let usage, !usage.quota.isEmpty, let at = usage.quotaAt else { return nil }
        let windows = usage.quota.map { window in
            let used = window.usedPermille.map { " \($0 / 10) % used" } ?? ""
            let left = window.usedPermille == nil ? window.remaining.map { " \($0) left" } ?? "" : ""
            let anew = window.resetsAt.map { $0 > now ? ", anew in \(ExpiryText.span($0 - now))" : ", anew since" } ?? ""
            return window.window + used + left + anew
        }
        return "quota, \(ExpiryText.span(now - at)) ago: \(windows.joined(separator: "; "))"
    }

    /// That money was spent in place of a subscription, and why; nil when it was not.
    static func spent(_ usage: ProfileUsage?, now: Int64) -> String? {
        guard let paid = usage?.paidFallback else { return nil }
        return
            "money was spent: \(paid.count) requests in place of \(paid.insteadOf) (\(paid.reason)), the last \(ExpiryText.span(now - paid.lastAt)) ago"
    }

    /// The same for scripts; nil when there is nothing.
    static func document(_ usage: ProfileUsage?, of id: String) -> Value? {
        guard let usage, usage.lastUsed != nil || !usage.quota.isEmpty || usage.paidFallback != nil else { return nil }
        var members: Object = ["profileId": .string(id)]
        members["lastUsed"] = usage.lastUsed.map { .integer($0) }
        members["quotaAt"] = usage.quotaAt.map { .integer($0) }
        if !usage.quota.isEmpty {
            members["quota"] = .array(
                usage.quota.map { window in
                    [
                        "window": .string(window.window), "usedPermille": number(window.usedPermille), "limit": number(window.limit),
                        "remaining": number(window.remaining), "resetsAt": number(window.resetsAt),
                    ]
                })
        }
        members["paidFallback"] = usage.paidFallback.map { paid in
            [
                "count": .integer(Int64(paid.count)), "lastAt": .integer(paid.lastAt), "insteadOf": .string(paid.insteadOf),
                "reason": .string(paid.reason),
            ]
        }
        return .object(members)
    }

    private static func number(_ number: Int64?) -> Value { number.map { .integer($0) } ?? .null }
}
