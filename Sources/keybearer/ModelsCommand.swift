internal import ArgumentParser
internal import Configuration
internal import Credentials

/// `keybearer models`: the names are Moltbot's, so that what people know works here.
struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "See and change the credentials.", subcommands: [StatusCommand.self, AuthCommand.self],
        defaultSubcommand: StatusCommand.self)
}

/// `keybearer models auth`
struct AuthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "auth", abstract: "Add, order and remove profiles.",
        subcommands: [
            AuthAddCommand.self, LoginCommand.self, SetupTokenCommand.self, PasteTokenCommand.self, PasteAPIKeyCommand.self,
            AuthListCommand.self, OrderCommand.self, LogoutCommand.self,
        ])
}

/// `keybearer models auth logout`
struct LogoutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout", abstract: "Remove a profile and its credential.",
        discussion: """
            The provider is not told: end the session or delete the key there as well.

            EXAMPLES
              keybearer models auth logout anthropic:work
            """)

    @Argument(
        help: ArgumentHelp("The profile, as `keybearer models status` names it.", valueName: "profile"), completion: Completions.profiles)
    var profileID: String

    @OptionGroup var options: GlobalOptions

    func run() throws {
        let installation = try Installation(options)
        let store = installation.store
        if let owner = try installation.load().owner(of: profileID) {
            throw Failure.failed("\(profileID) is inherited: it belongs to the agent \(owner); say --agent \(owner) to remove it there")
        }
        let profile = try store.load().profile(profileID)
        // With the client, a refresh of this profile that is under way ends first.
        let client = profile.flatMap { installation.settings.provider($0.provider)?.oauth }
        _ = try Waiting.show(Waiting.store) { () throws(StoreError) in try store.remove(id: profileID, client: client) }
        Output.line("removed \(profileID) from \(store.profilesPath)")
        if let overlay = profile?.overlay { Output.line("\(overlay.path) is as it was: \(overlay.owner.name) stays logged in") }
    }
}
