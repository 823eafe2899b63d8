internal import Credentials

/// What a provider file may not do. Whoever wrote one may add providers; what belongs to a provider that is there already goes where it went
/// before, unless the file says that something else is meant. The settings file is the user's own word, and is not asked.
extension CrossCheck {
    /// Compares the providers before and after one file. Returns the ids of those whose credentials it means to send elsewhere.
    mutating func destinations(from before: [ProviderEntry], to after: [ProviderEntry], by file: String) -> [String] {
        for entry in after {
            guard let known = before.first(where: { $0.id == entry.id }) else { continue }
            let held = Set(known.destinations.map(\.place))
            let others = entry.destinations.filter { !held.contains($0.place) }
            guard let first = others.first else { continue }
            guard !entry.sendsElsewhere else {
                notices.append("\(file) sends what belongs to \(entry.id) to \(others.map(\.place).sorted().joined(separator: ", "))")
                continue
            }
            let places = held.isEmpty ? "it has none yet" : "it goes to \(held.sorted().joined(separator: ", "))"
            note(
                "providers.\(entry.id).\(first.member)",
                "expected a place that \(entry.id) has already (\(places)), since its credentials would follow; where that is meant, add "
                    + "\"sendsElsewhere: true\" to it here, or set this member in keybearer.json5")
        }
        return after.filter(\.sendsElsewhere).map(\.id)
    }

    /// Checks what files take from other providers: their profiles, and the variables of their keys. `meant`: those that may, by file.
    mutating func borrowings(among entries: [ProviderEntry], of files: [String], meant: [String: [String]]) {
        /// The file that says so without saying that it is meant.
        func fileSays(_ entry: ProviderEntry, _ member: String) -> Bool {
            guard let source = source(of: "providers.\(entry.id).\(member)"), files.contains(source) else { return false }
            return meant[source]?.contains(entry.id) != true
        }
        for entry in entries {
            if let owner = entries.first(where: { $0.id == entry.credentialsFrom && $0.id != entry.id }),
                fileSays(entry, "credentialsFrom"), entry.requestPlace != owner.requestPlace
            {
                note(
                    "providers.\(entry.id).credentialsFrom",
                    "expected a provider at the host of this one's baseURL, since the credentials of \(owner.id) are for "
                        + "\(owner.requestPlace ?? "its own host"); log in to \(entry.id) itself, or say this in keybearer.json5")
            }
            for (member, variables) in entry.variables where fileSays(entry, member) {
                for owner in entries where owner.id != entry.id && owner.requestPlace != entry.requestPlace {
                    guard let taken = variables.first(where: owner.environmentKeys.contains) else { continue }
                    note(
                        "providers.\(entry.id).\(member)",
                        "expected variables of this provider's own; \(taken) holds a key of \(owner.id)")
                }
            }
        }
    }
}

extension ProviderEntry {
    /// Where requests and their credentials go: scheme, host and port.
    var requestPlace: String? {
        baseURL.flatMap { try? BaseURL(ProviderSchema.url($0, region: "region")) }.map { "\($0.scheme)://\($0.authority)" }
    }

    /// Every place that is sent a credential or that a person types one at, and every authority that vouches for one.
    var destinations: [(member: String, place: String)] {
        let urls: [(String, String?)] = [
            ("oauth.issuer", oauth?.issuer), ("oauth.tokenURL", oauth?.tokenURL), ("oauth.authorizeURL", oauth?.authorizeURL),
            ("oauth.userinfoURL", oauth?.userinfoURL),
            ("oauth.login.device.startURL", oauth?.login?.device?.startURL), ("oauth.login.device.pollURL", oauth?.login?.device?.pollURL),
            ("oauth.login.device.pageURL", oauth?.login?.device?.pageURL), ("mint.url", mint?.url),
        ]
        let hosts = (oauth?.endpointHosts ?? []).map { ("oauth.endpointHosts", "https://\($0)") }
        let answers = (oauth?.answer.baseURLHosts ?? []).map { ("oauth.answer.baseURLHosts", "https://\($0)") }
        let program = exec?.command.map { "the program \(([$0] + (exec?.args ?? [])).joined(separator: " "))" }
        let texts: [(String, String?)] =
            [("oauth.caFile", oauth?.caFile), ("mint.caFile", mint?.caFile), ("exec.command", program)] + hosts + answers
        let places = urls.map { ($0.0, $0.1.flatMap(EndpointURL.init).map(Self.place)) } + [("baseURL", requestPlace)] + texts
        return places.compactMap { member, place in place.map { (member, $0) } }
    }

    /// As ``requestPlace`` says it: no port where it is the scheme's own.
    private static func place(_ url: EndpointURL) -> String {
        let name = url.host.contains(":") ? "[\(url.host)]" : url.host
        let isUsual = url.port == (url.scheme == "https" ? 443 : 80)
        return "\(url.scheme)://\(name)" + (isUsual ? "" : ":\(url.port)")
    }

    /// The environment variables that it is given, by member.
    var variables: [(member: String, names: [String])] {
        [
            ("environmentKeys", environmentKeys), ("exec.passEnv", exec?.passEnv ?? []),
            ("oauth.clientIDEnvironment", [oauth?.clientIDEnvironment].compactMap { $0 }),
            ("oauth.clientSecretEnvironment", [oauth?.clientSecretEnvironment].compactMap { $0 }),
        ]
    }
}
