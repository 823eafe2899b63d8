internal import Children
internal import Configuration
internal import Credentials
internal import Files
internal import Glibc

/// The Keybearer that a command is about: its settings, its places, and the agent that is meant.
struct Installation {
    let settings: Settings
    let places: StatePlaces
    /// The settings file, whether it is there or not.
    let settingsPath: String
    /// Normalised.
    let agentID: String
    /// What is wrong with provider files that were passed over.
    let wrongProviderFiles: [SettingsError.Problem]

    /// The agent's credentials.
    var store: AgentStore { store(of: agentID) }

    /// What the agent may use: its own profiles, and main's where the settings say that it inherits them.
    func load() throws(StoreError) -> StoreSnapshot {
        let own = try store.load()
        return try inherited.map { own.inheriting(from: $0, of: AgentID.main) } ?? own
    }

    /// What main holds, where the agent inherits it.
    var inherited: StoreSnapshot? {
        get throws(StoreError) { settings.inherits(agentID) ? try store(of: AgentID.main).load() : nil }
    }

    /// The store whose file holds the profile.
    func owner(of id: String, in snapshot: StoreSnapshot) -> AgentStore { snapshot.owner(of: id).map(store(of:)) ?? store }

    /// Another agent's.
    func store(of agentID: String) -> AgentStore { AgentStore(sink: places.sink, agentID: agentID, programs: programs) }

    /// Starts programs for this process. A server starts it before its threads; a command when one is needed.
    static let runner = Runner()
    /// What the settings say of references, and the programs among them.
    private let programs: SecretPrograms

    /// Keys that this process's environment holds.
    var environmentKeys: [EnvironmentKey] {
        let variables = ProcessEnvironment.all
        return EnvironmentKey.found(for: settings.providers) { variables[$0] }
    }

    /// Finds the state directory, reads the settings in it, and finds the credentials by what they say (DESIGN §6).
    ///
    /// - Parameters:
    ///   - passesOver: provider files that are wrong are left out, and not the end.
    ///   - files: further provider files, after those of the state directory.
    /// - Throws: `Failure`, with code 78 for settings that are wrong.
    init(
        _ options: GlobalOptions, overrides: SettingsOverrides = SettingsOverrides(), passesOver: Bool = false, files: [String] = []
    ) throws {
        let surroundings = Surroundings.current
        var inputs = StatePlaces.Inputs(
            stateDirectoryFlag: options.stateDirectory, environment: surroundings.environment, home: surroundings.home ?? "",
            currentDirectory: surroundings.currentDirectory)
        // The first look is for the state directory alone, which does not depend on what is on disk.
        let nothing = StatePlaces.Probe(hasProfiles: { _, _ in false }, isRetired: { _, _ in false })
        let stateDirectory = StatePlaces.resolve(inputs, probe: nothing).stateDirectory
        if surroundings.home == nil, stateDirectory == StatePlaces.resolve(Self.homeless, probe: nothing).stateDirectory {
            throw Failure.configuration("this user has no home folder: set HOME, or name a folder with --state-dir")
        }
        settingsPath = options.config ?? "\(stateDirectory)/\(SettingsFile.name)"
        let providerFiles = Self.providerFiles(in: stateDirectory).filter { !files.contains($0) } + files
        if passesOver {
            (settings, wrongProviderFiles) = try SettingsFile.loadPassingOver(
                path: options.config, stateDirectory: stateDirectory, providerFiles: providerFiles, overrides: overrides)
        } else {
            settings = try SettingsFile.load(
                path: options.config, stateDirectory: stateDirectory, providerFiles: providerFiles, overrides: overrides)
            wrongProviderFiles = []
        }
        agentID = AgentID.normalised(options.agent ?? settings.defaultAgent)
        programs = SecretPrograms(settings.secrets, Self.runner)
        inputs.sinkSetting = settings.sink
        inputs.agentID = agentID
        places = StatePlaces.resolve(inputs, probe: .live)
    }

    /// The inputs of a user without a home who names nothing.
    private static let homeless = StatePlaces.Inputs(environment: [:], home: "", currentDirectory: "/")

    /// The provider files of a state directory, sorted, so that a later name overrides an earlier one on every machine alike.
    static func providerFiles(in stateDirectory: String) -> [String] {
        let folder = stateDirectory + "/providers"
        return Directory.names(in: folder).filter { $0.hasSuffix(".json5") && !$0.hasPrefix(".") }.sorted().map { "\(folder)/\($0)" }
    }

    /// The provider called `name`, by id or an alias.
    ///
    /// - Throws: `Failure`, naming the providers there are.
    func provider(_ name: String) throws -> Provider {
        let id = ProviderName.normalised(name)
        if let provider = settings.provider(id) { return provider }
        let known = settings.providers.map(\.id)
        let close = Suggestion.closest(to: id, among: known).map { "did you mean \"\($0)\"?" }
        throw Failure.usage(
            "there is no provider \"\(name)\"; \(close ?? "there are \(known.joined(separator: ", ")), and those you add to \(settingsPath)")"
        )
    }

    /// Why nothing can be done with `provider` by itself: its profiles belong to another one.
    func credentialProvider(_ name: String) throws -> Provider {
        let provider = try provider(name)
        return provider.credentialsFrom == provider.id ? provider : try self.provider(provider.credentialsFrom)
    }
}
