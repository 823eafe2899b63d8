/// When something will be over, in the many forms that providers say it. Results are milliseconds since 1970.
public enum ResetTime {
    /// A field that names a reset: seconds or milliseconds since 1970, seconds from now, `6m0s`, `34.07s`, `150ms`, RFC 3339, or an
    /// HTTP date. Nil when it is none of these.
    public static func parse(_ text: Span<UInt8>, now: Int64) -> Int64? {
        guard let first = text.indices.first else { return nil }
        if isDigit(text[first]) {
            if let instant = instant(text) { return instant }
            if let number = Decimal.thousandths(text) { return absolute(number, now: now) }
            return duration(text).map { now + $0 }
        }
        return HTTPDate.parse(text)
    }

    /// `Retry-After` (RFC 9110 §10.2.3): seconds from now, or an HTTP date. Some send a fraction, or a unit.
    public static func retryAfter(_ text: Span<UInt8>, now: Int64) -> Int64? {
        guard let first = text.indices.first else { return nil }
        guard isDigit(text[first]) else { return HTTPDate.parse(text) }
        if let seconds = Decimal.thousandths(text) { return now + seconds }
        return duration(text).map { now + $0 }
    }

    /// A pause such as `6m0s`, `1h2m3.5s`, `34.07s` or `150ms`, in milliseconds.
    public static func duration(_ text: Span<UInt8>) -> Int64? {
        var at = 0
        var total: Int64 = 0
        while at < text.count {
            let start = at
            while at < text.count, isDigit(text[at]) || text[at] == UInt8(ascii: ".") { at += 1 }
            guard at > start, at < text.count, let number = Decimal.thousandths(text.extracting(start..<at)) else { return nil }
            let unit = text[at]
            let isMilli = unit == UInt8(ascii: "m") && at + 1 < text.count && text[at + 1] == UInt8(ascii: "s")
            switch unit {
            case _ where isMilli: total += number / 1000
            case UInt8(ascii: "d"): total += number.multipliedReportingOverflow(by: 86_400).partialValue
            case UInt8(ascii: "h"): total += number.multipliedReportingOverflow(by: 3_600).partialValue
            case UInt8(ascii: "m"): total += number.multipliedReportingOverflow(by: 60).partialValue
            case UInt8(ascii: "s"): total += number
            default: return nil
            }
            at += isMilli ? 2 : 1
        }
        return total >= 0 ? total : nil
    }

    /// A bare number: too small for a time is a pause in seconds.
    private static func absolute(_ thousandths: Int64, now: Int64) -> Int64 {
        switch thousandths {
        case ..<1_000_000_000_000: now + thousandths  // up to 31 years, in seconds
        case ..<1_000_000_000_000_000: thousandths  // seconds since 1970, as milliseconds
        default: thousandths / 1000  // milliseconds since 1970
        }
    }

    /// RFC 3339, `2026-01-27T18:00:00Z`, with any fraction and offset.
    private static func instant(_ text: Span<UInt8>) -> Int64? {
        guard text.count >= 20, text[4] == UInt8(ascii: "-"), text[10] | 0x20 == UInt8(ascii: "t"),
            let year = number(text, 0..<4), let month = number(text, 5..<7), let day = number(text, 8..<10),
            let hour = number(text, 11..<13), let minute = number(text, 14..<16), let second = number(text, 17..<19)
        else { return nil }
        var at = 19
        var fraction: Int64 = 0
        var weight: Int64 = 100
        if text[at] == UInt8(ascii: ".") {
            at += 1
            while at < text.count, isDigit(text[at]) {
                fraction += Int64(text[at] - 0x30) * weight
                weight /= 10
                at += 1
            }
        }
        guard at < text.count, let offset = offset(text, at), let midnight = Calendar.midnight(year, month, day) else { return nil }
        return midnight + (hour * 3600 + minute * 60 + second - offset) * 1000 + fraction
    }

    /// `Z`, `+02:00` or `-05:00`, in seconds.
    private static func offset(_ text: Span<UInt8>, _ at: Int) -> Int64? {
        if text[at] | 0x20 == UInt8(ascii: "z") { return at + 1 == text.count ? 0 : nil }
        guard text.count == at + 6, let hours = number(text, at + 1..<at + 3), let minutes = number(text, at + 4..<at + 6) else {
            return nil
        }
        switch text[at] {
        case UInt8(ascii: "+"): return hours * 3600 + minutes * 60
        case UInt8(ascii: "-"): return -(hours * 3600 + minutes * 60)
        default: return nil
        }
    }

    fileprivate static func number(_ text: Span<UInt8>, _ range: Range<Int>) -> Int64? {
        guard range.upperBound <= text.count else { return nil }
        var number: Int64 = 0
        for at in range {
            guard isDigit(text[at]) else { return nil }
            number = number * 10 + Int64(text[at] - 0x30)
        }
        return number
    }
    fileprivate static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
}

/// Decimal numbers in field values.
enum Decimal {
    /// `42`, `0.425`, as thousandths, rounded down; nil for anything else, and for more than a quadrillion.
    static func thousandths(_ text: Span<UInt8>) -> Int64? {
        var number: Int64 = 0
        var digits = 0
        var at = 0
        while at < text.count, text[at] &- 0x30 < 10 {
            number = number * 10 + Int64(text[at] - 0x30)
            digits += 1
            at += 1
            guard digits <= 15 else { return nil }
        }
        guard digits > 0 else { return nil }
        number *= 1000
        guard at < text.count else { return number }
        guard text[at] == UInt8(ascii: "."), at + 1 < text.count else { return nil }
        at += 1
        var weight: Int64 = 100
        while at < text.count {
            guard text[at] &- 0x30 < 10 else { return nil }
            number += Int64(text[at] - 0x30) * weight
            weight /= 10
            at += 1
        }
        return number
    }
}

/// Dates of HTTP (RFC 9110 §5.6.7).
enum HTTPDate {
    /// `Sun, 06 Nov 1994 08:49:37 GMT`, the only form that may be sent; the two obsolete ones are not read.
    static func parse(_ text: Span<UInt8>) -> Int64? {
        guard text.count == 29, text[3] == UInt8(ascii: ","), text[26] == UInt8(ascii: "G"),
            let day = ResetTime.number(text, 5..<7), let month = month(text), let year = ResetTime.number(text, 12..<16),
            let hour = ResetTime.number(text, 17..<19), let minute = ResetTime.number(text, 20..<22),
            let second = ResetTime.number(text, 23..<25), let midnight = Calendar.midnight(year, month, day)
        else { return nil }
        return midnight + (hour * 3600 + minute * 60 + second) * 1000
    }

    /// The month's number by its second and third letter, which are enough.
    private static func month(_ text: Span<UInt8>) -> Int64? {
        switch (Unicode.Scalar(text[9] | 0x20), Unicode.Scalar(text[10] | 0x20)) {
        case ("a", "n"): 1
        case ("e", "b"): 2
        case ("a", "r"): 3
        case ("p", "r"): 4
        case ("a", "y"): 5
        case ("u", "n"): 6
        case ("u", "l"): 7
        case ("u", "g"): 8
        case ("e", "p"): 9
        case ("c", "t"): 10
        case ("o", "v"): 11
        case ("e", "c"): 12
        default: nil
        }
    }
}

/// Days of the Gregorian calendar.
enum Calendar {
    /// Milliseconds since 1970 at a day's start (Howard Hinnant's days_from_civil); nil for what is no day.
    static func midnight(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64? {
        guard (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day) else { return nil }
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return (era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468) * 86_400_000
    }
}
