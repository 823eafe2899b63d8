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
        for member in given {
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
}
