internal import Configuration
internal import Credentials
internal import Glibc
internal import Sockets
internal import Tools

/// Keybearer as a tool is to be pointed at it: its address, and which providers have a credential to give.
struct ToolTarget {
    let installation: Installation
    let snapshot: StoreSnapshot
    /// The agent that was named, if it isn't the one that is meant anyway.
    private let agent: String?

    /// - Throws: `Failure` when the settings are wrong, the credentials cannot be read, or there is no fixed address.
    init(_ options: GlobalOptions) throws { try self.init(Installation(options)) }

    /// As above, for an installation that has been found.
    init(_ installation: Installation) throws {
        self.installation = installation
        snapshot = try installation.load()
        agent = installation.agentID == AgentID.normalised(installation.settings.defaultAgent) ? nil : installation.agentID
    }

    /// The address that tools are given: IPv4 where there is one, since every tool understands it.
    var address: ListenAddress {
        get throws {
            // Tools are told an address that they need not be made to trust.
            let listen = installation.settings.listen.filter { $0.tls == nil }
            guard let address = listen.first(where: { !$0.host.contains(":") && $0.port != 0 }) ?? listen.first(where: { $0.port != 0 })
            else {
                throw Failure.configuration(
                    "\(installation.settingsPath): listen has port 0, which is another one at every start; name a port, so that tools can be "
                        + "pointed at it")
            }
            return address
        }
    }

    /// What a tool is told.
    struct Choice {
        let plan: ToolPlan
        let routes: [ToolRoute]
        let endpoint: Endpoint
    }

    /// The plan for `tool`.
    ///
    /// - Parameters:
    ///   - provider: the provider that was named, by id or alias.
    ///   - profile: the profile that was named, by id or by what follows the provider in it.
    func choice(for tool: Tool, provider: String?, profile: String?, session: String? = nil) throws -> Choice {
        if let session, !SessionName.isValid(session) {
            throw Failure.usage("--session is one word of visible ASCII, at most 256 characters")
        }
        let named = try provider.map { try installation.provider($0) }
        let pinned = try profile.map { try self.profile($0, of: named) }
        let address = try address
        let endpoint = Endpoint(host: address.host, port: address.port, agent: agent, profile: pinned.map(pin))
        do throws(ToolMismatch) {
            let routes = try ToolRoute.choose(
                for: tool, among: installation.settings.providers, named: named?.id ?? pinned?.provider, isReady: isReady)
            let plan = try ToolPlan(for: tool, at: endpoint, routes: routes, session: session, environment: ProcessEnvironment.all)
            return Choice(plan: plan, routes: routes, endpoint: endpoint)
        } catch {
            throw Failure.usage(error.description)
        }
    }

    // MARK: Profiles

    /// Whether a request to `provider` would be given a credential, at once or after a refresh.
    func isReady(_ provider: Provider) -> Bool {
        guard provider.needsCredential else { return true }
        let auth = installation.settings.auth
        let ranked = ProfileOrder.resolve(
            provider: provider.credentialsFrom, snapshot: snapshot, configured: auth.order[provider.credentialsFrom],
            declared: auth.profiles, now: Clock.wall())
        let isServed = ranked.contains { entry in
            entry.eligibility == .ok && entry.profile.map { provider.injection(for: $0.kind) != nil } ?? false
        }
        return isServed || hasEnvironmentKey(provider, ranked)
    }

    /// Whether a key of this environment may step in: the server that `run` starts inherits it.
    private func hasEnvironmentKey(_ provider: Provider, _ ranked: [Ranked]) -> Bool {
        let key = installation.environmentKeys.first { $0.provider == provider.credentialsFrom && $0.secret != Self.placeholder }
        let allowed = installation.settings.auth.allowPaidFallback
        return key.map { $0.mayReplace(ranked.compactMap(\.profile?.kind), of: provider, allowPaidFallback: allowed) } ?? false
    }

    /// What `keybearer env` has set is no key.
    private static let placeholder = Secret(Tool.placeholder)

    /// Those of `routes` that no profile serves.
    func unready(_ routes: [ToolRoute]) -> [Provider] {
        routes.compactMap { installation.settings.provider($0.provider) }.filter { !isReady($0) }
    }

    /// The command that gives `provider` a credential.
    static func remedy(_ provider: Provider) -> String {
        let id = provider.credentialsFrom
        // One that borrows another's accounts has no login of its own to look at; what it borrows are logins.
        if provider.oauth?.login != nil || id != provider.id { return "keybearer models auth login --provider \(id)" }
        if provider.setupToken != nil { return "keybearer models auth setup-token --provider \(id)  (or paste-api-key)" }
        return "keybearer models auth \(provider.injection(for: .apiKey) == nil ? "paste-token" : "paste-api-key") --provider \(id)"
    }

    private func profile(_ name: String, of provider: Provider?) throws -> Profile {
        let owner = provider?.credentialsFrom
        let exact = snapshot.profile(name)
        let short = snapshot.profiles.filter { $0.id == "\($0.provider):\(name)" && (owner == nil || owner == $0.provider) }
        guard let profile = exact ?? (short.count == 1 ? short[0] : nil) else {
            let message = short.isEmpty ? "there is no profile \(name)" : "\(name) is the name of more than one profile"
            throw Failure.failed("\(message); `keybearer models status` lists those there are")
        }
        guard owner == nil || owner == profile.provider else {
            throw Failure.usage("\(profile.id) is a profile of \(profile.provider), not of \(owner ?? "")")
        }
        return profile
    }

    /// `work` for `anthropic:work`, as people write it, unless another profile is called just so.
    private func pin(_ profile: Profile) -> String {
        let prefix = profile.provider + ":"
        guard profile.id.hasPrefix(prefix), profile.id.count > prefix.count else { return profile.id }
        let short = String(profile.id.dropFirst(prefix.count))
        return snapshot.profile(short) == nil ? short : profile.id
    }
}

/// The whole environment of this process: what a tool inherits.
enum ProcessEnvironment {
    /// Every variable; of one that is there twice the first, as getenv(3) has it.
    static var all: [String: String] {
        var variables: [String: String] = [:]
        var entry = unsafe environ
        while let pointer = unsafe entry.pointee {
            let text = unsafe String(cString: pointer)
            if let equals = text.firstIndex(of: "="), variables[String(text[..<equals])] == nil {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            unsafe entry += 1
        }
        return variables
    }

    /// The executable that a shell would start for `name`; nil when there is none.
    static func program(_ name: String, path: String?) -> String? {
        if name.contains("/") { return unsafe access(name, X_OK) == 0 ? name : nil }
        for folder in (path ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":") {
            let candidate = "\(folder)/\(name)"
            var status = stat()
            if unsafe access(candidate, X_OK) == 0, unsafe stat(candidate, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
                return candidate
            }
        }
        return nil
    }
}
