/// A JSON5 value that knows where in its file it stands, for errors of the form `file:line: member: what was expected`.
public struct LocatedValue: Sendable, Equatable {
    /// What the value is.
    public let kind: Kind
    /// The line of its first character, from 1.
    public let line: Int
    /// The column of its first character in code points, from 1.
    public let column: Int

    /// As ``Value``, but every element and member carries its place.
    public enum Kind: Sendable, Equatable {
        case null
        case bool(Bool)
        /// A finite number, its text rewritten to JSON's grammar where JSON5's was wider (`+1`, `.5`, `0x1F`).
        case number(NumberText)
        /// `Infinity`, `-Infinity` or `NaN`, which JSON has no text for.
        case nonFinite(Double)
        case string(String)
        case array([LocatedValue])
        case object([Member])
    }

    /// One member of an object; its names are distinct, for a repeated one is a syntax error.
    public struct Member: Sendable, Equatable {
        /// The name, with quotes and escapes resolved.
        public let name: String
        /// The line of the name.
        public let line: Int
        /// The column of the name.
        public let column: Int
        /// The value after the colon.
        public let value: LocatedValue

        /// A member whose name stands at a place.
        public init(name: String, line: Int, column: Int, value: LocatedValue) {
            self.name = name
            self.line = line
            self.column = column
            self.value = value
        }
    }

    /// A value at a place.
    public init(_ kind: Kind, line: Int, column: Int) {
        self.kind = kind
        self.line = line
        self.column = column
    }

    /// The value without places. What is not finite becomes null, as `JSON.stringify` writes it.
    public var plain: Value {
        switch kind {
        case .null, .nonFinite: .null
        case .bool(let truth): .bool(truth)
        case .number(let number): .number(number)
        case .string(let text): .string(text)
        case .array(let elements): .array(elements.map(\.plain))
        case .object(let members): .object(Object(members.lazy.map { ($0.name, $0.value.plain) }))
        }
    }

    /// The text, if this is a string.
    public var string: String? {
        guard case .string(let text) = kind else { return nil }
        return text
    }

    /// The truth value, if this is `true` or `false`.
    public var bool: Bool? {
        guard case .bool(let truth) = kind else { return nil }
        return truth
    }

    /// The whole number, if this is one.
    public var int64: Int64? {
        guard case .number(let number) = kind else { return nil }
        return number.int64
    }

    /// The elements, if this is an array.
    public var array: [LocatedValue]? {
        guard case .array(let elements) = kind else { return nil }
        return elements
    }

    /// The members in order, if this is an object.
    public var members: [Member]? {
        guard case .object(let members) = kind else { return nil }
        return members
    }

    /// The value of the member called `name`, if this is an object that has one.
    public subscript(_ name: String) -> LocatedValue? {
        members?.first { $0.name.isExactly(name) }?.value
    }

    /// The word for this kind of value in a sentence for people.
    public var kindName: String {
        guard case .nonFinite = kind else { return plain.kindName }
        return "a number that is not finite"
    }
}
