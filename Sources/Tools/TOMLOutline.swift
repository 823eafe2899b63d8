/// What stands where in a TOML document, as far as an editor that leaves everything else alone has to know.
struct TOMLOutline: Equatable {
    /// `[table]` or `[[table]]`.
    struct Header: Equatable {
        let path: [String]
        let isArray: Bool
        /// The offset of its first bracket.
        let offset: Int
    }

    /// `key = value`.
    struct Assignment: Equatable {
        /// The table it stands in, then its own key's parts.
        let path: [String]
        /// Whether it stands before the first header.
        let isRoot: Bool
        /// From the first byte of the key to behind the value.
        let range: Range<Int>
        /// The value, if it is a string.
        let string: String?
    }

    var headers: [Header] = []
    var assignments: [Assignment] = []

    /// The root's own `key`, of one part.
    func root(_ key: String) -> Assignment? { assignments.first { $0.isRoot && $0.path == [key] } }

    /// Whether anything is defined at `path` or below it.
    func defines(_ path: [String]) -> Bool {
        headers.contains { $0.path.starts(with: path) } || assignments.contains { $0.path.starts(with: path) }
    }

    /// The first name that is defined twice, which TOML forbids.
    var duplicate: [String]? {
        var seen: Set<[String]> = []
        var arrays: Set<[String]> = []
        for header in headers {
            if header.isArray {
                arrays.insert(header.path)
            } else if !isBelow(arrays, header.path), !seen.insert(header.path).inserted {
                return header.path
            }
        }
        var keys: Set<[String]> = []
        for assignment in assignments where !isBelow(arrays, assignment.path) {
            if !keys.insert(assignment.path).inserted || seen.contains(assignment.path) { return assignment.path }
        }
        return nil
    }

    /// Every element of an array of tables may have the same names.
    private func isBelow(_ arrays: Set<[String]>, _ path: [String]) -> Bool { arrays.contains { path.starts(with: $0) } }
}

/// A document that is not TOML.
struct TOMLError: Error, Equatable {
    let line: Int
    let message: String
}
