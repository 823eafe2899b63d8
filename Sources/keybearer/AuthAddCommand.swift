internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import Glibc

/// `keybearer models auth add`
struct AuthAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a profile, step by step.",
        discussion: """
            Asks what you have and leads to the command for it; in scripts, use that command itself: login, setup-token, paste-token or \
            paste-api-key.

            EXAMPLES
              keybearer models auth add
            """)

    @OptionGroup var options: GlobalOptions

    func run() throws {
        guard LoginTerminal.isThere else {
            throw Failure.usage("this command asks at a terminal; in a script use login, setup-token, paste-token or paste-api-key")
        }
        let installation = try Installation(options)
        let choices = AuthChoice.all(installation.settings)
        let choice = choices[try Self.ask("What do you have?", choices.map(\.text))]
        let providers = choice.providers
        let provider = providers.count == 1 ? providers[0] : providers[try Self.ask("Whose is it?", providers)]
        try choice.command(["--provider", provider] + passedOn)
    }

    /// Our own options, for the command that does the work.
    private var passedOn: [String] {
        [("--state-dir", options.stateDirectory), ("--config", options.config), ("--agent", options.agent)]
            .flatMap { name, value in value.map { [name, $0] } ?? [] }
    }

    /// Asks until one of `answers` is named by its number or by itself; its place.
    private static func ask(_ question: String, _ answers: [String]) throws -> Int {
        Output.error(question)
        for (number, answer) in answers.enumerated() { Output.error("  \(number + 1)  \(answer)") }
        while true {
            Output.write("1 to \(answers.count): ", to: STDERR_FILENO)
            guard let line = readLine() else { throw Failure.failed("nothing was chosen, and nothing was changed") }
            let text = line.trimmed
            if let number = Int(text), (1...answers.count).contains(number) { return number - 1 }
            if let place = answers.firstIndex(of: text) { return place }
        }
    }
}

/// Something that a person may have, and the command that takes it.
struct AuthChoice {
    let text: String
    /// Whose it can be.
    let providers: [String]
    /// Nothing is known about it, not even how it looks.
    var isLastResort = false
    /// Runs the command for it.
    let command: ([String]) throws -> Void

    /// What the providers of `settings` take, best first.
    static func all(_ settings: Settings) -> [AuthChoice] {
        let own = settings.providers.filter { $0.credentialsFrom == $0.id && $0.needsCredential }
        func ids(_ isMeant: (Provider) -> Bool) -> [String] { own.filter(isMeant).map(\.id) }
        let logins = ids(\.hasLogin)
        let choices = [
            // The one that most people mean; with the others the question would always be whose it is.
            AuthChoice(text: "an account to log in with (ChatGPT for Codex)", providers: Array(logins.prefix(1))) {
                try LoginCommand.parse($0).run()
            },
            AuthChoice(text: "a Claude subscription (setup-token)", providers: ids { $0.setupToken != nil }) {
                try SetupTokenCommand.parse($0).run()
            },
            AuthChoice(text: "an API key", providers: ids { $0.injection(for: .apiKey) != nil }) {
                try PasteAPIKeyCommand.parse($0).run()
            },
            AuthChoice(text: "an account of another provider, or its own program (az, gcloud)", providers: Array(logins.dropFirst())) {
                try LoginCommand.parse($0).run()
            },
            AuthChoice(text: "another token", providers: ids { $0.injection(for: .token) != nil }, isLastResort: true) {
                try PasteTokenCommand.parse($0).run()
            },
        ]
        return choices.filter { !$0.providers.isEmpty }
    }

    /// As above, one for every way and provider, of these providers alone. A token that nothing is known about is offered only where
    /// there is no other way.
    static func each(_ settings: Settings, of owners: [String]) -> [AuthChoice] {
        let each = all(settings).flatMap { choice in
            owners.filter(choice.providers.contains).map { owner in
                let text = choice.providers.count > 1 ? "\(choice.text) of \(owner)" : choice.text
                return AuthChoice(text: text, providers: [owner], isLastResort: choice.isLastResort, command: choice.command)
            }
        }
        let known = each.filter { !$0.isLastResort }
        return known.isEmpty ? each : known
    }
}

extension String {
    /// Without white space around it.
    fileprivate var trimmed: String {
        let start = drop(while: \.isWhitespace)
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...last])
    }
}
