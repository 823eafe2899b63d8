internal import JSON

/// The one description of an object in a settings file: which members it may have, what each may hold, and where it goes in `Root`.
///
/// Reading, error messages, "did you mean" and `config show` are all derived from it, so that they cannot disagree.
struct Schema<Root: Sendable>: Sendable {
    let members: [Member<Root>]

    init(_ members: [Member<Root>]) {
        self.members = members
    }

    /// Changes `root` by what the object says; a member that is absent keeps its value. Every flaw is noted in `reading`.
    func apply(_ value: LocatedValue, to root: inout Root, _ reading: inout Reading) {
        guard let given = value.members else { return reading.mismatch(value, expected: "an object { … }") }
        for member in given {
            reading.enter(member) { reading in
                guard let known = members.first(where: { $0.name == member.name }) else {
                    return reading.unknown(member, among: members.map(\.name))
                }
                known.read(member.value, &root, &reading)
            }
        }
    }

    /// The same for editors, in JSON Schema's words: every member, and no other.
    func shape(under path: String, required: [String] = []) -> Value {
        let properties = members.map { member in
            let place = path.isEmpty ? member.name : "\(path).\(member.name)"
            var shape = member.shape(place).object ?? [:]
            if let text = ProviderText.members[place] { shape["description"] = .string(text) }
            return (member.name, Value.object(shape))
        }
        var whole: Object = ["type": "object", "properties": .object(Object(properties)), "additionalProperties": false]
        if !required.isEmpty { whole["required"] = .array(required.map { .string($0) }) }
        return .object(whole)
    }

    /// Every member that `root` holds, in the schema's order.
    func report(_ root: Root, under path: String) -> [Shown] {
        members.flatMap { $0.show(root, path.isEmpty ? $0.name : "\(path).\($0.name)") }
    }
}

/// One line of `config show` before its origin is known.
struct Shown: Sendable, Equatable {
    let member: String
    let value: Value
}

/// One member of a schema's object.
struct Member<Root: Sendable>: Sendable {
    let name: String
    let read: @Sendable (LocatedValue, inout Root, inout Reading) -> Void
    /// The member's lines, given its full path.
    let show: @Sendable (Root, String) -> [Shown]
    /// What JSON Schema can say of its value, given its full path.
    var shape: @Sendable (String) -> Value = { _ in [:] }

    /// A member with a value of its own.
    static func value<Field: Sendable>(_ name: String, _ place: any WritableKeyPath<Root, Field> & Sendable, _ codec: Codec<Field>) -> Self
    {
        Member(
            name: name,
            read: { value, root, reading in
                guard let field = codec.decode(value, &reading) else { return }
                root[keyPath: place] = field
            },
            show: { [Shown(member: $1, value: codec.encode($0[keyPath: place]))] },
            shape: { _ in codec.shape })
    }

    /// A member that may be unset, which `null` in the file also says.
    static func optional<Field: Sendable>(_ name: String, _ place: any WritableKeyPath<Root, Field?> & Sendable, _ codec: Codec<Field>)
        -> Self
    {
        Member(
            name: name,
            read: { value, root, reading in
                if value.kind == .null {
                    root[keyPath: place] = nil
                } else if let field = codec.decode(value, &reading) {
                    root[keyPath: place] = field
                }
            },
            show: { [Shown(member: $1, value: $0[keyPath: place].map(codec.encode) ?? .null)] },
            shape: { _ in .orNull(codec.shape) })
    }

    /// An object whose members are merged into what is there.
    static func group<Part: Sendable>(_ name: String, _ place: any WritableKeyPath<Root, Part> & Sendable, _ schema: Schema<Part>) -> Self {
        Member(
            name: name,
            read: { schema.apply($0, to: &$1[keyPath: place], &$2) },
            show: { schema.report($0[keyPath: place], under: $1) },
            shape: { schema.shape(under: $0) })
    }

    /// An object that may be absent as a whole: `null` removes it, anything else is merged into what is there, or into `empty`.
    static func optionalGroup<Part: Sendable>(
        _ name: String, _ place: any WritableKeyPath<Root, Part?> & Sendable, empty: Part, _ schema: Schema<Part>
    ) -> Self {
        Member(
            name: name,
            read: { value, root, reading in
                guard value.kind != .null else { return root[keyPath: place] = nil }
                var part = root[keyPath: place] ?? empty
                schema.apply(value, to: &part, &reading)
                root[keyPath: place] = part
            },
            show: { root, path in root[keyPath: place].map { schema.report($0, under: path) } ?? [] },
            shape: { .orNull(schema.shape(under: $0)) })
    }
}

extension Value {
    /// The shape of a member that `null` takes away.
    fileprivate static func orNull(_ shape: Value) -> Value { ["anyOf": [shape, ["type": "null"]]] }
}
