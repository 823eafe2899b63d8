public import Files

/// Why the store could not be read or changed. The text says where and what to do; it never holds a value from the file.
public enum StoreError: Error, Sendable {
    /// The file system refused, or a file's owner, mode or kind is not acceptable.
    case file(FileError)
    /// A file does not hold what it should. It was left as it is; `copy` names the copy kept beside it, nil if none could be made, and
    /// `lastGood` what it held when we last wrote it, nil if there is no such copy.
    case unreadable(path: String, line: Int, column: Int, message: String, copy: String?, lastGood: String? = nil)
    /// The folder belongs to a neighbour that keeps its logins in SQLite: its JSON is stale, and using it would revoke the login.
    case retired(path: String)
    /// Another process held the lock for the whole wait.
    case locked(path: String)
    /// No profile of that name is in the store.
    case unknownProfile(id: String)
    /// The profile belongs to another provider than the one named.
    case providerMismatch(id: String, provider: String)
    /// What was to be written is not acceptable.
    case invalid(String)
}

extension StoreError: CustomStringConvertible {
    /// One sentence for people.
    public var description: String {
        switch self {
        case .file(let error):
            return error.description
        case .unreadable(let path, let line, let column, let message, let copy, let lastGood):
            let kept = copy.map { "a copy is kept as \($0)" } ?? "no copy of it could be kept"
            let goBack = lastGood.map { "correct it, put back \($0) if nothing was logged in since, or" } ?? "correct it, or"
            return
                "\(path):\(line):\(column): \(message). The file was left as it is (\(kept)); \(goBack) move it away and log in again."
        case .retired(let path):
            return "OpenClaw keeps this agent's logins in \(path) now, and its JSON files are stale; they are not used."
        case .locked(let path):
            return "\(path) is held by another process for too long; try again, or see which process holds it (lsof)."
        case .unknownProfile(let id):
            return "There is no profile \(id); `keybearer models status` lists those there are."
        case .providerMismatch(let id, let provider):
            return "The profile \(id) belongs to \(provider); name it in the order of \(provider), and here profiles of this provider."
        case .invalid(let message):
            return message
        }
    }
}
