internal import JSON

/// How one kind of value is read from a settings file and shown by `config show`.
struct Codec<Field: Sendable>: Sendable {
    /// The value; `nil` after noting in `reading` what was expected.
    let decode: @Sendable (LocatedValue, inout Reading) -> Field?
    let encode: @Sendable (Field) -> Value
    /// What JSON Schema can say of it: for editors. The decoder is stricter.
    var shape: Value = [:]
}

extension Codec where Field == Bool {
    static let truth = Codec(
        decode: { value, reading in
            if value.bool == nil { reading.mismatch(value, expected: "true or false") }
            return value.bool
        },
        encode: { .bool($0) }, shape: ["type": "boolean"])
}

extension Codec where Field == String {
    /// A string that is not empty, holds no control characters and is no credential.
    static func text(_ expected: String) -> Codec {
        checked(expected) { !$0.isEmpty && $0.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f } }
    }

    /// A string that passes a test.
    static func checked(_ expected: String, _ isRight: @escaping @Sendable (String) -> Bool) -> Codec {
        Codec(
            decode: { value, reading in
                guard let text = value.string else {
                    reading.mismatch(value, expected: expected)
                    return nil
                }
                if SecretShape.isSecretValue(text) {
                    reading.refuse(value, expected: SecretShape.expectation(expected))
                } else if isRight(text) {
                    return text
                } else {
                    reading.refuse(value, expected: expected)
                }
                return nil
            },
            encode: { .string($0) }, shape: ["type": "string"])
    }
}

extension Codec where Field: RawRepresentable, Field.RawValue == String {
    /// One of a few words.
    static func choice(_ cases: [Field]) -> Codec {
        let words = cases.map(\.rawValue)
        return Codec(
            decode: { value, reading in
                if let word = value.string, let choice = Field(rawValue: word) { return choice }
                let hint = value.string.flatMap { Suggestion.closest(to: $0, among: words) }.map { "; did you mean \"\($0)\"?" }
                let expected = Suggestion.list(words) + (hint ?? "")
                value.string == nil ? reading.mismatch(value, expected: expected) : reading.refuse(value, expected: expected)
                return nil
            },
            encode: { .string($0.rawValue) }, shape: ["enum": .array(words.map { .string($0) })])
    }
}

extension Codec where Field == Int {
    /// A whole number within a range.
    static func count(_ range: ClosedRange<Int>) -> Codec {
        let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        return Codec(
            decode: { value, reading in
                guard case .number = value.kind else {
                    reading.mismatch(value, expected: expected)
                    return nil
                }
                guard let number = value.int64.flatMap(Int.init(exactly:)), range.contains(number) else {
                    reading.refuse(value, expected: expected)
                    return nil
                }
                return number
            },
            encode: { .integer(Int64($0)) },
            shape: ["type": "integer", "minimum": .integer(Int64(range.lowerBound)), "maximum": .integer(Int64(range.upperBound))])
    }

    /// A number of octets within a range: `"64KiB"`, `"32MiB"` or a plain number.
    static func size(_ range: ClosedRange<Int>) -> Codec {
        let bounds = "from \(Quantity.size(range.lowerBound)) to \(Quantity.size(range.upperBound))"
        return quantity("a size \(bounds), as \"64KiB\", \"32MiB\" or a number of bytes", within: range, Quantity.parseSize, Quantity.size)
    }
}

extension Codec where Field == Duration {
    /// A time within a range: `"250ms"`, `"15s"`, `"5m"`, `"1h"` or a number of seconds.
    static func duration(_ range: ClosedRange<Duration>) -> Codec {
        let bounds = "from \(Quantity.duration(range.lowerBound)) to \(Quantity.duration(range.upperBound))"
        return quantity(
            "a duration \(bounds), as \"250ms\", \"15s\", \"5m\", \"1h\" or a number of seconds", within: range, Quantity.parseDuration,
            Quantity.duration)
    }
}

extension Codec where Field: Comparable {
    /// A number with a unit: in a string, or a bare number in the base unit.
    fileprivate static func quantity(
        _ expected: String, within range: ClosedRange<Field>, _ parse: @escaping @Sendable (Substring) -> Field?,
        _ format: @escaping @Sendable (Field) -> String
    ) -> Codec {
        Codec(
            decode: { value, reading in
                let text: String
                switch value.kind {
                case .string(let given): text = given
                case .number(let number): text = number.text
                default:
                    reading.mismatch(value, expected: expected)
                    return nil
                }
                guard let field = parse(text[...]), range.contains(field) else {
                    reading.refuse(value, expected: expected)
                    return nil
                }
                return field
            },
            encode: { .string(format($0)) }, shape: ["type": ["string", "number"]])
    }
}

extension Codec {
    /// A list, each of whose elements may give several values; a flawed element is left out after it was noted.
    static func list<Element: Sendable>(_ element: Codec<Element>, atMost limit: Int = 1000) -> Codec where Field == [Element] {
        Codec(
            decode: { value, reading in
                guard let elements = value.array, elements.count <= limit else {
                    reading.mismatch(value, expected: "a list [ … ] of at most \(limit) elements")
                    return nil
                }
                return elements.enumerated().compactMap { number, item in
                    reading.enter(element: number) { element.decode(item, &$0) }
                }
            },
            encode: { .array($0.map(element.encode)) },
            shape: ["type": "array", "maxItems": .integer(Int64(limit)), "items": element.shape])
    }

    /// An object with names of the file's choosing. `name` returns the form in which a name is kept, or `nil` when it can't be one.
    static func map<Element: Sendable>(
        _ expectedName: String, _ name: @escaping @Sendable (String) -> String?, to element: Codec<Element>
    ) -> Codec where Field == [String: Element] {
        Codec(
            decode: { value, reading in
                guard let given = value.members else {
                    reading.mismatch(value, expected: "an object { … }")
                    return nil
                }
                var map: [String: Element] = [:]
                for member in given {
                    reading.enter(member) { reading in
                        guard !SecretShape.isSecretValue(member.name) else {
                            return reading.refuse(name: member, expected: SecretShape.expectation(expectedName))
                        }
                        guard let key = name(member.name) else { return reading.refuse(name: member, expected: "as name \(expectedName)") }
                        guard let field = element.decode(member.value, &reading) else { return }
                        if map.updateValue(field, forKey: key) != nil {
                            reading.refuse(name: member, expected: "each name once; this one is the same as an earlier one")
                        }
                    }
                }
                return map
            },
            // Sorted, so that two runs of `config show` print the same.
            encode: { .object(Object($0.sorted { $0.key < $1.key }.map { ($0.key, element.encode($0.value)) })) },
            shape: ["type": "object", "additionalProperties": element.shape])
    }

    /// An object with a schema of its own, read into a copy of `empty`.
    static func object(_ empty: Field, required: [String], at path: String = "", _ schema: Schema<Field>) -> Codec {
        Codec(
            decode: { value, reading in
                var field = empty
                schema.apply(value, to: &field, &reading)
                guard let given = value.members else { return nil }
                let absent = required.filter { name in !given.contains { $0.name == name } }
                guard absent.isEmpty else {
                    reading.refuse(value, expected: absent.map { "a member \"\($0)\"" }.joined(separator: " and "))
                    return nil
                }
                return field
            },
            encode: { field in
                .object(Object(schema.report(field, under: "").map { ($0.member, $0.value) }))
            }, shape: schema.shape(under: path, required: required))
    }
}
