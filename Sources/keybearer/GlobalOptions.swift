internal import ArgumentParser

/// What every command takes.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: .customLong("state-dir"),
        help: ArgumentHelp("Folder of settings and credentials, in place of ~/.keybearer.", valueName: "dir"), completion: .directory)
    var stateDirectory: String?

    @Option(
        help: ArgumentHelp("Settings file, in place of keybearer.json5 in the state directory.", valueName: "file"),
        completion: .file(extensions: ["json5", "json"]))
    var config: String?

    @Option(help: ArgumentHelp("Agent whose credentials are meant; else the default one.", valueName: "id"), completion: Completions.agents)
    var agent: String?
}
