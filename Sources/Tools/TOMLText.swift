/// TOML values as text (toml.io, version 1.0.0).
enum TOMLText {
    /// A basic string.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{00}"..."\u{1F}", "\u{7F}":
                let digits = String(scalar.value, radix: 16, uppercase: true)
                result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// Whether a bare word is a value: a truth value, a number, or a date and time.
    static func isScalar(_ word: Substring) -> Bool {
        switch word {
        case "true", "false", "inf", "+inf", "-inf", "nan", "+nan", "-nan": return true
        default: return isInteger(word) || isFloat(word) || isTime(word)
        }
    }

    private static func isInteger(_ word: Substring) -> Bool {
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where word.hasPrefix(prefix) {
            return isDigits(word.dropFirst(2)) { $0.hexDigitValue.map { $0 < radix } ?? false }
        }
        let digits = unsigned(word)
        return isDigits(digits) && (digits == "0" || !digits.hasPrefix("0"))
    }

    private static func isFloat(_ word: Substring) -> Bool {
        let parts = word.split(separator: word.contains("E") ? "E" : "e", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, !isDigits(unsigned(parts[1])) { return false }
        let mantissa = parts[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard isInteger(mantissa[0]), !mantissa[0].hasPrefix("0x") else { return false }
        return mantissa.count == 2 ? isDigits(mantissa[1]) : parts.count == 2
    }

    /// RFC 3339 with its parts optional. Whether the day exists is left to the tool that reads it.
    private static func isTime(_ word: Substring) -> Bool {
        let shape = String(word.map { $0.isASCII && $0.isNumber ? "0" : $0 })
        var rest = shape[...]
        if rest.hasPrefix("0000-00-00") {
            rest = rest.dropFirst(10)
            if rest.isEmpty { return true }
            guard let mark = rest.popFirst(), "Tt ".contains(mark) else { return false }
        }
        guard rest.hasPrefix("00:00:00") else { return false }
        rest = rest.dropFirst(8)
        if rest.hasPrefix(".") { rest = rest.dropFirst().drop { $0 == "0" } }
        return rest.isEmpty || shape.count > 8 && (rest == "Z" || rest == "z" || rest == "+00:00" || rest == "-00:00")
    }

    private static func unsigned(_ word: Substring) -> Substring { word.hasPrefix("+") || word.hasPrefix("-") ? word.dropFirst() : word }

    /// Digits with single underscores between them.
    private static func isDigits(_ word: Substring, _ isDigit: (Character) -> Bool = { $0.isASCII && $0.isNumber }) -> Bool {
        word.split(separator: "_", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty && $0.allSatisfy(isDigit) }
    }
}
