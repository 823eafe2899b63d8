/// A profile that the client asks for by name. It is used or the request fails: a pin never falls back (DESIGN §5).
public enum Pin {
    /// Which pin holds.
    public enum Decision: Sendable, Equatable {
        /// None was given.
        case none
        /// This name, as the client wrote it.
        case pinned(String)
        /// The header and the path name different profiles: 400.
        case conflict
    }

    /// Reconciles the pin of the `Keybearer-Profile` field with that of the path. `work` and `anthropic:work` are the same profile.
    ///
    /// - Parameter provider: `Provider.credentialsFrom`.
    public static func decide(header: String?, path: String?, provider: String) -> Decision {
        guard let header else { return path.map { .pinned($0) } ?? .none }
        guard let path else { return .pinned(header) }
        if header == path || header == fullID(path, provider) { return .pinned(header) }
        return fullID(header, provider) == path ? .pinned(path) : .conflict
    }

    /// The id among `ids` that a name means: itself, or else with the provider before it. `nil`: an unknown pin, 404.
    ///
    /// Ids are opaque keys of the store, so that an exact match goes first.
    public static func resolve(_ name: String, provider: String, among ids: some Collection<String>) -> String? {
        if ids.contains(name) { return name }
        let full = fullID(name, provider)
        return ids.contains(full) ? full : nil
    }

    private static func fullID(_ name: String, _ provider: String) -> String {
        "\(provider):\(name)"
    }
}
