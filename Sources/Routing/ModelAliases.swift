internal import JSON

/// `models.aliases`: short names that are sent as other ones. Prepared so that a look-up compares bytes.
public struct ModelAliases: Sendable {
    /// What stands for an alias.
    public struct Target: Sendable {
        /// As the content of a JSON string, and percent-encoded for a path.
        public let json: [UInt8], path: [UInt8]
        /// As it reads.
        public let name: [UInt8]
    }
    private let names: NameTable
    private let targets: [Target]

    /// The aliases of the settings.
    public init(_ aliases: [String: String]) {
        let sorted = aliases.sorted { $0.key < $1.key }
        names = NameTable(sorted.map { $0.key.lowercased() })
        targets = sorted.map { alias in
            let quoted = Writer.compact(.string(alias.value))
            return Target(
                json: Array(quoted[1..<quoted.count - 1]), path: Array(PercentText.encode(alias.value).utf8), name: Array(alias.value.utf8))
        }
    }

    /// There are none.
    public var isEmpty: Bool { targets.isEmpty }

    /// What the alias that `range` spells, in any case, stands for.
    public func target(of range: Range<Int>, in text: Span<UInt8>) -> Target? {
        names.indexIgnoringCase(of: range, in: text).map { targets[$0] }
    }
}
