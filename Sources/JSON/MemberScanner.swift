/// Finds a few members of the object that a JSON text is, without building a tree and without allocating: fed the text in pieces of any
/// size, as it arrives, it tells where the values stand.
///
///     start ──{──▶ member ──"name"──▶ colon ──▶ value ──▶ after ──,──▶ member
///                                                │ { or [             └──}──▶ over
///                                                └──▶ nested … depth back at 1 ──▶ after
///
/// It validates only what it needs to find its way at the top level; below, it counts brackets and steps over strings. A text that is no
/// object, or breaks the grammar at the top level, is over at once, and what was found before stands.
public struct MemberScanner: Sendable, BitwiseCopyable {
    /// What is looked for; names of at most 24 octets.
    public struct Wanted: Sendable, BitwiseCopyable {
        /// Members of the object itself. An empty name is none.
        public var top: InlineArray<5, StaticString>
        /// Where one of those is an object, its member of this name counts as the value (`"conversation": {"id": …}`).
        public var inside: StaticString
        /// A member of this name counts wherever it stands, however deep: `references`.
        public var anywhere: StaticString

        /// What is looked for.
        public init(top: InlineArray<5, StaticString>, inside: StaticString = "", anywhere: StaticString = "") {
            self.top = top
            self.inside = inside
            self.anywhere = anywhere
        }
    }

    /// Where a wanted member's value stands in the whole text.
    public struct Found: Sendable, Equatable, BitwiseCopyable {
        /// How often the name occurred at the top level, up to 255; the rest tells of the first.
        public internal(set) var times: UInt8 = 0
        /// Whether the value is a string that has ended.
        public internal(set) var isString = false
        /// Whether there are escapes between its quotes.
        public internal(set) var isEscaped = false
        /// The string's first byte after its opening quote, and its closing quote.
        public internal(set) var start = 0, end = 0

        /// Where the string's content stands.
        public var range: Range<Int> { start..<end }
    }
    /// What is known of a member that does not occur.
    public static var nothing: Found { Found() }

    enum State: UInt8 { case start, firstMember, member, colon, value, scalar, string, after, nested, nestedColon, nestedValue, over }
    enum Role: UInt8 { case name, wantedValue, value, nested, insideValue, reference }

    let wanted: Wanted
    /// The strings under `Wanted.anywhere`; of more than four the first four.
    public internal(set) var references = InlineArray<4, Found>(repeating: Found())
    /// How many of them there are.
    public internal(set) var referenceCount = 0
    /// How much of the text has been fed.
    public private(set) var offset = 0

    var state = State.start
    var role = Role.name
    var found = InlineArray<5, Found>(repeating: Found())
    /// The wanted member whose value is being read; -1: another one's, -2: a reference's.
    var current = -1
    /// The wanted member whose object is open at depth 2; -1: none.
    var insideOf = -1
    var depth = 0
    /// The string being read: where its content starts, whether it had escapes, and its decoded text while it may yet be a wanted name.
    var stringStart = 0
    var isEscaped = false
    var name = NameBuffer()

    /// Before the first byte.
    public init(_ wanted: Wanted) { self.wanted = wanted }

    /// Whether nothing more will be found: the object has ended, or there is none.
    public var isOver: Bool { state == .over }

    /// What is known of the wanted member with this place in `Wanted.top`.
    public subscript(index: Int) -> Found { found[index] }

    /// Reads on.
    public mutating func feed(_ piece: RawSpan) {
        if state != .over {
            unsafe piece.withUnsafeBytes { bytes in
                guard let text = unsafe TextPiece(bytes) else { return }
                read(text)
            }
        }
        offset += piece.byteCount
    }

    private mutating func read(_ text: TextPiece) {
        var at = 0
        while at < text.count, state != .over {
            switch state {
            case .string: at = string(text, at)
            case .nested: at = nested(text, at)
            case .scalar: at = scalar(text, at)
            default:
                at = text.endOfSpace(from: at)
                guard at < text.count else { return }
                at = step(text[at], at)
            }
        }
    }

    /// One byte that is no white space, between values. Answers the offset to go on at.
    private mutating func step(_ byte: UInt8, _ at: Int) -> Int {
        switch (state, byte) {
        case (.start, .openBrace):
            depth = 1
            state = .firstMember
        // A byte order mark, which RFC 8259 §8.1 lets a reader pass over; its three bytes occur nowhere else here.
        case (.start, 0xEF) where offset + at == 0, (.start, 0xBB) where offset + at == 1, (.start, 0xBF) where offset + at == 2: break
        case (.firstMember, .quote), (.member, .quote): begin(.name, at)
        case (.colon, .colon): state = .value
        case (.value, .quote): begin(current == -1 ? .value : current == -2 ? .reference : .wantedValue, at)
        case (.value, .openBrace), (.value, .openBracket):
            insideOf = byte == .openBrace ? current : -1
            depth = 2
            state = .nested
        case (.value, .comma), (.value, .closeBrace), (.value, .colon), (.value, .closeBracket): state = .over
        case (.value, _): state = .scalar
        case (.after, .comma): state = .member
        case (.nestedColon, .colon): state = .nestedValue
        case (.nestedValue, .quote): begin(role, at)
        case (.nestedColon, _), (.nestedValue, _):
            state = .nested
            return at
        // The object's end, or what no object has here.
        default: state = .over
        }
        return at + 1
    }

    /// A number or a word: to the comma or brace behind it.
    private mutating func scalar(_ text: TextPiece, _ start: Int) -> Int {
        var at = start
        while at < text.count, text[at] != .comma, text[at] != .closeBrace { at += 1 }
        if at < text.count { state = .after }
        return at
    }

    /// Nothing is wanted in the value that is open, so that whole blocks of it can be passed over.
    var mayPassOverNested: Bool { @inline(__always) get { insideOf < 0 && wanted.anywhere.utf8CodeUnitCount == 0 } }

    /// Inside a value at depth 2 or more: counts brackets, to the next string or back to the top.
    private mutating func nested(_ text: TextPiece, _ start: Int) -> Int {
        var at = start
        if mayPassOverNested {
            var blocks = BlockReader(isInString: false)
            at = blocks.passOverNested(text, from: at, depth: &depth)
            if blocks.isInString {
                begin(.nested, at)
                if blocks.isEscaped { name.beginEscape() }
                return at
            }
        }
        while true {
            at = text.endOfFiller(from: at)
            guard at < text.count else { return at }
            switch text[at] {
            case .quote:
                // Most strings here are short and no name of ours: their length tells.
                let end = text.endOfPlain(from: at + 1, to: min(text.count, at + 33))
                guard end < text.count, text[end] == .quote, !mayBeWantedBelow(length: end - at - 1) else {
                    begin(.nested, at)
                    return at + 1
                }
                at = end
            case .openBrace, .openBracket: depth += 1
            default:
                depth -= 1
                if depth == 1 {
                    insideOf = -1
                    state = .after
                    return at + 1
                }
            }
            at += 1
        }
    }

    /// A string opens at `at`.
    @inline(__always)
    private mutating func begin(_ role: Role, _ at: Int) {
        self.role = role
        state = .string
        stringStart = offset + at + 1
        isEscaped = false
        name = NameBuffer(isCollecting: role == .name || role == .nested && !mayPassOverNested)
    }
}
