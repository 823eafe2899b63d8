/// Points in time as JavaScript's `toISOString` writes them: `2026-02-28T12:34:56.789Z`, always 24 characters.
public enum InstantText {
    private static let day: Int64 = 86_400_000

    /// The text for `milliseconds` since 1970; before it and after the year 9999 the nearest that can be written.
    static func of(_ milliseconds: Int64) -> String {
        let (days, time) = min(max(milliseconds, 0), 253_402_300_799_999).quotientAndRemainder(dividingBy: day)
        // Howard Hinnant's civil_from_days: years start in March, so that a leap day is a year's last.
        let (era, dayOfEra) = (days + 719_468).quotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let date = [(yearOfEra + era * 400 + (month <= 2 ? 1 : 0), 4), (month, 2), (dayOfYear - (153 * shifted + 2) / 5 + 1, 2)]
        let clock = [(time / 3_600_000, 2), (time / 60_000 % 60, 2), (time / 1000 % 60, 2)]
        return date.map(padded).joined(separator: "-") + "T" + clock.map(padded).joined(separator: ":") + "." + padded(time % 1000, 3) + "Z"
    }

    /// The milliseconds since 1970 that `text` stands for; nil when it is no such text. The fraction may have any length or be missing.
    public static func milliseconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z") else { return nil }
        for (byte, expected) in zip(bytes, "0000-00-00T00:00:00".utf8) {
            guard expected == UInt8(ascii: "0") ? isDigit(byte) : byte == expected else { return nil }
        }
        let number: (Range<Int>) -> Int64 = { range in bytes[range].reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) } }
        let (hours, minutes, seconds) = (number(11..<13), number(14..<16), number(17..<19))
        guard (1...12).contains(number(5..<7)), (1...31).contains(number(8..<10)), hours < 25, minutes < 60, seconds < 61 else {
            return nil
        }
        let fraction = bytes[19..<bytes.count - 1]
        guard fraction.isEmpty || fraction.count > 1 && fraction.first == UInt8(ascii: "."), fraction.dropFirst().allSatisfy(isDigit) else {
            return nil
        }
        let thousandths = (Array(fraction.dropFirst()) + Array("000".utf8)).prefix(3).reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        let days = days(year: number(0..<4), month: number(5..<7), day: number(8..<10))
        return days * day + ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths
    }

    /// Hinnant's days_from_civil.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        // No year here is negative but the one before 0000-03.
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func padded(_ number: Int64, _ digits: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
