/// A JSON value (RFC 8259 §3) that can be written back as it was read: objects keep their members' order, numbers keep their text.
public enum Value: Sendable {
    case null
    case bool(Bool)
    case number(NumberText)
    case string(String)
    case array([Value])
    case object(Object)
}

extension Value {
    /// A number from a whole number.
    public static func integer(_ value: Int64) -> Value { .number(NumberText(value)) }

    /// The text, if this is a string.
    public var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The members, if this is an object.
    public var object: Object? {
        guard case .object(let object) = self else { return nil }
        return object
    }

    /// The elements, if this is an array.
    public var array: [Value]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// The truth value, if this is `true` or `false`.
    public var bool: Bool? {
        guard case .bool(let truth) = self else { return nil }
        return truth
    }

    /// The whole number, if this is a number that is one (`1`, `1.0` and `1e3` are; see ``NumberText/int64``).
    public var int64: Int64? {
        guard case .number(let number) = self else { return nil }
        return number.int64
    }

    /// The nearest `Double`, if this is a number within its range.
    public var double: Double? {
        guard case .number(let number) = self else { return nil }
        return number.double
    }

    /// Whether this is `null`.
    public var isNull: Bool {
        guard case .null = self else { return false }
        return true
    }

    /// The member called `name`, if this is an object that has one.
    public subscript(_ name: String) -> Value? { object?[name] }

    /// The word for this kind of value in a sentence for people: `a string`, `null`, …
    public var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "true or false"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

extension Value: Equatable {
    /// Equal when they would be written alike. Strings are compared by code point: Swift's own `==` would take a precomposed `é`
    /// and an `e` with a combining accent for the same text, and a change from one to the other would not be saved.
    public static func == (left: Value, right: Value) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left.isExactly(right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }
}

extension String {
    /// Whether both hold the same code points. The cheaper canonical comparison goes first: it is false for nearly all that differ.
    func isExactly(_ other: String) -> Bool {
        self == other && utf8.elementsEqual(other.utf8)
    }
}
