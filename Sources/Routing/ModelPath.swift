/// The model that a path names: `…/models/<model>[@<profile>][:<method>]`, as Gemini's API has it. Ranges are in the target.
public struct ModelPath: Sendable, Equatable {
    /// The model's name, percent-encoded as the client wrote it, without what follows its first `@`.
    public let model: Range<Int>
    /// From the `@` to the end of what follows it. `nil`: there is no `@`, or it leads the name.
    public let suffix: Range<Int>?
    /// What follows the `@`.
    public let profile: Range<Int>?

    /// The model in a target's path from `start` on.
    ///
    /// - Parameter hasMethod: whether the name ends at the segment's last colon. A GET has no method behind it.
    public static func find(in target: Span<UInt8>, from start: Int, hasMethod: Bool) -> ModelPath? {
        guard let name = PathSegments.segment(after: "models", in: target, from: start) else { return nil }
        var end = name.upperBound
        if hasMethod, let colon = lastColon(in: name, of: target) { end = colon }
        var at = name.lowerBound + 1
        while at < end {
            let isEscaped = target[at] == .percent && PercentText.escape(in: target, at: at) == .at
            if target[at] == .at || isEscaped {
                let behind = at + (isEscaped ? 3 : 1)
                guard behind <= end else { break }
                return ModelPath(model: name.lowerBound..<at, suffix: at..<end, profile: behind..<end)
            }
            at += 1
        }
        return end > name.lowerBound ? ModelPath(model: name.lowerBound..<end, suffix: nil, profile: nil) : nil
    }

    private static func lastColon(in segment: Range<Int>, of target: Span<UInt8>) -> Int? {
        var at = segment.upperBound - 1
        while at >= segment.lowerBound {
            if target[at] == .colon { return at }
            at -= 1
        }
        return nil
    }
}

/// Looking into a path segment by segment.
enum PathSegments {
    /// The segment behind the first one that is `name`; nil when it is empty or not there.
    static func segment(after name: StaticString, in target: Span<UInt8>, from start: Int) -> Range<Int>? {
        var isNext = false
        var at = start
        while let segment = next(in: target, from: &at) {
            if isNext { return segment.isEmpty ? nil : segment }
            isNext = spells(name, segment, in: target)
        }
        return nil
    }

    /// The segment that begins at or after `at`; moves `at` to its end. Nil at the path's end.
    static func next(in target: Span<UInt8>, from at: inout Int) -> Range<Int>? {
        guard at < target.count, target[at] != .question else { return nil }
        let start = target[at] == .slash ? at + 1 : at
        var end = start
        while end < target.count, target[end] != .slash, target[end] != .question { end += 1 }
        at = end
        return start..<end
    }

    static func spells(_ name: StaticString, _ range: Range<Int>, in target: Span<UInt8>) -> Bool {
        guard range.count == name.utf8CodeUnitCount else { return false }
        return name.withUTF8Buffer { letters in
            for offset in 0..<range.count where unsafe letters[offset] != target[range.lowerBound + offset] { return false }
            return true
        }
    }
}
