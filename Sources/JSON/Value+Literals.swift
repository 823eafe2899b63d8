// JSON as Swift literals: `["type": "text", "index": 0, "stop": nil]`. Object members keep the order in which they are written.

extension Value: ExpressibleByNilLiteral {
    /// `null`.
    public init(nilLiteral: ()) { self = .null }
}

extension Value: ExpressibleByBooleanLiteral {
    /// `true` or `false`.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension Value: ExpressibleByIntegerLiteral {
    /// A whole number.
    public init(integerLiteral value: Int64) { self = .number(NumberText(value)) }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }
}

extension Value: ExpressibleByArrayLiteral {
    /// An array.
    public init(arrayLiteral elements: Value...) { self = .array(elements) }
}

extension Value: ExpressibleByDictionaryLiteral {
    /// An object. Of members with one name the last value counts, as when reading.
    public init(dictionaryLiteral elements: (String, Value)...) { self = .object(Object(elements)) }
}

extension Object: ExpressibleByDictionaryLiteral {
    /// An object. Of members with one name the last value counts, as when reading.
    public init(dictionaryLiteral elements: (String, Value)...) { self.init(elements) }
}
