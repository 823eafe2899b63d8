internal import JSON

extension ProviderSchema {
    /// The member `providers`: an object of providers, each merged into the one of its id, or added.
    static let catalogue = Member<Settings>(
        name: "providers",
        read: { value, settings, reading in merge(value, into: &settings.providerEntries, &reading) },
        show: { settings, path in settings.providerEntries.flatMap { provider.report($0, under: "\(path).\($0.id)") } })

    /// Reads an object of providers, as `providers` and each file in `providers/` hold one.
    static func merge(_ value: LocatedValue, into entries: inout [ProviderEntry], _ reading: inout Reading) {
        guard let given = value.members else { return reading.mismatch(value, expected: "an object of providers, { <id>: { … } }") }
        for member in given where member.name != editorMark || member.value.string == nil {
            reading.enter(member) { reading in
                guard let id = normalisedID(member.name) else {
                    let rule =
                        "1 to 64 of a-z, 0-9, '-', '_' and '.', starting with a letter, none of \(Suggestion.list(reserved.sorted()))"
                    return reading.refuse(name: member, expected: "a provider's id: \(rule)")
                }
                let known = entries.firstIndex { $0.id == id }
                var entry = known.map { entries[$0] } ?? ProviderEntry(id: id)
                provider.apply(member.value, to: &entry, &reading)
                if let known { entries[known] = entry } else { entries.append(entry) }
            }
        }
    }

    /// By this member a file tells an editor which schema it obeys; it names no provider.
    private static let editorMark = "$schema"

    /// What a provider file may hold, in JSON Schema's words (draft 2020-12), for editors: made of the very schema that reads the files.
    static var document: Value {
        [
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A provider file of Keybearer",
            "description": "An object of providers by their ids: ~/.keybearer/providers/*.json5, or `providers` in keybearer.json5.",
            "type": "object", "properties": ["$schema": ["type": "string"]],
            "patternProperties": ["^[A-Za-z][A-Za-z0-9._-]{0,63}$": ["$ref": "#/$defs/provider"]], "additionalProperties": false,
            "$defs": ["provider": provider.shape(under: "")],
        ]
    }
}
