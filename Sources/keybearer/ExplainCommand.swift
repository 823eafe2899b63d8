internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import JSON
internal import Logging
internal import Proxy

/// `keybearer explain`
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say which profile would serve a request, and why no other one.",
        discussion: """
            Every profile of the provider is listed, the one that would serve first, then those that would follow if it were refused, then \
            the rest with the rule that drops them. The running server is asked; when none runs, its files are read. Nothing is sent, \
            refreshed or changed.

            EXAMPLES
              keybearer explain --provider anthropic
              keybearer explain --provider anthropic --model claude-sonnet-4-5@work
              keybearer explain --provider openai-codex --session 6f1c0a34 --json | jq -r '.explanations[0].outcome.profile'
            """)

    @Option(help: ArgumentHelp("The provider; all that have profiles when left out.", valueName: "provider"))
    var provider: String?

    @Option(help: ArgumentHelp("The model, as a client would send it.", valueName: "model"))
    var model: String?

    @Option(help: ArgumentHelp("The session's id, as a client would send it.", valueName: "id"))
    var session: String?

    @Option(help: ArgumentHelp("The profile that a field or path would name.", valueName: "profileId"))
    var profile: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: GlobalOptions

    func run() throws {
        let installation = try Installation(options)
        var question = ExplainQuestion()
        question.provider = try provider.map { try installation.provider($0).id }
        question.model = model
        question.session = session
        question.profile = profile
        question.agent = options.agent
        let query = ExplainQuestion.members.compactMap { member in question[keyPath: member.path].map { (member.name, $0) } }
        let answer = try installation.control.value("GET", ["explain"], query) ?? preview(installation, question)
        guard !json else { return Output.json(answer) }
        let explanations = answer["explanations"]?.array ?? []
        guard !explanations.isEmpty else { return Output.line("There is no profile yet; `keybearer onboard` adds one.") }
        for explanation in explanations { Self.show(explanation) }
    }

    private func preview(_ installation: Installation, _ question: ExplainQuestion) throws -> Value {
        let preview = ChoicePreview(
            settings: installation.settings, sink: installation.places.sink, sessions: installation.sessionsPath,
            environmentKeys: installation.environmentKeys, logger: Logger(label: "explain") { _ in SwiftLogNoOpLogHandler() })
        do throws(ExplainFlaw) {
            return try preview.explain(question)
        } catch {
            throw Failure.failed(error.description)
        }
    }

    private static func show(_ explanation: Value) {
        Output.line("\(explanation["provider"]?.string ?? ""): \(outcome(explanation["outcome"]))")
        if let problem = explanation["storeProblem"]?.string { Output.line("  the store cannot be read: \(problem)") }
        var place = 0
        let rows = (explanation["candidates"]?.array ?? []).map { row in
            let isKept = row["state"]?.string != "dropped"
            if isKept { place += 1 }
            return [isKept ? "\(place)" : "-", row["profile"]?.string ?? "", row["state"]?.string ?? "", row["rule"]?.string ?? ""]
        }
        Output.table(rows, indent: "  ")
    }

    private static func outcome(_ outcome: Value?) -> String {
        if let profile = outcome?["profile"]?.string { return "\(profile) (\(outcome?["reason"]?.string ?? ""))" }
        let wait = outcome?["retryAfterSeconds"]?.int64.map { "; again in \($0) s" } ?? ""
        return "nobody (\(outcome?["error"]?.string ?? "")\(wait))"
    }
}
