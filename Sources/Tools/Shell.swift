/// A shell whose commands we write.
public enum Shell: String, Sendable, CaseIterable {
    case bash, zsh, fish

    /// The shell that a path such as `$SHELL` names; nil for another one.
    public init?(path: String) {
        self.init(rawValue: path.split(separator: "/").last.map(String.init) ?? path)
    }

    /// The command that sets a variable for this shell and its children.
    public func export(_ variable: Tool.Variable) -> String {
        switch self {
        case .bash, .zsh: "export \(variable.name)=\(quoted(variable.value))"
        case .fish: "set -gx \(variable.name) \(quoted(variable.value))"
        }
    }

    /// The command that removes a variable, set or not.
    public func unset(_ name: String) -> String {
        switch self {
        case .bash, .zsh: "unset \(name)"
        case .fish: "set -e \(name)"
        }
    }

    /// The command that takes these commands over.
    public func evaluation(of command: String) -> String {
        switch self {
        case .bash, .zsh: "eval \"$(\(command))\""
        case .fish: "\(command) | source"
        }
    }

    /// The text as one word. Nothing is special between single quotes, but for the quote itself, and in fish the backslash.
    public func quoted(_ text: String) -> String {
        if !text.isEmpty, text.utf8.allSatisfy(Self.isPlain) { return text }
        switch self {
        case .bash, .zsh: return "'" + text.replacing("'", with: "'\\''") + "'"
        case .fish: return "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
        }
    }

    /// Characters that no shell gives a meaning, wherever they stand.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "-_./:,@".utf8.contains(byte)
        }
    }
}
