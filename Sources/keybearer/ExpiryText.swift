internal import Credentials

/// Expiries as a person says them.
enum ExpiryText {
    /// `expires in 3 h`, `expired 2 days ago`, `no expiry`.
    static func sentence(_ expiry: Expiry, now: Int64) -> String {
        switch expiry {
        case .never: "no expiry"
        case .valid(let until): "expires in \(span(until - now))"
        case .expired(since: 0): "expired: its expiry is no time"
        case .expired(let since): "expired \(span(now - since)) ago"
        case .invalid: "not used: its expiry is no time"
        }
    }

    /// A number of milliseconds in one unit, rounded to the nearest: `42 s`, `12 min`, `3 h`, `1 day`, `400 days`.
    static func span(_ milliseconds: Int64) -> String {
        let time = max(0, milliseconds)
        for (unit, length, next) in [("s", Int64(1000), Int64(60)), ("min", 60_000, 60), ("h", 3_600_000, 24)] {
            let count = rounded(time, to: length)
            if count < next { return "\(count) \(unit)" }
        }
        let days = rounded(time, to: 86_400_000)
        return days == 1 ? "1 day" : "\(days) days"
    }

    private static func rounded(_ time: Int64, to unit: Int64) -> Int64 {
        time / unit + (time % unit >= unit / 2 ? 1 : 0)
    }
}

/// `--expires-in`: a number and a unit, days without one.
enum LifetimeText {
    /// Milliseconds; nil when the text is no positive whole number with `ms`, `s`, `m`, `h`, `d` or nothing behind it.
    static func milliseconds(_ text: String) -> Int64? {
        let digits = text.prefix { ("0"..."9").contains($0) }
        let units: [Substring: Int64] = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "": 86_400_000]
        guard let number = Int64(digits), number > 0, let unit = units[text.dropFirst(digits.count)] else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit)
        // Ten thousand years: whatever is longer is no lifetime, and would overflow when it is added to the time.
        return overflow || product > 315_576_000_000_000 ? nil : product
    }
}
