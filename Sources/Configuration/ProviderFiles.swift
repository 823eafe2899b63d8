internal import Credentials
public import JSON

/// Provider files as people handle them: their schema, and providers written as a file would.
public enum ProviderFiles {
    /// JSON Schema of a provider file, as `config/provider.schema.json` holds it.
    public static var jsonSchema: Value { ProviderSchema.document }
}

extension Settings {
    /// The provider as a file would say it, all of it: `{ <id>: { … } }`. Nil when there is none.
    public func document(of provider: String) -> Value? {
        guard let entry = providerEntries.first(where: { $0.id == provider }) else { return nil }
        var members = Object()
        for line in ProviderSchema.provider.report(entry, under: "") { members.set(line.value, at: line.member.split(separator: ".")[...]) }
        // Unsaid, a kind goes as a bearer token.
        for kind in Profile.Kind.allCases where members["auth"]?[kind.rawValue] == nil {
            members.set(.null, at: ["auth", Substring(kind.rawValue)])
        }
        return .object([provider: .object(members)])
    }

    /// Where requests, logins and credentials of the provider go, by scheme, host and port; the authorities that vouch for them.
    public func places(of provider: String) -> [String] {
        let places = providerEntries.first { $0.id == provider }?.destinations.map(\.place) ?? []
        return places.reduce(into: []) { unique, place in if !unique.contains(place) { unique.append(place) } }
    }

    /// The environment variables that it reads, or hands to its program.
    public func variables(of provider: String) -> [String] {
        providerEntries.first { $0.id == provider }?.variables.flatMap(\.names) ?? []
    }

    /// The file that adds the provider, or the last to change it; `builtIn` when none does.
    public func origin(of provider: String) -> Origin { origins["providers.\(provider)"] }
}

extension Object {
    /// Sets the member that `path` leads to, making objects on the way.
    fileprivate mutating func set(_ value: Value, at path: ArraySlice<Substring>) {
        guard let name = path.first.map(String.init) else { return }
        guard path.count > 1 else { return self[name] = value }
        var inner = self[name]?.object ?? [:]
        inner.set(value, at: path.dropFirst())
        self[name] = .object(inner)
    }
}
