/// Where the value of a member comes from.
public enum Origin: Sendable, Equatable, CustomStringConvertible {
    /// Nobody set it.
    case builtIn
    /// A settings file or a provider file.
    case file(path: String, line: Int)
    /// A command-line flag, by its name.
    case flag(String)

    /// As `config show` prints it.
    public var description: String {
        switch self {
        case .builtIn: "built in"
        case .file(let path, let line): "\(path):\(line)"
        case .flag(let name): name
        }
    }
}

/// The origin of every member that somebody set, by its full path (`timeouts.head`, `providers.openai.baseURL`).
public struct Origins: Sendable, Equatable {
    private var byMember: [String: Origin] = [:]

    /// All built in.
    init() {}

    init(_ places: [String: Reading.Place]) {
        byMember = places.mapValues { .file(path: $0.source, line: $0.line) }
    }

    /// The origin of a member that has a value of its own; built in when nobody set it.
    public subscript(member: String) -> Origin {
        byMember[member] ?? .builtIn
    }

    mutating func set(_ member: String, _ origin: Origin) {
        byMember[member] = origin
    }
}
