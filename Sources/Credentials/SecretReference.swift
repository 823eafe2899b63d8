import JSON

/// Where a secret is to be had that the store does not hold itself (spec/credential-formats.md §1.8).
struct SecretReference: Hashable {
    /// What kind of place.
    enum Source: String {
        /// A variable of the environment.
        case env
        /// A file of JSON, or one that holds a single value.
        case file
        /// A program's output.
        case exec
    }

    let source: Source
    /// The alias under which the neighbour's settings describe the place; nil in the oldest form, which names none.
    let provider: String?
    /// The variable's name, or where in the file.
    let id: String

    /// The reference in `value`, in either of its forms: `{source, provider, id}` or `${NAME}`; nil when it is none.
    init?(_ value: Value?) {
        if let text = value?.string {
            guard text.hasPrefix("${"), text.hasSuffix("}") else { return nil }
            let name = String(text.dropFirst(2).dropLast())
            guard Self.isVariable(name) else { return nil }
            (source, provider, id) = (.env, nil, name)
            return
        }
        guard let object = value?.object, let source = object["source"]?.string.flatMap(Source.init), let id = object["id"]?.string,
            object.names.allSatisfy({ ["source", "provider", "id"].contains($0) })
        else { return nil }
        if let provider = object["provider"], provider.string?.isBlank != false { return nil }
        (self.source, provider, self.id) = (source, object["provider"]?.string, id)
    }

    /// The references of an entry, in the order in which they are tried: what stands in the secret's own member goes first.
    static func all(in entry: Object, kind: Profile.Kind) -> [SecretReference] {
        let members = ProfileEntry.secretMembers(of: kind)
        return (members.names + [members.reference].compactMap { $0 }).compactMap { SecretReference(entry[$0]) }
    }

    /// `[A-Z][A-Z0-9_]{0,127}`
    static func isVariable(_ name: String) -> Bool {
        let bytes = name.utf8
        return (1...128).contains(bytes.count) && (0x41...0x5a).contains(bytes.first ?? 0)
            && bytes.allSatisfy { (0x41...0x5a).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_") }
    }
}

/// Why a reference leads to no secret, as the end of a sentence; never a value.
struct UnresolvedReference: Error, Equatable {
    let reason: String
    /// A program may still say it, when it is asked.
    var awaitsProgram = false
    /// It has not been asked yet.
    var isNew = false

    init(_ reason: String, awaitsProgram: Bool = false, isNew: Bool = false) {
        self.reason = reason
        self.awaitsProgram = awaitsProgram
        self.isNew = isNew
    }
}
