/// Why a tool's own settings file is left as it is.
public enum ToolSettingsError: Error, Sendable, Equatable {
    /// It cannot be read; the line is nil where it is not known.
    case unreadable(line: Int?, message: String)
    /// What we would write stands there already, and is not ours.
    case occupied(String)
    /// What we wrote has been changed, so that it cannot be taken out safely.
    case damaged(String)
    /// Our part is not there.
    case absent

    /// What is wrong with the file at `path`, and what to do.
    public func description(of path: String) -> String {
        switch self {
        case .unreadable(let line, let message): "\(path)\(line.map { ":\($0)" } ?? ""): \(message); it is left as it is"
        case .occupied(let message): "\(path): \(message); it is left as it is"
        case .damaged(let message): "\(path): \(message); it is left as it is, and what it was before is beside it if it was kept"
        case .absent: "\(path) holds nothing of Keybearer's; there is nothing to undo"
        }
    }
}
