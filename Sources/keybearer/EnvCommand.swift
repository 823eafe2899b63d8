internal import ArgumentParser
internal import Configuration
internal import Glibc
internal import JSON
internal import Tools

/// `keybearer env`
struct EnvCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "env", abstract: "Print the variables that point a tool at Keybearer.",
        discussion: """
            Nothing is changed, and no secret is printed: the keys are placeholders, which Keybearer replaces. Without --tool, the \
            variables of the providers' own libraries, as far as there are profiles. `keybearer tools` lists the tools.

            EXAMPLES
              eval "$(keybearer env)"
              eval "$(keybearer env --tool claude --profile work)"
              keybearer env --tool aider --shell fish | source
              keybearer env --tool openai-sdk --provider groq --json
            """)

    @Option(help: ArgumentHelp("A tool of `keybearer tools`.", valueName: "tool"), completion: Completions.tools)
    var tool: String?

    @Option(
        help: ArgumentHelp("bash, zsh or fish; else that of $SHELL.", valueName: "shell"), completion: .list(Shell.allCases.map(\.rawValue))
    )
    var shell: ShellName?

    @Option(
        help: ArgumentHelp("Provider to send the tool to, in place of its usual one.", valueName: "provider"),
        completion: Completions.providers)
    var provider: String?

    @Option(help: ArgumentHelp("Profile that every request is to use, and no other.", valueName: "id"), completion: Completions.profiles)
    var profile: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: GlobalOptions

    func run() throws {
        let tool = try self.tool.map(Self.find) ?? ToolCatalogue.anyProgram
        let target = try ToolTarget(options)
        let choice = try target.choice(for: tool, provider: provider, profile: profile)
        if json { Output.json(Self.document(tool, choice)) } else { printCommands(choice.plan) }
        for provider in target.unready(choice.routes) {
            Output.error("note: there is no profile of \(provider.id) yet: \(ToolTarget.remedy(provider))")
        }
        if tool.way != .environment { for note in tool.notes { Output.error("note: \(note)") } }
    }

    private func printCommands(_ plan: ToolPlan) {
        let shell = self.shell?.shell ?? ProcessEnvironment.all["SHELL"].flatMap { Shell(path: $0) } ?? .bash
        for name in plan.removed { Output.line(shell.unset(name)) }
        for variable in plan.variables { Output.line(shell.export(variable)) }
        // For a person who looks at it, not for a shell that evaluates it.
        if isatty(STDOUT_FILENO) == 1 { Output.error("note: to take this over: \(shell.evaluation(of: commandLine))") }
    }

    private var commandLine: String {
        let given = [("--tool", tool), ("--provider", provider), ("--profile", profile)].compactMap { name, value in
            value.map { "\(name) \($0)" }
        }
        return (["keybearer env"] + given).joined(separator: " ")
    }

    private static func document(_ tool: Tool, _ choice: ToolTarget.Choice) -> Value {
        [
            "tool": .string(tool.id), "server": .string(choice.endpoint.origin),
            "providers": .array(choice.routes.map { .string($0.provider) }),
            "variables": .object(Object(choice.plan.variables.map { ($0.name, .string($0.value)) })),
            "unset": .array(choice.plan.removed.map { .string($0) }),
            "arguments": .array(choice.plan.arguments.map { .string($0) }), "notes": .array(tool.notes.map { .string($0) }),
        ]
    }

    /// The tool called `name`.
    ///
    /// - Throws: `Failure`, naming the tools there are.
    static func find(_ name: String) throws -> Tool {
        if let tool = ToolCatalogue.tool(name) { return tool }
        let known = ToolCatalogue.tools.map(\.id).joined(separator: ", ")
        throw Failure.usage("\"\(name)\" is not a tool that Keybearer knows; it knows \(known). For others: keybearer env")
    }
}

/// The value of `--shell`.
struct ShellName: ExpressibleByArgument {
    let shell: Shell

    init?(argument: String) {
        guard let shell = Shell(rawValue: argument) else { return nil }
        self.shell = shell
    }

    static var allValueStrings: [String] { Shell.allCases.map(\.rawValue) }
}
