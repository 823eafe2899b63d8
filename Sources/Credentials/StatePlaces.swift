/// Where Keybearer's own files and the credentials are (DESIGN §6), decided from facts alone: no file is touched here.
public struct StatePlaces: Sendable, Equatable {
    /// Ours: settings, control socket, logs.
    public let stateDirectory: String
    /// The folder that holds `agents/`.
    public let sink: String
    /// One sentence for people when the sink is a neighbour's, or when a neighbour's was passed over; nil when there is nothing to say.
    public let notice: String?

    /// What the decision depends on.
    public struct Inputs: Sendable {
        /// `--state-dir`.
        public var stateDirectoryFlag: String?
        /// The setting `sink`.
        public var sinkSetting: String?
        /// The process's environment.
        public var environment: [String: String]
        /// The user's home folder, absolute.
        public var home: String
        /// The folder relative paths start from.
        public var currentDirectory: String
        /// The agent asked for.
        public var agentID: String

        /// The inputs of one decision.
        public init(
            stateDirectoryFlag: String? = nil, sinkSetting: String? = nil, environment: [String: String], home: String,
            currentDirectory: String, agentID: String = AgentID.main
        ) {
            self.stateDirectoryFlag = stateDirectoryFlag
            self.sinkSetting = sinkSetting
            self.environment = environment
            self.home = home
            self.currentDirectory = currentDirectory
            self.agentID = agentID
        }
    }

    /// What is on disk, as questions about a sink and an agent.
    public struct Probe: Sendable {
        /// Whether the agent has at least one profile there (or a store that cannot be read, which is not to be walked past).
        public var hasProfiles: @Sendable (_ sink: String, _ agentID: String) -> Bool
        /// Whether the agent's logins have moved to SQLite there.
        public var isRetired: @Sendable (_ sink: String, _ agentID: String) -> Bool

        /// A probe that answers by these.
        public init(
            hasProfiles: @escaping @Sendable (_ sink: String, _ agentID: String) -> Bool,
            isRetired: @escaping @Sendable (_ sink: String, _ agentID: String) -> Bool
        ) {
            self.hasProfiles = hasProfiles
            self.isRetired = isRetired
        }
    }

    /// The places for `inputs`.
    ///
    /// The sink is, in this order: the setting `sink`; the state directory where it was named; the folder a neighbour's environment
    /// variable names; ours when it holds a profile; a neighbour's default folder that holds one; ours. A folder whose agent has moved
    /// to SQLite is never used, by whatever name.
    public static func resolve(_ inputs: Inputs, probe: Probe) -> StatePlaces {
        let own = inputs.home + "/.keybearer"
        let named = inputs.path(inputs.stateDirectoryFlag) ?? inputs.path(inputs.environment["KEYBEARER_STATE_DIR"])
        let state = named ?? own
        var passedOver: String?
        func isUsable(_ sink: String) -> Bool {
            guard probe.isRetired(sink, inputs.agentID) else { return true }
            passedOver = passedOver ?? sink
            return false
        }
        func places(_ sink: String, _ notice: String? = nil) -> StatePlaces {
            let warning = passedOver.map {
                "\($0) is not used for agent \(inputs.agentID): OpenClaw keeps its logins in SQLite there and its JSON files are stale."
            }
            let sentences = [warning, notice].compactMap { $0 }
            return StatePlaces(stateDirectory: state, sink: sink, notice: sentences.isEmpty ? nil : sentences.joined(separator: " "))
        }

        if let sink = inputs.path(inputs.sinkSetting), isUsable(sink) { return places(sink) }
        if let named, isUsable(named) { return places(named) }
        for variable in ["OPENCLAW_STATE_DIR", "MOLTBOT_STATE_DIR", "CLAWDBOT_STATE_DIR"] {
            guard let sink = inputs.path(inputs.environment[variable]), isUsable(sink) else { continue }
            return places(sink, "Credentials are those in \(sink) ($\(variable)).")
        }
        if probe.hasProfiles(own, inputs.agentID) { return places(own) }
        for folder in [".openclaw", ".moltbot", ".clawdbot"] {
            let sink = inputs.home + "/" + folder
            guard probe.hasProfiles(sink, inputs.agentID), isUsable(sink) else { continue }
            return places(sink, "Credentials are those in \(sink): ours (\(own)) holds none.")
        }
        return places(own)
    }
}

extension StatePlaces.Inputs {
    /// A path as upstream reads it from a variable (spec/credential-formats.md §1.1): trimmed, nil when blank, `~` expanded when it is
    /// the first character and ends a component, made absolute.
    public func path(_ text: String?) -> String? {
        guard let text else { return nil }
        var path = String(Substring(text).trimmingWhitespace())
        guard !path.isEmpty else { return nil }
        if path == "~" || path.hasPrefix("~/") || path.hasPrefix("~\\") { path = home + path.dropFirst() }
        if !path.hasPrefix("/") { path = currentDirectory + "/" + path }
        let components = path.split(separator: "/").filter { $0 != "." }
        return "/" + components.joined(separator: "/")
    }
}

extension StatePlaces.Probe {
    /// Looks at the real files.
    public static var live: StatePlaces.Probe {
        StatePlaces.Probe(
            hasProfiles: { sink, agentID in
                let store = AgentStore(sink: sink, agentID: agentID)
                guard store.identity().profiles != nil else { return store.hasLegacyProfiles }
                guard let document = try? store.document() else { return true }
                return !document.profileIDs.isEmpty
            },
            isRetired: { sink, agentID in AgentStore(sink: sink, agentID: agentID).isRetired })
    }
}
