internal import Credentials
internal import JSON

/// The built-in providers, and the step from what files say about providers to what the proxy uses.
enum Catalogue {
    /// The built-in providers in the order of their data.
    static let builtIn: [ProviderEntry] = {
        var entries: [ProviderEntry] = []
        for text in [CatalogueData.subscriptions, CatalogueData.keys, CatalogueData.hosts, CatalogueData.portals] {
            var reading = Reading(source: "built-in catalogue")
            do throws(SyntaxError) {
                ProviderSchema.merge(try JSON5Reader.parse(Array(text.utf8)), into: &entries, &reading)
            } catch {
                reading.syntax(error)
            }
            // A test loads this; a release cannot have a flaw here.
            precondition(reading.problems.isEmpty, "\(reading.problems)")
        }
        return entries
    }()

    /// The providers of `settings`, with references resolved. What does not fit together is noted in `check`.
    static func resolve(_ settings: Settings, _ check: inout CrossCheck) -> [Provider] {
        let entries = settings.providerEntries
        return entries.enumerated().map { index, entry in
            let path = "providers.\(entry.id)"
            if let source = entry.credentialsFrom { check.provider(source, named: "\(path).credentialsFrom", among: entries) }
            let isBuiltIn = builtIn.contains { $0.id == entry.id }
            if entry.baseURL == nil, !isBuiltIn, !check.isGiven("\(path).baseURL"), !check.isFlawed(path) {
                check.note(path, "expected a member \"baseURL\", since this provider is not a built-in one")
            }
            let address = address(of: entry)
            let client = client(of: entry, caFile: settings.upstream.caFile, &check)
            let isForItself = entry.oauth?.grant == .clientCredentials
            return Provider(
                id: entry.id, index: index, baseURL: address.url, stripPrefixes: entry.stripPrefixes,
                credentialsFrom: entry.credentialsFrom ?? entry.id, auth: injections(of: entry),
                bearerWhenKeyContains: entry.bearerWhenKeyContains,
                oauth: isForItself ? nil : client,
                mint: mint(of: entry, caFile: settings.upstream.caFile, &check),
                onDemand: program(of: entry, &check).map { .program($0) }
                    ?? (isForItself ? client.map { .clientCredentials($0) } : nil),
                apiKey: KeyRules(prompt: entry.apiKey?.prompt, pattern: entry.apiKey?.pattern),
                setupToken: entry.setupToken.map {
                    SetupTokenRules(
                        prompt: $0.prompt, prefix: $0.prefix ?? "", minLength: $0.minLength ?? 1, life: $0.life, program: $0.program,
                        note: $0.note)
                },
                headers: fields(entry.headers), failover: entry.failover, limitHeaders: entry.limitHeaders,
                errorShape: entry.errorShape, needsCredential: entry.needsCredential, webSocket: entry.webSocket, http2: entry.http2,
                privateAddresses: entry.privateAddresses,
                addressAdvice: address.advice, environmentKeys: entry.environmentKeys)
        }
    }

    private static func address(of entry: ProviderEntry) -> (url: BaseURL?, advice: String?) {
        guard let text = entry.baseURL else {
            return (nil, "The provider \(entry.id) has no address yet: set providers.\(entry.id).baseURL in keybearer.json5.")
        }
        guard ProviderSchema.hasRegion(text) else { return (try? BaseURL(text), nil) }
        guard let region = entry.region else {
            return (nil, "The provider \(entry.id) has no region yet: set providers.\(entry.id).region in keybearer.json5.")
        }
        return (try? BaseURL(ProviderSchema.url(text, region: region)), nil)
    }

    private static func injections(of entry: ProviderEntry) -> [Profile.Kind: Injection] {
        let kinds: [(Profile.Kind, ProviderEntry.InjectionEntry?)] = [
            (.apiKey, entry.auth.apiKey), (.token, entry.auth.token), (.oauth, entry.auth.oauth),
        ]
        return kinds.reduce(into: [:]) { injections, kind in
            guard let part = kind.1 else { return }
            injections[kind.0] = Injection(
                header: part.header, prefix: part.prefix ?? (part.header == "authorization" ? "Bearer " : ""),
                merge: fields(part.merge), accountHeader: part.accountHeader, billing: part.billing ?? entry.billing)
        }
    }

    private static func mint(of entry: ProviderEntry, caFile: String?, _ check: inout CrossCheck) -> Mint? {
        guard let mint = entry.mint else { return nil }
        if !entry.environmentKeys.isEmpty {
            // What is minted is kept for a profile.
            check.note("providers.\(entry.id).environmentKeys", "expected none beside \"mint\": store the credential as a profile")
        }
        guard let url = mint.url else {
            let path = "providers.\(entry.id).mint"
            if !check.isGiven("\(path).url") { check.note(path, "expected the member \"url\"") }
            return nil
        }
        return Mint(
            url: url, method: mint.method, header: mint.header, prefix: mint.prefix ?? (mint.header == "authorization" ? "Bearer " : ""),
            parameters: mint.parameters.compactMap(LoginParameter.init), bodyForm: mint.bodyForm,
            tokenPath: names(mint.tokenField),
            expiryPath: names(mint.expiryField), caFile: mint.caFile ?? caFile)
    }

    /// The members that a text with dots between them names.
    static func names(_ path: String?) -> [String] { path.map { $0.split(separator: ".").map(String.init) } ?? [] }

    /// Sorted by name, so that two loads of one file give equal providers.
    private static func fields(_ map: [String: String]) -> [HeaderField] {
        map.sorted { $0.key < $1.key }.map { HeaderField(name: $0.key, value: $0.value) }
    }
}
