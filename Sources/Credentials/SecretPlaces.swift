import JSON

/// What secret references mean: the member `secrets` of the settings, ours or a neighbour's (spec/credential-formats.md §1.8).
public struct SecretPlaces: Sendable, Equatable {
    /// The alias that a reference without one means, by its source.
    public var defaults: [String: String]
    /// The places by alias.
    public var places: [String: SecretPlace]

    /// Places from their parts.
    public init(defaults: [String: String] = [:], places: [String: SecretPlace] = [:]) {
        self.defaults = defaults
        self.places = places
    }

    /// The places that a neighbour's `secrets` describes. One that cannot be understood is kept as such: a limit that is misspelt must
    /// not become no limit.
    init(neighbour secrets: Value?) {
        defaults = secrets?["defaults"]?.object?.reduce(into: [:]) { $0[$1.name] = $1.value.string } ?? [:]
        places = secrets?["providers"]?.object?.reduce(into: [:]) { $0[$1.name] = SecretPlace(neighbour: $1.value) } ?? [:]
    }
}

/// One place that secrets are had from.
public enum SecretPlace: Sendable, Equatable {
    /// The environment; nil: any variable.
    case env(allowlist: [String]?)
    /// A file.
    case file(SecretFile)
    /// A program.
    case exec(SecretCommand)
    /// One that cannot be used; the end of a sentence.
    case unusable(String)

    var source: SecretReference.Source? {
        switch self {
        case .env: .env
        case .file: .file
        case .exec: .exec
        case .unusable: nil
        }
    }
}

/// A file with secrets in it.
public struct SecretFile: Sendable, Equatable {
    /// Absolute.
    public var path: String
    /// All of it is the one secret; else it is JSON, and a reference is a pointer into it (RFC 6901).
    public var isSingleValue: Bool
    /// A larger one is refused.
    public var maxBytes: Int

    /// A file from its parts.
    public init(path: String, isSingleValue: Bool = false, maxBytes: Int = 1 << 20) {
        self.path = path
        self.isSingleValue = isSingleValue
        self.maxBytes = maxBytes
    }
}

/// A program that says secrets.
public struct SecretCommand: Sendable, Hashable {
    /// Absolute.
    public var command: String
    /// Its arguments.
    public var args: [String] = []
    /// Variables of ours that it gets.
    public var passEnv: [String] = []
    /// Variables that it gets as they are written here.
    public var env: [String: String] = [:]
    /// How long it may take.
    public var timeout = Duration.seconds(5)
    /// How long it may say nothing.
    public var noOutputTimeout = Duration.seconds(2)
    /// How much it may say.
    public var maxOutputBytes = 1 << 20
    /// Its answer must be the protocol's; else a bare text will do for a single reference.
    public var jsonOnly = false
    /// The folders that it may be in; nil: anywhere.
    public var trustedDirs: [String]?
    /// Owner and mode of the file and its folders are not looked at.
    public var allowInsecurePath = false
    /// The command may be a symbolic link.
    public var allowSymlinkCommand = false

    /// A program with the limits that hold where none are given.
    public init(command: String) { self.command = command }
}

extension SecretPlace {
    /// The place that an entry of a neighbour's `secrets.providers` describes.
    init(neighbour value: Value) {
        var entry = Entry(value)
        let place: SecretPlace
        switch value["source"]?.string {
        case "env":
            place = .env(allowlist: entry.texts("allowlist"))
        case "file":
            var file = SecretFile(path: entry.path("path"))
            let mode = entry.text("mode") ?? "json"
            if !["json", "singleValue"].contains(mode) { entry.flaw = "a mode that is none of json, singleValue" }
            file.isSingleValue = mode == "singleValue"
            file.maxBytes = entry.number("maxBytes", 1...(1 << 20)) ?? file.maxBytes
            place = .file(file)
        case "exec":
            place = .exec(entry.command())
        default:
            place = .unusable("names a place that the settings describe as none of env, file, exec")
        }
        self = entry.flaw.map { .unusable("names a place that the settings describe with \($0)") } ?? place
    }

    /// The members of an entry, and the first that is not what it should be.
    private struct Entry {
        let value: Value
        var flaw: String?

        init(_ value: Value) { self.value = value }

        mutating func command() -> SecretCommand {
            var command = SecretCommand(command: path("command"))
            command.args = texts("args") ?? []
            command.passEnv = texts("passEnv") ?? []
            command.env = map("env")
            command.timeout = number("timeoutMs", 1...600_000).map { .milliseconds($0) } ?? command.timeout
            command.noOutputTimeout = number("noOutputTimeoutMs", 1...600_000).map { .milliseconds($0) } ?? command.noOutputTimeout
            command.maxOutputBytes = number("maxOutputBytes", 1...(1 << 20)) ?? command.maxOutputBytes
            command.jsonOnly = truth("jsonOnly")
            command.trustedDirs = texts("trustedDirs")
            command.allowInsecurePath = truth("allowInsecurePath")
            command.allowSymlinkCommand = truth("allowSymlinkCommand")
            return command
        }

        mutating func path(_ name: String) -> String {
            let path = text(name)
            if path?.hasPrefix("/") != true { flaw = flaw ?? "no absolute path as its \(name)" }
            return path ?? ""
        }

        mutating func text(_ name: String) -> String? { member(name, "text", \.string) }

        mutating func truth(_ name: String) -> Bool { member(name, "true or false", \.bool) ?? false }

        /// A number beyond the bounds is the nearest within them.
        mutating func number(_ name: String, _ bounds: ClosedRange<Int>) -> Int? {
            member(name, "whole number", \.int64).map { min(max(Int(clamping: $0), bounds.lowerBound), bounds.upperBound) }
        }

        mutating func texts(_ name: String) -> [String]? {
            guard let list = member(name, "list of texts", \.array) else { return nil }
            let texts = list.compactMap(\.string)
            if texts.count != list.count { flaw = flaw ?? "something other than a list of texts as its \(name)" }
            return texts
        }

        mutating func map(_ name: String) -> [String: String] {
            var found: [String: String] = [:]
            for (variable, value) in member(name, "object of texts", \.object) ?? [:] {
                if value.string == nil { flaw = flaw ?? "something other than an object of texts as its \(name)" }
                found[variable] = value.string
            }
            return found
        }

        /// Nil for a member that is absent or null; one of another kind is a flaw.
        private mutating func member<Result>(_ name: String, _ kind: String, _ read: (Value) -> Result?) -> Result? {
            guard let member = value[name], !member.isNull else { return nil }
            let result = read(member)
            if result == nil { flaw = flaw ?? "something other than a \(kind) as its \(name)" }
            return result
        }
    }
}
