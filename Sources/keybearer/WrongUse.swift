internal import ArgumentParser

/// A command line that cannot be, told in one line that says what was expected, and one that says where help is. Pure.
///
/// The library's own form repeats the whole usage, and does not say which values an option takes.
struct WrongUse {
    private let message: String
    /// The library's message with the option's help and the usage.
    private let fullMessage: [Substring]
    /// What was typed, without the program's name.
    private let words: [String]

    init(message: String, fullMessage: String, words: [String]) {
        self.message = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        self.fullMessage = fullMessage.split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " } }
        self.words = words
    }

    var text: String {
        let hint = fullMessage.last { $0.hasPrefix("See '") }
        return [explained, hint.map(String.init)].compactMap(\.self).joined(separator: "\n")
    }

    private static let unexpected = "Unexpected argument"
    /// Commands that people give a credential to.
    private static let pasting: Set<String> = ["paste-token", "paste-api-key", "setup-token"]

    private var explained: String {
        if message.hasPrefix(Self.unexpected) {
            // It may be the credential itself, and is not repeated.
            if words.contains(where: Self.pasting.contains) {
                return "\(Self.unexpected): a credential is read from standard input, or asked for, and is never on the command line"
            }
            let commands = commandsInPlace
            let expected = commands.isEmpty ? "nothing more was expected there" : "expected one of \(commands.joined(separator: ", "))"
            return "\(message); \(expected)"
        }
        let saysMore = message.contains("': ")
        return help.map { saysMore ? message : "\(message): \($0)" } ?? message
    }

    /// What the option is for, as its help says it.
    private var help: String? {
        guard let start = fullMessage.firstIndex(where: { $0.hasPrefix("Help:") }) else { return nil }
        let lines = fullMessage[start...].prefix { !$0.hasPrefix("Usage:") }
        let text = lines.joined(separator: " ").dropFirst("Help:".count).drop { $0 == " " }
        // The option's name comes first, two spaces before what it is for.
        guard let gap = text.firstRange(of: "  ") else { return nil }
        let sentence = text[gap.upperBound...].drop { $0 == " " }
        return sentence.isEmpty ? nil : String(sentence.last == "." ? sentence.dropLast() : sentence)
    }

    /// The commands of the group in which something else was typed; empty where no command was expected.
    private var commandsInPlace: [String] {
        guard let hint = fullMessage.last(where: { $0.hasPrefix("See 'keybearer ") }) else { return [] }
        let path = hint.dropFirst("See 'keybearer ".count).split(separator: " ").prefix { $0.first != "-" }
        var group: any ParsableCommand.Type = Keybearer.self
        // A group's usual command is on the path too, though nobody has typed it.
        for name in path where words.contains(String(name)) {
            guard let next = group.configuration.subcommands.first(where: { $0._commandName == name }) else { return [] }
            group = next
        }
        return group.configuration.subcommands.filter { $0.configuration.shouldDisplay }.map { $0._commandName }
    }
}
