// Strings of a scanned text: their ends, and whether they are the name of something that is wanted.

extension MemberScanner {
    /// Goes on in a string. Answers the offset to go on at: after its closing quote, or the piece's end.
    mutating func string(_ text: TextPiece, _ start: Int) -> Int {
        var at = start
        while at < text.count {
            if name.isInEscape {
                name.takeEscaped(text[at])
                at += 1
                continue
            }
            if !name.isCollecting, at + BlockReader.size <= text.count {
                at = passOver(text, at)
                guard state == .string else { return at }
                if name.isInEscape { continue }
            }
            // No name that is wanted is longer than the limit: a longer string is then passed over by blocks.
            let limit = min(text.count, at + BlockReader.size / 2)
            let end = text.endOfPlain(from: at, to: limit)
            let isWhole = end < limit && text[end] == .quote
            if name.isCollecting { name.append(text, at..<end) }
            at = end
            guard end < limit else { continue }
            at += 1
            if isWhole {
                ended(at: offset + end)
                return at
            }
            isEscaped = true
            name.beginEscape()
        }
        return at
    }

    /// By whole blocks: below the top level, where nothing is wanted, over any number of strings; else to this one's closing quote.
    private mutating func passOver(_ text: TextPiece, _ start: Int) -> Int {
        var at = start
        var blocks = BlockReader(isInString: true)
        if role == .nested, mayPassOverNested {
            at = blocks.passOverNested(text, from: at, depth: &depth)
            guard blocks.isInString else {
                state = .nested
                return at
            }
        }
        at = blocks.passOverString(text, from: at)
        if blocks.sawBackslash { isEscaped = true }
        if blocks.isEscaped { name.beginEscape() }
        return at
    }

    @inline(__always)
    func mayBeWantedBelow(length: Int) -> Bool {
        length == wanted.anywhere.utf8CodeUnitCount || insideOf >= 0 && depth == 2 && length == wanted.inside.utf8CodeUnitCount
    }

    /// The string has ended before the quote at `end`.
    private mutating func ended(at end: Int) {
        switch role {
        case .name:
            current = topName()
            if current >= 0, found[current].times < .max { found[current].times += 1 }
            state = .colon
        case .wantedValue:
            note(current, end)
            state = .after
        case .value: state = .after
        case .nested:
            state = .nested
            if insideOf >= 0, depth == 2, name.spells(wanted.inside) {
                role = .insideValue
                state = .nestedColon
            } else if name.spells(wanted.anywhere) {
                role = .reference
                state = .nestedColon
            }
        case .insideValue:
            note(insideOf, end)
            state = .nested
        case .reference:
            if referenceCount < 4 {
                references[referenceCount] = Found(times: 1, isString: true, isEscaped: isEscaped, start: stringStart, end: end)
                referenceCount += 1
            }
            state = depth == 1 ? .after : .nested
        }
    }

    /// Which wanted name has just been read: its place in `top`, -2 for `anywhere`'s, -1 for none.
    private func topName() -> Int {
        for index in 0..<5 where name.spells(wanted.top[index]) { return index }
        return name.spells(wanted.anywhere) ? -2 : -1
    }

    /// The first value counts: a second one is told by `times` alone.
    private mutating func note(_ index: Int, _ end: Int) {
        guard found[index].times == 1, !found[index].isString else { return }
        found[index] = Found(times: 1, isString: true, isEscaped: isEscaped, start: stringStart, end: end)
    }
}

/// The decoded text of a string for as long as it may be a name that is wanted.
struct NameBuffer: Sendable {
    private static var capacity: Int { 24 }
    private var bytes = InlineArray<24, UInt8>(repeating: 0)
    private var count = 0
    /// 0: outside of escapes; 1: after a backslash; 2-5: hexadecimal digits of `\u` to come, and one.
    private var escape: UInt8 = 0
    private var value: UInt32 = 0
    /// False once the string is known to be no wanted name, or is a value.
    private(set) var isCollecting = false

    init() {}
    @inline(__always)
    init(isCollecting: Bool) { self.isCollecting = isCollecting }

    var isInEscape: Bool { @inline(__always) get { escape != 0 } }

    mutating func giveUp() { isCollecting = false }

    @inline(__always)
    mutating func append(_ text: TextPiece, _ range: Range<Int>) {
        guard count + range.count <= Self.capacity else { return giveUp() }
        for at in range {
            bytes[count] = text[at]
            count += 1
        }
    }

    mutating func beginEscape() { escape = 1 }

    /// The byte after a backslash, or a digit of its `\u`. A value's escape is over with its first byte: digits are plain text.
    mutating func takeEscaped(_ byte: UInt8) {
        if escape == 1 {
            escape = 0
            guard isCollecting else { return }
            switch byte {
            case UInt8(ascii: "u"):
                escape = 5
                value = 0
            case .quote, .backslash, UInt8(ascii: "/"): append(byte)
            default: giveUp()  // no wanted name has a control character
            }
            return
        }
        guard let digit = byte.hexadecimalValue else {
            escape = 0
            return giveUp()
        }
        value = value << 4 | UInt32(digit)
        escape -= 1
        guard escape == 1 else { return }
        escape = 0
        if value < 0x80 { append(UInt8(value)) } else { giveUp() }
    }

    private mutating func append(_ byte: UInt8) {
        guard count < Self.capacity else { return giveUp() }
        bytes[count] = byte
        count += 1
    }

    @inline(__always)
    func spells(_ text: StaticString) -> Bool {
        guard isCollecting, count > 0, text.utf8CodeUnitCount == count else { return false }
        return text.withUTF8Buffer { letters in
            for index in 0..<count where unsafe letters[index] != bytes[index] { return false }
            return true
        }
    }
}
