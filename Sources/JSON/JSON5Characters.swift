/// The character classes of JSON5 beyond ASCII's.
enum JSON5Characters {
    /// White space and line terminators (spec.json5.org §8): U+FEFF, U+2028, U+2029 and every space separator, besides ASCII's.
    static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\t"..."\r", " ", "\u{FEFF}", "\u{2028}", "\u{2029}": true
        default: scalar.properties.generalCategory == .spaceSeparator
        }
    }

    /// Whether a bare name may begin with it (ECMAScript 5.1 §7.6, IdentifierStart).
    static func startsName(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return UInt8(ascii: scalar).isLetter || scalar == "$" || scalar == "_" }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .letterNumber: return true
        default: return false
        }
    }

    /// Whether a bare name may go on with it (IdentifierPart).
    static func continuesName(_ scalar: Unicode.Scalar) -> Bool {
        if startsName(scalar) { return true }
        if scalar.isASCII { return UInt8(ascii: scalar).isDigit }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .decimalNumber, .connectorPunctuation: return true
        default: return scalar == "\u{200C}" || scalar == "\u{200D}"
        }
    }

    /// Whether U+2028 or U+2029 stands at `offset`: E2 80 A8, E2 80 A9.
    static func isLineSeparator(in bytes: [UInt8], at offset: Int) -> Bool {
        guard let scalar = UTF8Text.scalar(in: bytes, at: offset)?.scalar else { return false }
        return scalar == "\u{2028}" || scalar == "\u{2029}"
    }
}
