internal import Glibc
internal import HTTP
internal import Sockets

/// Values that a provider needs in a list field of the client's own (`anthropic-beta: oauth-2025-04-20`): each is added once, to
/// the client's last field of that name, or in a field of our own when there is none. What the client sent keeps its order.
struct FieldMerge: Sendable {
    /// In lower case, as it is written where the client sent no such field.
    let name: [UInt8]
    let values: [[UInt8]]

    /// Writes the field at `index`, with what is missing if it is the last of its name.
    func write(_ field: FieldLine, at index: Int, _ head: borrowing RequestHead, _ bytes: RawSpan, to output: inout ByteQueue) {
        output.append(bytes.extracting(field.nameRange))
        output.append(": ")
        output.append(bytes.extracting(field.valueRange))
        if lastIndex(head, bytes) == index {
            var separated = !field.valueRange.isEmpty
            for value in values where !isPresent(value, head, bytes) {
                if separated { output.append(",") }
                output.append(value)
                separated = true
            }
        }
        output.append("\r\n")
    }

    /// Writes a field of our own when the client sent none.
    func writeIfAbsent(_ head: borrowing RequestHead, _ bytes: RawSpan, to output: inout ByteQueue) {
        guard lastIndex(head, bytes) == nil else { return }
        output.append(name)
        output.append(": ")
        for (position, value) in values.enumerated() {
            if position > 0 { output.append(",") }
            output.append(value)
        }
        output.append("\r\n")
    }

    /// Whether `field` is one of those that values are added to.
    @inline(__always)
    func concerns(_ field: FieldLine, of bytes: RawSpan) -> Bool { FieldText.equals(bytes, field.nameRange, name) }

    private func lastIndex(_ head: borrowing RequestHead, _ bytes: RawSpan) -> Int? {
        var found: Int?
        for index in 0..<head.fieldCount where isPassedOn(head[index]) && concerns(head[index], of: bytes) { found = index }
        return found
    }

    private func isPassedOn(_ field: FieldLine) -> Bool { !field.isNamedInConnection }

    private func isPresent(_ value: [UInt8], _ head: borrowing RequestHead, _ bytes: RawSpan) -> Bool {
        for index in 0..<head.fieldCount where isPassedOn(head[index]) && concerns(head[index], of: bytes) {
            if FieldText.listContains(bytes, head[index].valueRange, value) { return true }
        }
        return false
    }
}

/// Comparing text in a head without making strings of it.
enum FieldText {
    /// Whether `range` spells `lowercase`, in any case.
    @inline(__always)
    static func equals(_ bytes: RawSpan, _ range: Range<Int>, _ lowercase: [UInt8]) -> Bool {
        guard range.count == lowercase.count else { return false }
        for offset in 0..<lowercase.count where lowered(byte(bytes, range.lowerBound + offset)) != lowercase[offset] { return false }
        return true
    }

    /// Whether the comma-separated list in `range` has `value` as a member (RFC 9110 §5.6.1).
    static func listContains(_ bytes: RawSpan, _ range: Range<Int>, _ value: [UInt8]) -> Bool {
        var start = range.lowerBound
        while start <= range.upperBound {
            var end = start
            while end < range.upperBound, byte(bytes, end) != UInt8(ascii: ",") { end += 1 }
            let member = trimmed(bytes, start..<end)
            if member.count == value.count, (0..<value.count).allSatisfy({ byte(bytes, member.lowerBound + $0) == value[$0] }) {
                return true
            }
            start = end + 1
        }
        return false
    }

    /// `range` without blanks at either end.
    static func trimmed(_ bytes: RawSpan, _ range: Range<Int>) -> Range<Int> {
        var first = range.lowerBound
        var last = range.upperBound
        while first < last, isBlank(byte(bytes, first)) { first += 1 }
        while last > first, isBlank(byte(bytes, last - 1)) { last -= 1 }
        return first..<last
    }

    /// Whether `range` is these very bytes.
    @inline(__always)
    static func isExactly(_ bytes: RawSpan, _ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        return unsafe bytes.extracting(range).withUnsafeBytes {
            unsafe memcmp($0.baseAddress.unsafelyUnwrapped, text.utf8Start, $0.count) == 0
        }
    }

    /// Whether `range` begins with `lowercase`, in any case.
    static func begins(_ bytes: RawSpan, _ range: Range<Int>, with lowercase: [UInt8]) -> Bool {
        range.count >= lowercase.count && equals(bytes, range.lowerBound..<range.lowerBound + lowercase.count, lowercase)
    }

    /// The text in `range`, for rare paths and messages.
    static func string(_ bytes: RawSpan, _ range: Range<Int>) -> String {
        unsafe bytes.extracting(range).withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }

    @inline(__always) static func byte(_ bytes: RawSpan, _ at: Int) -> UInt8 { unsafe bytes.unsafeLoad(fromByteOffset: at, as: UInt8.self) }
    @inline(__always) private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    @inline(__always) private static func lowered(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
}
