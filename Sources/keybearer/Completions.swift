internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import Tools

/// What a shell offers where a name is expected that only this machine knows. Nothing is offered where the settings or the store cannot
/// be read: whoever is typing a command does not want to be told of it now.
enum Completions {
    /// Ids of providers, built in and of the settings.
    static let providers = CompletionKind.custom { words, _, _ in
        (installation(words)?.settings ?? (try? Settings()))?.providers.map(\.id) ?? []
    }

    /// Ids of profiles of the agent that is meant; with `--provider` on the line only that one's.
    static let profiles = CompletionKind.custom { words, _, _ in
        guard let installation = installation(words), let profiles = try? installation.load().profiles else { return [] }
        let provider = CommandWords(words).value(of: "--provider").map { name in
            installation.settings.provider(ProviderName.normalised(name))?.credentialsFrom ?? name
        }
        return profiles.filter { provider == nil || $0.provider == provider }.map(\.id)
    }

    /// Agents that there are.
    static let agents = CompletionKind.custom { words, _, _ in
        installation(words).map { Agents($0).ids } ?? []
    }

    /// Names of client keys.
    static let clients = CompletionKind.custom { words, _, _ in
        installation(words).flatMap { try? ClientBook.read($0.clientsPath) }?.keys.map(\.name) ?? []
    }

    /// Tools for `--tool`.
    static let tools = CompletionKind.list(ToolCatalogue.tools.filter { $0.way != .none }.map(\.id))

    /// Tools whose own file is edited.
    static let fileTools = CompletionKind.list(ToolSettings.Kind.allCases.map(\.rawValue))

    /// Programs of known tools that are on the PATH.
    static let programs = CompletionKind.custom { _, _, _ in
        let path = ProcessEnvironment.all["PATH"]
        return ToolCatalogue.tools.filter { $0.way != .none }.flatMap(\.programs).filter {
            ProcessEnvironment.program($0, path: path) != nil
        }
    }

    private static func installation(_ words: [String]) -> Installation? {
        let line = CommandWords(words)
        let names = ["--state-dir", "--config", "--agent"]
        // In the unfinished line a value may be missing; it is then as if the option was not there.
        let arguments = names.flatMap { name in line.value(of: name).map { [name, $0] } ?? [] }
        guard let options = try? GlobalOptions.parse(arguments) else { return nil }
        return try? Installation(options)
    }
}

/// The words of a command line as a shell hands them to a completion: verbatim, with their quotes. Pure.
struct CommandWords {
    private let words: [String]

    init(_ words: [String]) { self.words = words }

    /// What follows `option`, or stands behind its `=`; nil when the option or its value is not there.
    func value(of option: String) -> String? {
        for (index, word) in words.enumerated() {
            if word == "--" { return nil }
            if word.hasPrefix(option + "=") { return Self.unquoted(String(word.dropFirst(option.count + 1))) }
            guard word == option, index + 1 < words.count, !words[index + 1].isEmpty, words[index + 1].first != "-" else { continue }
            return Self.unquoted(words[index + 1])
        }
        return nil
    }

    /// Without quotes around it, and with the home folder in place of `~/`, as far as a file's name needs it.
    private static func unquoted(_ word: String) -> String {
        var text = word
        if text.count > 1, let quote = text.first, quote == "'" || quote == "\"", text.last == quote {
            return String(text.dropFirst().dropLast())
        }
        if text.hasPrefix("~/"), let home = Surroundings.current.home { text = home + text.dropFirst() }
        return text.replacing("\\ ", with: " ")
    }
}

/// `--generate-completion-script`, where the library's script is not enough: names of profiles have a colon in them.
enum CompletionScript {
    /// The script that `arguments` ask for; nil when they don't, or when the library's own will do.
    static func text(for arguments: [String]) -> String? {
        let option = "--generate-completion-script"
        let words = arguments.count == 1 ? arguments[0].split(separator: "=").map(String.init) : arguments
        guard words.count == 2, words[0] == option else { return nil }
        switch words[1] {
        case "bash": return Keybearer.completionScript(for: .bash) + bashWords
        case "zsh": return Keybearer.completionScript(for: .zsh).replacing(zshAnswer, with: zshAnswer + zshEscape)
        default: return nil
        }
    }

    /// At a colon bash would part a word.
    private static let bashWords = """

        # Names of profiles, such as anthropic:work, are one word.
        COMP_WORDBREAKS="${COMP_WORDBREAKS//:/}"

        """

    /// Behind a colon zsh takes the rest of a candidate for its description.
    private static let zshAnswer = #"completions=("${(@f)"$("${command_name}" "${@}" "${command_line[@]}")"}")"#
    private static let zshEscape = "\n    " + #"completions=("${(@)completions//:/\\:}")"#
}
