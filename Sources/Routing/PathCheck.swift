/// The check every path passes before it means anything: what some server might resolve to another path is refused.
enum PathCheck {
    /// What a look at the target found.
    enum Result {
        /// The path is safe; it ends before this offset, where the query's `?` stands or the target ends.
        case path(end: Int)
        case flaw(RouteError)
    }

    /// Looks at the path once, from its first byte to its last. The query is left alone.
    static func run(_ target: Span<UInt8>) -> Result {
        guard target.count > 0, target[0] == .slash else { return .flaw(.notOriginForm) }
        guard target.count == 1 || target[1] != .slash else { return .flaw(.doubleSlash) }
        var position = 0
        // How many dots the segment consists of so far; `notDots` once it holds anything else.
        var dots = 0
        let notDots = -1
        while position < target.count {
            var byte = target[position]
            if byte == .question { break }
            if byte == .backslash { return .flaw(.backslash) }
            position += 1
            if byte == .percent, let escaped = PercentText.escape(in: target, at: position - 1) {
                byte = escaped
                position += 2
            }
            switch byte {
            // An encoded slash or backslash may pass, but not to hide a `..` from us that a server sees after decoding.
            case .slash, .backslash:
                if dots == 1 || dots == 2 { return .flaw(.dotSegment) }
                dots = 0
            case .dot: if dots != notDots { dots += 1 }
            default: dots = notDots
            }
        }
        return dots == 1 || dots == 2 ? .flaw(.dotSegment) : .path(end: position)
    }
}
