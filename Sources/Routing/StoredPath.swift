/// What a path says of things that a provider keeps for an account: answers, files, batches, conversations.
public enum StoredPath: Sendable, Equatable {
    /// Nothing.
    case none
    /// A POST makes one, and the answer names it.
    case collection
    /// It is about the one of this id; the range is in the target.
    case item(Range<Int>)

    /// Looks at a target's path from `start` on.
    public static func find(in target: Span<UInt8>, from start: Int) -> StoredPath {
        var at = start
        var found = StoredPath.none
        while let segment = PathSegments.next(in: target, from: &at) {
            if found == .collection, !segment.isEmpty { return .item(segment) }
            if isCollection(segment, in: target) { found = .collection }
        }
        return found
    }

    private static func isCollection(_ segment: Range<Int>, in target: Span<UInt8>) -> Bool {
        switch segment.count {
        case 5: PathSegments.spells("files", segment, in: target)
        case 7: PathSegments.spells("batches", segment, in: target)
        case 9: PathSegments.spells("responses", segment, in: target)
        case 13: PathSegments.spells("conversations", segment, in: target)
        default: false
        }
    }
}
