/// Writes JSON as JavaScript's `JSON.stringify` does: UTF-8 as it is, and an escape only where RFC 8259 §7 demands one.
public enum Writer {
    /// Without any white space.
    public static func compact(_ value: Value) -> [UInt8] {
        var output = Output(indents: false)
        output.write(value)
        return output.bytes
    }

    /// Two spaces a level and a final line feed: the layout in which Moltbot writes its files (`JSON.stringify(v, null, 2) + "\n"`).
    public static func pretty(_ value: Value) -> [UInt8] {
        var output = Output(indents: true)
        output.write(value)
        output.bytes.append(.lineFeed)
        return output.bytes
    }
}

/// A document as far as it is written.
private struct Output {
    var bytes: [UInt8] = []
    let indents: Bool
    private var level = 0

    init(indents: Bool) { self.indents = indents }

    mutating func write(_ value: Value) {
        switch value {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let truth): bytes.append(contentsOf: truth ? "true".utf8 : "false".utf8)
        case .number(let number): bytes.append(contentsOf: number.text.utf8)
        case .string(let text): write(text)
        case .array(let elements):
            write(elements, between: .openBracket, and: .closeBracket, isEmpty: elements.isEmpty) { $0.write($1) }
        case .object(let object):
            write(object, between: .openBrace, and: .closeBrace, isEmpty: object.isEmpty) { output, member in
                output.write(member.name)
                output.bytes.append(.colon)
                if output.indents { output.bytes.append(.space) }
                output.write(member.value)
            }
        }
    }

    /// An array or object. Empty ones are `[]` and `{}` in both layouts.
    private mutating func write<Items: Sequence>(
        _ items: Items, between open: UInt8, and close: UInt8, isEmpty: Bool, item: (inout Output, Items.Element) -> Void
    ) {
        bytes.append(open)
        if !isEmpty {
            level += 1
            var isFirst = true
            for element in items {
                if !isFirst { bytes.append(.comma) }
                isFirst = false
                breakLine()
                item(&self, element)
            }
            level -= 1
            breakLine()
        }
        bytes.append(close)
    }

    private mutating func breakLine() {
        guard indents else { return }
        bytes.append(.lineFeed)
        bytes.append(contentsOf: repeatElement(.space, count: 2 * level))
    }

    private mutating func write(_ text: String) {
        bytes.append(.quote)
        for byte in text.utf8 {
            switch byte {
            case .quote: escape("\"")
            case .backslash: escape("\\")
            case 0x08: escape("b")
            case 0x0C: escape("f")
            case .lineFeed: escape("n")
            case .carriageReturn: escape("r")
            case .tab: escape("t")
            case 0..<0x20:
                bytes.append(contentsOf: byte < 0x10 ? "\\u000".utf8 : "\\u00".utf8)
                bytes.append(contentsOf: String(byte, radix: 16).utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(.quote)
    }

    private mutating func escape(_ letter: Unicode.Scalar) {
        bytes.append(.backslash)
        bytes.append(UInt8(ascii: letter))
    }
}
