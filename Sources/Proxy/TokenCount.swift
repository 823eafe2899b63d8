internal import HTTP

/// Reads from an answer how many tokens it has cost, in whatever form a provider tells it: a name and a number, anywhere in a JSON object or
/// in the events of a stream. Running totals are told several times, so that of each the greatest counts.
struct TokenCount: BitwiseCopyable {
    private enum State { case outside, name, behindName, colon, number }
    /// The numbers that providers tell. Those of `parts` are added up; a total stands for them where it is greater.
    private static let parts: [StaticString] = [
        "input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "prompt_tokens", "completion_tokens",
        "promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount",
    ]
    private static let totals: [StaticString] = ["total_tokens", "totalTokenCount"]
    private static let longest = 27

    private var state = State.outside
    private var isEscaped = false
    private var name = InlineArray<27, UInt8>(repeating: 0)
    private var length = 0
    private var number: Int64 = 0
    private var found = InlineArray<11, Int64>(repeating: 0)
    /// The answer told some.
    private(set) var isTold = false

    /// What it has cost, as far as it was told.
    var tokens: Int64 {
        var sum: Int64 = 0
        for at in 0..<Self.parts.count { sum &+= found[at] }
        for at in 0..<Self.totals.count { sum = max(sum, found[Self.parts.count + at]) }
        return sum
    }

    /// What an answer that tells nothing is taken to have cost, by the octets of request and answer: a token is about four.
    static func estimate(octets: Int) -> Int64 { Int64(octets + 3) / 4 }

    mutating func feed(_ run: RawSpan) {
        for at in 0..<run.byteCount { feed(FieldText.byte(run, at)) }
    }

    @inline(__always)
    private mutating func feed(_ byte: UInt8) {
        switch state {
        case .outside: begin(byte)
        case .name: readName(byte)
        case .behindName:
            switch byte {
            case UInt8(ascii: ":"): state = .colon
            case 0x20, 0x09, 0x0a, 0x0d: break
            default:
                state = .outside
                begin(byte)
            }
        case .colon: readFirstDigit(byte)
        case .number: readDigit(byte)
        }
    }

    /// A quote begins a name, but not one within a string's text.
    private mutating func begin(_ byte: UInt8) {
        if byte == UInt8(ascii: "\""), !isEscaped {
            state = .name
            length = 0
        }
        isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
    }

    private mutating func readName(_ byte: UInt8) {
        if byte == UInt8(ascii: "\"") {
            state = .behindName
        } else if length < Self.longest, byte == UInt8(ascii: "_") || byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z") {
            name[length] = byte
            length += 1
        } else {
            state = .outside
            isEscaped = byte == UInt8(ascii: "\\")
        }
    }

    private mutating func readFirstDigit(_ byte: UInt8) {
        switch byte {
        case 0x20, 0x09, 0x0a, 0x0d: break
        case 0x30...0x39:
            number = Int64(byte - 0x30)
            state = .number
        default:
            state = .outside
            begin(byte)
        }
    }

    private mutating func readDigit(_ byte: UInt8) {
        if (0x30...0x39).contains(byte) {
            number = min(number, 1 << 50) * 10 + Int64(byte - 0x30)
            return
        }
        keep()
        state = .outside
        begin(byte)
    }

    private mutating func keep() {
        for at in 0..<Self.parts.count where spells(Self.parts[at]) { return keep(at) }
        for at in 0..<Self.totals.count where spells(Self.totals[at]) { return keep(Self.parts.count + at) }
    }
    private mutating func keep(_ place: Int) {
        found[place] = max(found[place], number)
        isTold = true
    }

    private func spells(_ text: StaticString) -> Bool {
        guard text.utf8CodeUnitCount == length else { return false }
        let count = length
        let name = name
        return text.withUTF8Buffer { text in
            for at in 0..<count where unsafe text[at] != name[at] { return false }
            return true
        }
    }
}
