internal import CLinux
internal import Configuration
internal import Credentials
internal import Files
internal import Glibc

/// What a server takes from itself before it has a thread: it runs no program, and writes nowhere but where its files are. Programs, and
/// looks at other processes, are the runner's, which was started before.
enum Confinement {
    /// Whether the kernel does it.
    enum Outcome: Equatable {
        case confined
        /// Why not, for people.
        case not(String)
    }

    private static let writing =
        KB_LANDLOCK_WRITE_FILE | KB_LANDLOCK_REMOVE_DIR | KB_LANDLOCK_REMOVE_FILE | KB_LANDLOCK_MAKE_DIR | KB_LANDLOCK_MAKE_REG
        | KB_LANDLOCK_MAKE_SOCK
    private static let others =
        KB_LANDLOCK_EXECUTE | KB_LANDLOCK_MAKE_CHAR | KB_LANDLOCK_MAKE_FIFO | KB_LANDLOCK_MAKE_BLOCK | KB_LANDLOCK_MAKE_SYM

    /// Confines this process for good. `folders`: below which it may write; those that are not there are left out.
    static func confine(writingBelow folders: [String]) -> Outcome {
        let rules = kb_landlock_create(UInt64(writing | others))
        guard rules >= 0 else { return .not("this kernel has no Landlock") }
        defer { close(rules) }
        for folder in folders where unsafe access(folder, F_OK) == 0 {
            guard unsafe kb_landlock_allow(rules, folder, UInt64(writing)) == 0 else {
                // Confined without it, tokens could not be written down.
                return .not("\(folder) cannot be named in a rule")
            }
        }
        return kb_landlock_restrict(rules) == 0 ? .confined : .not("the kernel does not take the rules")
    }

    /// Where a server of this installation writes: its own folder and the credentials', sockets' folders, and where those of them that are
    /// links, and stores that are, really are.
    static func folders(_ installation: Installation) -> [String] {
        let (state, sink) = (installation.places.stateDirectory, installation.places.sink)
        let agents = Agents(installation)
        let stores = agents.ids.map { agents.store($0).directory }
        let files = stores.flatMap { store in Directory.names(in: store).compactMap { PrivateFile.realPath(of: "\(store)/\($0)") } }
        let named = [state, "\(state)/logs", "\(state)/run", sink, "\(sink)/agents", "\(sink)/keybearer"] + stores
        let sockets = installation.settings.listen.compactMap(\.path)
        return Set((named + (sockets + files).compactMap(folder(of:))).compactMap { PrivateFile.realPath(of: $0) }).sorted()
    }

    private static func folder(of path: String) -> String? {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) }
    }
}
