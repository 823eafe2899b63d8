/// Which agent a process belongs to by the folder it works in: two tools in two folders use two accounts with one address.
public struct Workspaces: Sendable, Equatable {
    private let folders: [Folder]

    private struct Folder: Sendable, Equatable {
        let agent: String
        /// Without a slash at its end; empty for the root.
        let path: String
    }

    /// The workspaces of agents; paths are absolute, with links resolved.
    public init(_ workspaces: [(agent: String, path: String)]) {
        let folders = workspaces.map { workspace in
            var path = workspace.path[...]
            while path.hasSuffix("/") { path = path.dropLast() }
            return Folder(agent: workspace.agent, path: String(path))
        }
        // The innermost of nested workspaces is found first, and of two for one folder the one that is named first.
        self.folders = folders.enumerated().sorted {
            ($1.element.path.utf8.count, $0.offset) < ($0.element.path.utf8.count, $1.offset)
        }.map(\.element)
    }

    /// There are none: nobody has to be asked where he works.
    public var isEmpty: Bool { folders.isEmpty }

    /// The agent whose workspace this folder is, or lies in.
    public func agent(workingIn folder: String) -> String? {
        folders.first { folder == $0.path || folder.hasPrefix($0.path + "/") }?.agent
    }
}
