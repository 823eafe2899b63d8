/// What may be asked about other processes of this machine, as text, so that another process can answer.
public enum ProcessQuestion: Sendable, Equatable {
    /// In which folder the process works that holds the other end of a connection.
    case folder(SocketOwner)
    /// Which process listens on a TCP port, in a person's words.
    case listener(UInt16)

    /// The form that `init` reads.
    public var text: String {
        switch self {
        case .folder(let owner): "folder \(owner.user) \(owner.process ?? 0) \(owner.inode)"
        case .listener(let port): "listener \(port)"
        }
    }

    /// Reads `text`; nil when it is none.
    public init?(_ text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        switch (words.first, words.count) {
        case ("folder", 4):
            guard let user = UInt32(words[1]), let process = Int32(words[2]), let inode = UInt32(words[3]) else { return nil }
            self = .folder(SocketOwner(user: user, process: process > 0 ? process : nil, inode: inode))
        case ("listener", 2):
            guard let port = UInt16(words[1]) else { return nil }
            self = .listener(port)
        default: return nil
        }
    }
}

/// Answers questions about other processes.
public struct ProcessAnswers {
    /// Processes that were found before, the last one first. A tool opens many connections, and is found there at once.
    private var recent: [Int32] = []

    /// Knows nobody yet.
    public init() {}

    /// What is to be said to a question's text: empty for what nobody knows.
    public mutating func answer(_ question: [UInt8]) -> [UInt8] {
        switch ProcessQuestion(String(decoding: question, as: UTF8.self)) {
        case .folder(let owner): Array((folder(of: owner) ?? "").utf8)
        case .listener(let port): Array(SocketHolder.describe(listenerOn: port).utf8)
        case nil: []
        }
    }

    private mutating func folder(of owner: SocketOwner) -> String? {
        guard let process = owner.process ?? process(holding: owner) else { return nil }
        recent.removeAll { $0 == process }
        recent.insert(process, at: 0)
        if recent.count > 32 { recent.removeLast() }
        return SocketHolder.workingDirectory(of: process)
    }

    private func process(holding owner: SocketOwner) -> Int32? {
        recent.first { SocketHolder.holds($0, owner.inode) } ?? SocketHolder.process(holding: owner.inode, user: owner.user)
    }
}
