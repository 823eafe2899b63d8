// Names, strings and numbers of JSON5 (spec.json5.org §3 to §6).

extension JSON5Parser {
    /// A member's name: a string or an identifier.
    mutating func memberName() throws(SyntaxError) -> String {
        if cursor.current == .quote || cursor.current == .apostrophe { return try string() }
        let name = try bareName()
        guard !name.isEmpty else { throw cursor.expected("a member's name or '}'") }
        return name
    }

    /// An ECMAScript 5.1 IdentifierName, reserved words included; empty when none starts here.
    mutating func bareName() throws(SyntaxError) -> String {
        var name = ""
        while true {
            let start = cursor.offset
            let scalar: Unicode.Scalar
            if cursor.take(word: "\\u") {
                scalar = try cursor.unicodeEscape()
            } else {
                guard let (next, length) = UTF8Text.scalar(in: cursor.bytes, at: start), JSON5Characters.continuesName(next) else { break }
                scalar = next
                cursor.offset += length
            }
            guard name.isEmpty ? JSON5Characters.startsName(scalar) : JSON5Characters.continuesName(scalar) else {
                throw cursor.failure(at: start, "a name without quotes starts with a letter, $ or _; put other names in quotes")
            }
            name.unicodeScalars.append(scalar)
        }
        return name
    }

    /// A string from its opening quote on, single or double.
    mutating func string() throws(SyntaxError) -> String {
        let quote = cursor.bytes[cursor.offset]
        cursor.offset += 1
        var text = ""
        while true {
            let start = cursor.offset
            while let byte = cursor.current, byte != quote, byte != .backslash, byte != .lineFeed, byte != .carriageReturn {
                cursor.offset += 1
            }
            text += try cursor.text(start..<cursor.offset)
            if cursor.take(quote) { return text }
            guard cursor.take(.backslash) else {
                throw cursor.expected("\(quote == .quote ? "'\"'" : "\"'\"") to end the string")
            }
            if let scalar = try escape() { text.unicodeScalars.append(scalar) }
        }
    }

    /// What stands after a backslash; nil for a line continuation, which means nothing.
    private mutating func escape() throws(SyntaxError) -> Unicode.Scalar? {
        guard let (scalar, length) = UTF8Text.scalar(in: cursor.bytes, at: cursor.offset) else {
            throw cursor.expected("the rest of an escape")
        }
        cursor.offset += length
        switch scalar {
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "v": return "\u{B}"
        case "u": return try cursor.unicodeEscape()
        case "x": return Unicode.Scalar(try cursor.hexadecimal(digits: 2))
        case "0" where cursor.current?.isDigit != true: return "\0"
        case "0"..."9": throw cursor.failure(at: cursor.offset - 2, "octal escapes are not allowed; write \\xHH or \\uHHHH")
        case "\r":
            _ = cursor.take(.lineFeed)
            return nil
        case "\n", "\u{2028}", "\u{2029}": return nil
        default: return scalar
        }
    }

    /// A number, rewritten to JSON's grammar where JSON5's is wider.
    mutating func number() throws(SyntaxError) -> LocatedValue.Kind {
        let start = cursor.offset
        let isNegative = cursor.take(UInt8(ascii: "-"))
        if !isNegative { _ = cursor.take(UInt8(ascii: "+")) }
        let result: LocatedValue.Kind
        if cursor.take(word: "Infinity") {
            result = .nonFinite(isNegative ? -.infinity : .infinity)
        } else if cursor.take(word: "NaN") {
            result = .nonFinite(.nan)
        } else if cursor.take(word: "0x") || cursor.take(word: "0X") {
            result = try hexadecimalNumber(isNegative: isNegative)
        } else {
            result = .number(NumberText(checked: (isNegative ? "-" : "") + (try decimalText(from: start))))
        }
        // §6: a number is not directly followed by a digit or by what could start a name.
        if let scalar = UTF8Text.scalar(in: cursor.bytes, at: cursor.offset)?.scalar,
            JSON5Characters.continuesName(scalar) || scalar == "." || scalar == "\\"
        {
            throw cursor.failure(at: start, "this is not a number (numbers are such as 12, -0.5, 1e9 or 0x1F); text needs quotes")
        }
        return result
    }

    /// Digits with an optional point, which may come first or last, and an optional exponent; without the sign.
    private mutating func decimalText(from start: Int) throws(SyntaxError) -> String {
        let whole = try takeDigits()
        let hasPoint = cursor.take(UInt8(ascii: "."))
        let fraction = hasPoint ? try takeDigits() : ""
        guard !whole.isEmpty || !fraction.isEmpty else { throw cursor.expected("a digit") }
        guard whole.count < 2 || !whole.utf8.starts(with: "0".utf8) else {
            throw cursor.failure(at: start, "a number does not start with 0 (put it in quotes if it is text)")
        }
        var text = whole.isEmpty ? "0" : whole
        if !fraction.isEmpty { text += "." + fraction }
        let exponent = cursor.offset
        if cursor.take(UInt8(ascii: "e")) || cursor.take(UInt8(ascii: "E")) {
            if !cursor.take(UInt8(ascii: "-")) { _ = cursor.take(UInt8(ascii: "+")) }
            guard try !takeDigits().isEmpty else { throw cursor.expected("the digits of an exponent") }
            text += try cursor.text(exponent..<cursor.offset)
        }
        return text
    }

    /// The digits after `0x`, as a decimal number; beyond 64 bits the nearest `Double`, which is all that JavaScript would keep.
    private mutating func hexadecimalNumber(isNegative: Bool) throws(SyntaxError) -> LocatedValue.Kind {
        let start = cursor.offset
        while cursor.current?.hexadecimalValue != nil { cursor.offset += 1 }
        guard cursor.offset > start else { throw cursor.expected("a hexadecimal digit") }
        let digits = try cursor.text(start..<cursor.offset)
        let sign = isNegative ? "-" : ""
        if let value = UInt64(digits, radix: 16) { return .number(NumberText(checked: sign + String(value))) }
        guard let value = Double(sign + "0x" + digits), let number = NumberText(value) else {
            return .nonFinite(isNegative ? -.infinity : .infinity)
        }
        return .number(number)
    }

    private mutating func takeDigits() throws(SyntaxError) -> String {
        let end = NumberGrammar.digits(in: cursor.bytes, from: cursor.offset)
        defer { cursor.offset = end }
        return try cursor.text(cursor.offset..<end)
    }
}
