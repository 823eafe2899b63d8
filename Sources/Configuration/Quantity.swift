/// Durations and sizes as people write them: a decimal number and a unit.
enum Quantity {
    /// `15s`, `250ms`, `1.5m`, `1h`; without a unit, seconds. `nil` when it is no such text or has no exact number of milliseconds.
    static func parseDuration(_ text: Substring) -> Duration? {
        let units: [(String, Int64)] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("", 1000)]
        return parse(text, units).map { .milliseconds($0) }
    }

    /// `64KiB`, `1.5MiB`, `2GiB`, `512B`; without a unit, octets. `nil` when it is no such text or no whole number of octets.
    static func parseSize(_ text: Substring) -> Int? {
        parse(text, [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1), ("", 1)]).flatMap(Int.init(exactly:))
    }

    /// A duration in the largest unit that gives a whole number.
    static func duration(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
        return format(milliseconds, [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)], zero: "0s")
    }

    /// A size in the largest unit that gives a whole number.
    static func size(_ octets: Int) -> String {
        format(Int64(octets), [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)], zero: "0B")
    }

    /// The text in the smallest unit. Decimal by hand: binary fractions would make 0.1 s something else than 100 ms.
    private static func parse(_ text: Substring, _ units: [(suffix: String, factor: Int64)]) -> Int64? {
        guard let unit = units.first(where: { text.hasSuffix($0.suffix) && text.dropLast($0.suffix.count).last?.isNumber == true }) else {
            return nil
        }
        let parts = text.dropLast(unit.suffix.count).split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let whole = digits(parts[0], limit: 12) else { return nil }
        let (units, overflow) = whole.multipliedReportingOverflow(by: unit.factor)
        guard !overflow, parts.count == 2 else { return overflow ? nil : units }
        guard let fraction = digits(parts[1], limit: 6) else { return nil }
        let scale = parts[1].reduce(into: Int64(1)) { scale, _ in scale *= 10 }
        let (part, remainder) = (fraction * unit.factor).quotientAndRemainder(dividingBy: scale)
        return remainder == 0 ? units + part : nil
    }

    private static func digits(_ text: Substring, limit: Int) -> Int64? {
        guard (1...limit).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(text)
    }

    private static func format(_ number: Int64, _ units: [(suffix: String, factor: Int64)], zero: String) -> String {
        guard number != 0, let unit = units.first(where: { number % $0.factor == 0 }) else { return zero }
        return "\(number / unit.factor)\(unit.suffix)"
    }
}
