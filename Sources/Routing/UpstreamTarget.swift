/// The parts of a client's target that go upstream: all of it but the query member `key`, which carries a client's credential.
///
/// An iterator over ranges of the target, so that a head is written without a copy. The member's name may be percent-encoded (`%6bey`).
/// Ranges that touch are given as one; when nothing is removed there is one range, and when nothing is left of the query, no `?`.
public struct UpstreamTarget: Sendable {
    private let path: Range<Int>
    /// The separator before the next member to look at: the `?`, an `&`, or the target's end.
    private var separator: Int
    private var pathIsGiven = false
    private var keepsMember = false
    private var nextPiece: Range<Int>?
    private var nextRange: Range<Int>?

    /// - Parameter restStart: `Route.restStart`.
    public init(of target: Span<UInt8>, restStart: Int) {
        var end = restStart
        while end < target.count, target[end] != .question { end += 1 }
        path = restStart..<end
        separator = end
    }

    /// Whether the rest begins with a slash. If not, and the base URL has no path either, a slash must be sent before it.
    public static func startsWithSlash(_ target: Span<UInt8>, restStart: Int) -> Bool {
        restStart < target.count && target[restStart] == .slash
    }

    /// The next range to send, never empty; `nil` at the end. Always called with the target it was made of.
    public mutating func next(in target: Span<UInt8>) -> Range<Int>? {
        guard var range = nextRange ?? piece(of: target) else { return nil }
        nextRange = nil
        while let piece = piece(of: target) {
            guard piece.lowerBound == range.upperBound else {
                nextRange = piece
                break
            }
            range = range.lowerBound..<piece.upperBound
        }
        return range
    }

    /// The path, then for each member that is kept its separator and itself.
    private mutating func piece(of target: Span<UInt8>) -> Range<Int>? {
        if !pathIsGiven {
            pathIsGiven = true
            if !path.isEmpty { return path }
        }
        if let piece = nextPiece {
            nextPiece = nil
            return piece
        }
        while separator < target.count {
            let start = separator + 1
            var end = start
            while end < target.count, target[end] != UInt8(ascii: "&") { end += 1 }
            // The first member that is kept is introduced by the query's own `?`, wherever it stood.
            let mark = keepsMember ? separator : path.upperBound
            separator = end
            guard !Self.isKey(start..<end, in: target) else { continue }
            keepsMember = true
            if start < end { nextPiece = start..<end }
            return mark..<(mark + 1)
        }
        return nil
    }

    /// The value of the first member `key` of the query that begins at `question`.
    public static func key(in target: Span<UInt8>, from question: Int) -> Range<Int>? {
        var start = question + 1
        while start <= target.count {
            var end = start
            while end < target.count, target[end] != UInt8(ascii: "&") { end += 1 }
            if isKey(start..<end, in: target) {
                var value = start
                while value < end, target[value] != UInt8(ascii: "=") { value += 1 }
                return min(value + 1, end)..<end
            }
            start = end + 1
        }
        return nil
    }

    /// Whether a member's name, percent-decoded, is `key`.
    private static func isKey(_ member: Range<Int>, in target: Span<UInt8>) -> Bool {
        let key: InlineArray<3, UInt8> = [UInt8(ascii: "k"), UInt8(ascii: "e"), UInt8(ascii: "y")]
        var position = member.lowerBound
        for letter in key.indices {
            guard position < member.upperBound else { return false }
            if target[position] == key[letter] {
                position += 1
            } else if target[position] == .percent, PercentText.escape(in: target, at: position) == key[letter] {
                position += 3
            } else {
                return false
            }
        }
        return position == member.upperBound || target[position] == UInt8(ascii: "=")
    }
}
