/// The word a person probably meant.
public enum Suggestion {
    /// The name closest to `word`, if it is close: the same but for case and separators, or a third of its letters wrong at most.
    public static func closest(to word: String, among names: [String]) -> String? {
        let wanted = folded(word)
        let ranked = names.map { (name: $0, distance: distance(wanted, folded($0))) }.min { $0.distance < $1.distance }
        guard let best = ranked, best.distance <= max(1, wanted.count / 3) else { return nil }
        return best.name
    }

    /// Names as a sentence lists them: `"a", "b" or "c"`.
    static func list(_ names: [String]) -> String {
        let quoted = names.map { "\"\($0)\"" }
        guard let last = quoted.last, quoted.count > 1 else { return quoted.first ?? "no member" }
        return quoted.dropLast().joined(separator: ", ") + " or " + last
    }

    /// `baseUrl`, `base_url` and `base-url` are one word.
    private static func folded(_ word: String) -> [UInt8] {
        // A name as long as this is no typing error, and comparing it would cost its length squared.
        word.utf8.prefix(64).filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") }
            .map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
    }

    /// Damerau's distance in its restricted form: insert, delete, replace, swap neighbours.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var before: [Int] = []
        var previous = Array(0...right.count)
        for (row, byte) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var cost = min(previous[column] + (byte == other ? 0 : 1), previous[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, byte == right[column - 1], left[row - 1] == other { cost = min(cost, before[column - 1] + 1) }
                current.append(cost)
            }
            (before, previous) = (previous, current)
        }
        return previous[right.count]
    }
}
