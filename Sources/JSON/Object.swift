/// A JSON object whose members keep their order. Names are compared code point by code point (RFC 8259 §8.3), not as Swift compares
/// strings: two names that only look alike stay two members.
public struct Object: Sendable {
    /// The members' names, in order.
    public private(set) var names: [String]
    /// Their values, at the same positions.
    private var values: [Value]
    /// Positions by name. Small objects have none: a few comparisons are cheaper than hashing, and most objects are small.
    private var positions: [ExactName: Int]

    /// From this many members on, positions are indexed, so that a hostile object with 100,000 names costs no 100,000² comparisons.
    private static let indexedFrom = 16

    /// An object without members.
    public init() {
        names = []
        values = []
        positions = [:]
    }

    /// An object of these members; of members with one name the last value counts, at the first one's place.
    public init(_ members: some Sequence<(String, Value)>) {
        self.init()
        for (name, value) in members { self[name] = value }
    }

    /// How many members there are.
    public var count: Int { names.count }

    /// Whether there is no member.
    public var isEmpty: Bool { names.isEmpty }

    /// The member called `name`. Setting replaces it in place or appends it; setting nil removes it.
    public subscript(_ name: String) -> Value? {
        get { position(of: name).map { values[$0] } }
        set {
            switch (position(of: name), newValue) {
            case (let position?, let value?): values[position] = value
            case (let position?, nil): remove(at: position)
            case (nil, let value?): append(name, value)
            case (nil, nil): break
            }
        }
    }

    /// The member called `name` for change in place: no copy of a large value is made. It is added as `default` if absent.
    public subscript(_ name: String, default value: @autoclosure () -> Value) -> Value {
        get { self[name] ?? value() }
        _modify {
            if position(of: name) == nil { append(name, value()) }
            let position = position(of: name) ?? names.count - 1
            yield &values[position]
        }
    }

    /// Where `name` stands, if it does.
    private func position(of name: String) -> Int? {
        guard names.count >= Self.indexedFrom else { return names.firstIndex { $0.isExactly(name) } }
        return positions[ExactName(name)]
    }

    private mutating func append(_ name: String, _ value: Value) {
        names.append(name)
        values.append(value)
        if names.count == Self.indexedFrom {
            index()
        } else if names.count > Self.indexedFrom {
            positions[ExactName(name)] = names.count - 1
        }
    }

    private mutating func remove(at position: Int) {
        names.remove(at: position)
        values.remove(at: position)
        positions = [:]
        if names.count >= Self.indexedFrom { index() }
    }

    private mutating func index() {
        positions.reserveCapacity(names.count * 2)
        for (position, name) in names.enumerated() { positions[ExactName(name)] = position }
    }
}

extension Object: Equatable {
    /// Equal when the same members stand in the same order.
    public static func == (left: Object, right: Object) -> Bool {
        left.names.elementsEqual(right.names) { $0.isExactly($1) } && left.values == right.values
    }
}

extension Object: Sequence {
    /// Walks the members in order.
    public struct Iterator: IteratorProtocol {
        private let object: Object
        private var position = 0

        init(_ object: Object) { self.object = object }

        /// The next member.
        public mutating func next() -> (name: String, value: Value)? {
            guard position < object.count else { return nil }
            defer { position += 1 }
            return (object.names[position], object.values[position])
        }
    }

    /// Walks the members in order.
    public func makeIterator() -> Iterator { Iterator(self) }

    /// The number of members: exact, so that `map` allocates once.
    public var underestimatedCount: Int { count }
}

/// A name as a dictionary's key, compared code point by code point.
struct ExactName: Hashable {
    private let text: String

    init(_ text: String) { self.text = text }

    static func == (left: ExactName, right: ExactName) -> Bool { left.text.isExactly(right.text) }

    /// Swift's own hash, which is equal for canonically equal strings: coarser than `==`, and so allowed.
    func hash(into hasher: inout Hasher) { text.hash(into: &hasher) }
}
