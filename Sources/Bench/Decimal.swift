internal import JSON

/// Numbers as people and programs read them.
enum Decimal {
    /// `number` with that many places behind the point.
    static func text(_ number: Double, places: Int) -> String {
        guard number.isFinite, abs(number) < 1e15 else { return "–" }
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let whole = Int64((abs(number) * scale).rounded())
        let sign = number < 0 && whole > 0 ? "-" : ""
        let digits = String(whole)
        guard places > 0 else { return sign + digits }
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        return sign + padded.dropLast(places) + "." + padded.suffix(places)
    }
}

extension Value {
    /// A number with that many places.
    static func decimal(_ number: Double, places: Int) -> Value {
        NumberText(text: Decimal.text(number, places: places)).map { .number($0) } ?? nil
    }
}
