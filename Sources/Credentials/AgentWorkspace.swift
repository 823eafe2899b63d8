public import Files

/// The folder that an agent was given by `agents add --workspace`: a file of one line beside the agent's credentials, so that a running
/// server sees it when it sees the agent.
public enum AgentWorkspace {
    static let name = "workspace"

    /// The folder that belongs to the agent whose credentials are in `directory`; nil when it was given none.
    public static func read(_ directory: String) -> String? {
        guard let contents = try? PrivateFile.read("\(directory)/\(name)", limit: 8 << 10) else { return nil }
        let line = String(decoding: contents.bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return line.hasPrefix("/") ? line : nil
    }

    /// Gives the agent a folder: an absolute path without a line break.
    public static func write(_ folder: String, _ directory: String) throws(FileError) {
        try PrivateFile.replace("\(directory)/\(name)", with: Array((folder + "\n").utf8))
    }
}
