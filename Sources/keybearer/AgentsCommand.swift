internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import Files
internal import Glibc
internal import JSON

/// `keybearer agents`
struct AgentsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agents", abstract: "List, add and remove agents: each has credentials of its own.",
        discussion: """
            An agent is a folder beside the others; the proxy serves every agent that has one, at /agents/<id>/<provider>. The settings \
            file is not changed: which agent is the default one is said there, in agents.list.
            """,
        subcommands: [List.self, Add.self, Remove.self], defaultSubcommand: List.self)

    /// `keybearer agents list`
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the agents.",
            discussion: """
                EXAMPLES
                  keybearer agents list
                """)

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let agents = Agents(try Installation(options)).all
            guard !json else { return Output.json(["agents": .array(agents.map(\.document))]) }
            Output.table(
                agents.map { agent in
                    let state = agent.problem ?? (agent.profiles.isEmpty ? "no profiles" : agent.profiles.joined(separator: ", "))
                    return [agent.id, agent.isDefault ? "default" : "", state, agent.workspaces.joined(separator: ", ")]
                })
        }
    }

    /// `keybearer agents add`
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Make a folder for an agent's credentials.",
            discussion: """
                It starts without profiles. A login is not copied from another agent: two holders of one refresh token log each other out.
                With --workspace every program that works in that folder and names no agent is this agent's; it can be given to an agent \
                that is there already, too.

                EXAMPLES
                  keybearer agents add research
                  keybearer agents add work --workspace ~/work
                  keybearer models auth paste-api-key --provider openai --agent research
                """)

        @Argument(help: ArgumentHelp("The agent's name; lower case, and - for what is no letter or digit.", valueName: "name"))
        var name: String

        @Option(help: ArgumentHelp("A folder: programs that work in it or below are this agent's.", valueName: "dir"))
        var workspace: String?

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: GlobalOptions

        func validate() throws {
            guard name.unicodeScalars.contains(where: { $0.isASCII && $0.properties.isAlphabetic || ("0"..."9").contains($0) }) else {
                throw ValidationError("An agent's name has at least one letter (a-z) or digit.")
            }
        }

        func run() throws {
            let agents = Agents(try Installation(options))
            let id = AgentID.normalised(name)
            let isNew = !agents.hasFolder(id)
            guard isNew || workspace != nil else {
                throw Failure.failed("there is an agent \(id) already, in \(agents.store(id).directory)")
            }
            let folder = try workspace.map(Self.folder)
            _ = try PrivateDirectory.ensure(agents.store(id).directory)
            if let folder { try AgentWorkspace.write(folder, agents.store(id).directory) }
            if json { return Output.json(agents.entry(id).document) }
            if isNew { Output.line("added \(id): \(agents.store(id).directory)") }
            if let folder { Output.line("programs that work in \(folder) are served as \(id)") }
            guard agents.entry(id).profiles.isEmpty else { return }
            Output.line("give it a credential: keybearer models auth paste-api-key --provider openai --agent \(id)")
        }

        /// The folder by its real path, as the kernel names where a process works.
        private static func folder(_ given: String) throws -> String {
            guard let path = PrivateFile.realPath(of: given), !path.contains("\n") else {
                throw Failure.failed("there is no folder \(given); make it first")
            }
            return path
        }
    }

    /// `keybearer agents remove`
    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove", abstract: "Remove an agent's credentials and its folder.",
            discussion: """
                Only what Keybearer keeps there is removed, and the folders when nothing else is left in them. Providers are not told: end \
                the sessions there as well.

                EXAMPLES
                  keybearer agents remove research --yes
                """)

        @Argument(help: ArgumentHelp("The agent.", valueName: "name"), completion: Completions.agents)
        var name: String

        @Flag(help: "Remove it even if it has profiles.")
        var yes = false

        @Flag(help: "Print JSON.")
        var json = false

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let agents = Agents(try Installation(options))
            let id = AgentID.normalised(name)
            guard agents.hasFolder(id) else {
                throw Failure.failed("there is no agent \(id); `keybearer agents list` lists those there are")
            }
            guard id != agents.defaultID else { throw Failure.failed("\(id) is the default agent, which is not removed") }
            let entry = agents.entry(id)
            guard yes || entry.profiles.isEmpty && entry.problem == nil else {
                let holding = entry.problem ?? "it has \(entry.profiles.joined(separator: ", "))"
                throw Failure.failed("\(id) is not removed: \(holding); say --yes to remove that as well")
            }
            let rest = try agents.remove(id)
            if json { return Output.json(["id": .string(id), "removed": true, "left": .array(rest.map { .string($0) })]) }
            Output.line("removed \(id)")
            if !rest.isEmpty { Output.line("left, since Keybearer did not make it: \(rest.joined(separator: ", "))") }
            if agents.isInSettings(id) { Output.error("note: agents.list in \(agents.settingsPath) still names it") }
        }
    }
}

