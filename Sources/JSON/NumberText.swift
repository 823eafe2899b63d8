/// A JSON number, kept as the text it was written in, so that `1.0`, `1e400` and integers of any length survive a round trip.
public struct NumberText: Sendable, Equatable, CustomStringConvertible {
    /// The number in the grammar of RFC 8259 §6, always.
    public let text: String

    /// A whole number.
    public init(_ value: Int64) { text = String(value) }

    /// A number written as JavaScript would read it back; nil for infinities and NaN, which JSON cannot express.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        if let whole = Int64(exactly: value), whole.magnitude < Self.exactlyDouble, whole != 0 || value.sign == .plus {
            text = String(whole)
        } else {
            text = String(value)
        }
    }

    /// A number given as text; nil when it is not in JSON's grammar.
    public init?(text: String) {
        let bytes = Array(text.utf8)
        guard NumberGrammar.end(in: bytes, from: 0) == bytes.count else { return nil }
        self.text = text
    }

    /// For readers, which have checked the text against the grammar.
    init(checked text: String) { self.text = text }

    /// The value as a whole number: also of `1.0` and `1e3`, below 2^53, where a `Double` still tells neighbours apart.
    /// Nil when there is a fraction or the value is out of range.
    public var int64: Int64? {
        if let whole = Int64(text) { return whole }
        guard let value = double, value.magnitude < Double(Self.exactlyDouble) else { return nil }
        return Int64(exactly: value)
    }

    /// The nearest `Double`; nil when the number is beyond its range.
    public var double: Double? {
        guard let value = Double(text), value.isFinite else { return nil }
        return value
    }

    /// The number's own text.
    public var description: String { text }

    /// 2^53: every whole number below has a `Double` that no other text rounds to.
    private static let exactlyDouble: UInt64 = 1 << 53
}

/// `[ "-" ] int [ frac ] [ exp ]`, RFC 8259 §6.
enum NumberGrammar {
    /// The offset after the longest number that starts at `start`; nil when none does.
    static func end(in bytes: [UInt8], from start: Int) -> Int? {
        var at = start
        if at < bytes.count, bytes[at] == UInt8(ascii: "-") { at += 1 }
        let whole = digits(in: bytes, from: at)
        // A leading zero stands alone: 01 is two tokens, and so an error for the caller.
        guard whole > at else { return nil }
        at = bytes[at] == UInt8(ascii: "0") ? at + 1 : whole
        if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
            let fraction = digits(in: bytes, from: at + 1)
            guard fraction > at + 1 else { return nil }
            at = fraction
        }
        if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
            var exponent = at + 1
            if exponent < bytes.count, bytes[exponent] == UInt8(ascii: "+") || bytes[exponent] == UInt8(ascii: "-") { exponent += 1 }
            let end = digits(in: bytes, from: exponent)
            guard end > exponent else { return nil }
            at = end
        }
        return at
    }

    /// The offset of the first byte from `start` on that is no decimal digit.
    static func digits(in bytes: [UInt8], from start: Int) -> Int {
        var at = start
        while at < bytes.count, bytes[at].isDigit { at += 1 }
        return at
    }
}
