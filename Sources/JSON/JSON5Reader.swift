/// Reads JSON5 (spec.json5.org, version 1.0.0), the language of the settings files: JSON with comments, trailing commas, bare names,
/// single quotes, line continuations and wider numbers. Every value carries its place.
public enum JSON5Reader {
    /// The value that `bytes` (UTF-8) hold. Two members of one name in one object are an error that names both lines.
    public static func parse(_ bytes: [UInt8]) throws(SyntaxError) -> LocatedValue {
        var parser = JSON5Parser(cursor: Cursor(bytes))
        return try parser.document()
    }
}

/// One pass over a document: what nests, and the white space between. Strings, names and numbers are in JSON5Parser+Scalars.swift.
struct JSON5Parser {
    var cursor: Cursor
    private var lines = LineCounter()

    init(cursor: Cursor) { self.cursor = cursor }

    mutating func document() throws(SyntaxError) -> LocatedValue {
        try skipSpace()
        let result = try value()
        try skipSpace()
        guard cursor.current == nil else { throw cursor.expected("the end of the file after the value") }
        return result
    }

    private mutating func value() throws(SyntaxError) -> LocatedValue {
        let place = lines.locate(cursor.offset, in: cursor.bytes)
        return LocatedValue(try kind(), line: place.line, column: place.column)
    }

    private mutating func kind() throws(SyntaxError) -> LocatedValue.Kind {
        guard let byte = cursor.current else { throw cursor.expected("a value") }
        switch byte {
        case .openBrace: return .object(try members())
        case .openBracket: return .array(try elements())
        case .quote, .apostrophe: return .string(try string())
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."): return try number()
        default: return try word()
        }
    }

    /// `{ name: value, … }`, from its brace on; a comma may stand before the closing one.
    private mutating func members() throws(SyntaxError) -> [LocatedValue.Member] {
        cursor.offset += 1
        try cursor.open()
        var members: [LocatedValue.Member] = []
        var positions: [ExactName: Int] = [:]
        try skipSpace()
        while !cursor.take(.closeBrace) {
            let start = cursor.offset
            let place = lines.locate(start, in: cursor.bytes)
            let name = try memberName()
            if let earlier = positions.updateValue(members.count, forKey: ExactName(name)) {
                throw cursor.failure(
                    at: start, "\"\(name)\" is given twice: on line \(members[earlier].line) and again on line \(place.line); keep one")
            }
            try skipSpace()
            guard cursor.take(.colon) else { throw cursor.expected("':' after the member's name") }
            try skipSpace()
            members.append(LocatedValue.Member(name: name, line: place.line, column: place.column, value: try value()))
            try skipSpace()
            guard cursor.take(.comma) else {
                guard cursor.take(.closeBrace) else { throw cursor.expected("',' or '}' after the member") }
                break
            }
            try skipSpace()
        }
        cursor.close()
        return members
    }

    /// `[ value, … ]`, from its bracket on; a comma may stand before the closing one.
    private mutating func elements() throws(SyntaxError) -> [LocatedValue] {
        cursor.offset += 1
        try cursor.open()
        var elements: [LocatedValue] = []
        try skipSpace()
        while !cursor.take(.closeBracket) {
            elements.append(try value())
            try skipSpace()
            guard cursor.take(.comma) else {
                guard cursor.take(.closeBracket) else { throw cursor.expected("',' or ']' after the element") }
                break
            }
            try skipSpace()
        }
        cursor.close()
        return elements
    }

    /// `true`, `false`, `null`, `Infinity` or `NaN`. Any other bare word was probably meant as a string; it isn't repeated in the
    /// message, for it may be a secret.
    private mutating func word() throws(SyntaxError) -> LocatedValue.Kind {
        let start = cursor.offset
        guard let scalar = UTF8Text.scalar(in: cursor.bytes, at: start)?.scalar, JSON5Characters.startsName(scalar) else {
            throw cursor.expected("a value ({, [, a string in quotes, a number, true, false or null)")
        }
        let word = try bareName()
        // An escape spells a member's name, never a literal.
        guard cursor.offset - start == word.utf8.count else { throw cursor.failure(at: start, "a string must stand in quotes") }
        switch word {
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "null": return .null
        case "Infinity": return .nonFinite(.infinity)
        case "NaN": return .nonFinite(.nan)
        default: throw cursor.failure(at: start, "a string must stand in quotes; the only words are true, false and null")
        }
    }

    /// White space, line ends and comments.
    mutating func skipSpace() throws(SyntaxError) {
        while let byte = cursor.current {
            if byte == UInt8(ascii: "/") {
                try skipComment()
            } else if byte < 0x80 {
                guard 0x09...0x0D ~= byte || byte == .space else { return }
                cursor.offset += 1
            } else {
                guard let (scalar, length) = UTF8Text.scalar(in: cursor.bytes, at: cursor.offset),
                    JSON5Characters.isSpace(scalar)
                else { return }
                cursor.offset += length
            }
        }
    }

    private mutating func skipComment() throws(SyntaxError) {
        let start = cursor.offset
        if cursor.take(word: "//") {
            while cursor.current != nil, !isAtLineEnd { cursor.offset += 1 }
        } else if cursor.take(word: "/*") {
            while !cursor.take(word: "*/") {
                guard cursor.current != nil else { throw cursor.failure(at: start, "this comment is not closed; expected '*/'") }
                cursor.offset += 1
            }
        } else {
            throw cursor.failure(at: start, "expected '//' or '/*' for a comment, found a single '/'")
        }
    }

    /// Whether a line terminator (LF, CR, U+2028, U+2029) stands here.
    private var isAtLineEnd: Bool {
        switch cursor.current {
        case .lineFeed, .carriageReturn: true
        case 0xE2: JSON5Characters.isLineSeparator(in: cursor.bytes, at: cursor.offset)
        default: false
        }
    }
}
