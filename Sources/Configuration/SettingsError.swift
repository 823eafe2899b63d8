/// Everything that is wrong with the settings: every flaw is collected, so that a file is corrected in one go.
public struct SettingsError: Error, Sendable, Equatable, CustomStringConvertible {
    /// In the order of the files, then of the lines. Never empty.
    public let problems: [Problem]

    /// One flaw, and what to do about it.
    public struct Problem: Sendable, Equatable, CustomStringConvertible {
        /// The file, or the flag (`--listen`).
        public let source: String
        /// 1-based; `nil` when the flaw is not at a place (a file that cannot be read, a flag).
        public let line: Int?
        /// 1-based.
        public let column: Int?
        /// The full path of the member, such as `providers.openai.baseURL`; empty when the file as a whole is meant.
        public let member: String
        /// What is wrong and what was expected, a sentence's part without a full stop. Never quotes a value that may be secret.
        public let message: String

        /// Whether a flag is meant, and no file.
        var isFlag: Bool { source.hasPrefix("--") }

        /// `file:line:column: member: message`; a flag has no member that a person would know.
        public var description: String {
            if isFlag { return "\(source): \(message)" }
            var place = source
            if let line { place += ":\(line)" }
            if let column { place += ":\(column)" }
            return [place, member, message].filter { !$0.isEmpty }.joined(separator: ": ")
        }
    }

    init(_ problems: [Problem]) {
        self.problems = problems
    }

    /// Whether it is the command line that is wrong, and no file.
    public var isFlags: Bool { problems.allSatisfy(\.isFlag) }

    /// One line a flaw.
    public var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}
