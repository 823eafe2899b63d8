internal import Credentials

/// The checks that need all files: names in one member that must exist in another. Knows where each member stood.
struct CrossCheck {
    private(set) var problems: [SettingsError.Problem] = []
    /// What is right and should be known all the same.
    var notices: [String] = []
    private let places: [String: Reading.Place]
    /// What was wrong already.
    private let known: [SettingsError.Problem]

    init(places: [String: Reading.Place], known: [SettingsError.Problem] = []) {
        self.places = places
        self.known = known
    }

    /// Whether something in this member was wrong already: what is absent then may have been meant by that.
    func isFlawed(_ member: String) -> Bool { known.contains { $0.member == member || $0.member.hasPrefix(member + ".") } }

    /// Checks every reference to a provider, and what only makes sense once.
    mutating func references(of settings: Settings) {
        let entries = settings.providerEntries
        for id in settings.auth.order.keys.sorted() { provider(id, named: "auth.order.\(id)", among: entries) }
        for (id, profile) in settings.auth.profiles.sorted(by: { $0.key < $1.key }) {
            provider(profile.provider, named: "auth.profiles.\(id).provider", among: entries)
        }
        if let id = settings.routes.default { provider(id, named: "routes.default", among: entries) }
        for (host, id) in settings.routes.hosts.sorted(by: { $0.key < $1.key }) {
            provider(id, named: "routes.hosts.\(host)", among: entries)
        }
        let agents = settings.agents.map(\.id)
        if Set(agents).count < agents.count { note("agents.list", "expected each agent once") }
    }

    /// Checks that a provider of this id exists.
    mutating func provider(_ id: String, named member: String, among entries: [ProviderEntry]) {
        guard !entries.contains(where: { $0.id == id }) else { return }
        let names = entries.map(\.id)
        let hint = Suggestion.closest(to: id, among: names).map { "; did you mean \"\($0)\"?" } ?? ", one of \(Suggestion.list(names))"
        note(member, "expected the id of a provider" + hint)
    }

    /// Whether a file gives this member. One that is given and still absent was flawed, and that has been noted already.
    func isGiven(_ member: String) -> Bool {
        places[member] != nil
    }

    /// The file that says so.
    func source(of member: String) -> String? { places[member]?.source }

    /// Notes a flaw at a member, or at the nearest member around it that has a place.
    mutating func note(_ member: String, _ message: String) {
        var path = member[...]
        while places[String(path)] == nil, let dot = path.lastIndex(of: ".") { path = path[..<dot] }
        let place = places[String(path)]
        problems.append(
            SettingsError.Problem(
                source: place?.source ?? "settings", line: place?.line, column: place?.column, member: member, message: message))
    }
}