/// The agents of an installation.
struct Agents {
    private let installation: Installation

    /// One agent.
    struct Entry {
        let id: String
        let isDefault: Bool
        let directory: String
        /// Ids in stored order.
        let profiles: [String]
        /// The folders whose programs are its own.
        let workspaces: [String]
        /// Why its store cannot be read.
        let problem: String?

        /// With Moltbot's member names where it has them.
        var document: Value {
            [
                "id": .string(id), "isDefault": .bool(isDefault), "agentDir": .string(directory),
                "profiles": .array(profiles.map { .string($0) }), "workspaces": .array(workspaces.map { .string($0) }),
                "problem": problem.map { .string($0) } ?? nil,
            ]
        }
    }

    init(_ installation: Installation) { self.installation = installation }

    var defaultID: String { AgentID.normalised(installation.settings.defaultAgent) }
    var settingsPath: String { installation.settingsPath }

    /// The default one, those of the settings, and those that have a folder: whom the proxy serves.
    var all: [Entry] { ids.map(entry) }

    var ids: [String] {
        var ids = [defaultID]
        let named = installation.settings.agents.map { AgentID.normalised($0.id) }
        let found = Directory.names(in: installation.places.sink + "/agents").sorted()
        for id in named + found where AgentID.normalised(id) == id && !ids.contains(id) { ids.append(id) }
        return ids
    }

    func store(_ id: String) -> AgentStore { installation.store(of: id) }
    func isInSettings(_ id: String) -> Bool { installation.settings.agents.contains { AgentID.normalised($0.id) == id } }
    func hasFolder(_ id: String) -> Bool { PrivateFile.identity(of: store(id).directory) != nil }

    func entry(_ id: String) -> Entry {
        let store = store(id)
        do throws(StoreError) {
            let profiles = try store.load().profiles.map(\.id)
            return Entry(
                id: id, isDefault: id == defaultID, directory: store.directory, profiles: profiles, workspaces: workspaces(id), problem: nil
            )
        } catch {
            return Entry(
                id: id, isDefault: id == defaultID, directory: store.directory, profiles: [], workspaces: workspaces(id),
                problem: error.description)
        }
    }

    /// By the settings, and by `agents add`.
    private func workspaces(_ id: String) -> [String] {
        let settled = installation.settings.agents.filter { AgentID.normalised($0.id) == id }.compactMap(\.workspace)
        return settled + [AgentWorkspace.read(store(id).directory)].compactMap { $0 }
    }

    /// Removes what is Keybearer's in an agent's folder; the paths that are left.
    func remove(_ id: String) throws -> [String] {
        let store = store(id)
        // Each goes with its lane held, so that no refresh in flight writes it back.
        if let profiles = try? store.load().profiles {
            for profile in profiles {
                let client = installation.settings.provider(profile.provider)?.oauth
                _ = try Waiting.show(Waiting.store) { () throws(StoreError) in try store.remove(id: profile.id, client: client) }
            }
        }
        for name in Directory.names(in: store.directory) where AgentStore.keeps(fileNamed: name) {
            unsafe unlink("\(store.directory)/\(name)")
        }
        let folder = "\(store.sink)/agents/\(id)"
        unsafe rmdir(store.directory)
        unsafe rmdir(folder)
        let inner = Directory.names(in: store.directory).map { "\(store.directory)/\($0)" }
        return (inner + Directory.names(in: folder).filter { $0 != "agent" }.map { "\(folder)/\($0)" }).sorted()
    }
}
