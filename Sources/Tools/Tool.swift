internal import Configuration

/// A program or library that calls model APIs, and what it takes to send it to Keybearer. Data: see ``ToolCatalogue``.
public struct Tool: Sendable, Equatable {
    /// What a person writes behind `--tool`.
    public let id: String
    /// Its own name.
    public let name: String
    /// Names of its executable, as `keybearer run` meets them; empty for a library.
    public let programs: [String]
    /// How it is pointed at another address.
    public let way: Way
    /// What it speaks, and the variables that carry the address and the key for each dialect.
    public let dialects: [Dialect]
    /// Further variables that it needs to work through a base URL.
    public let variables: [Variable]
    /// Variables that would lead it past Keybearer, or make it complain about two credentials.
    public let conflicts: [String]
    /// The variable that holds further request fields, one a line; nil when it has none.
    public let fieldsVariable: String?
    /// What a person should know, and what cannot work. One sentence each.
    public let notes: [String]

    /// How a tool is pointed at another address.
    public enum Way: String, Sendable, CaseIterable {
        /// By environment variables alone.
        case environment
        /// By arguments that are put before its own.
        case arguments
        /// By its own settings only; the notes say which.
        case settings
        /// Not at all.
        case none
    }

    /// One dialect of a tool.
    public struct Dialect: Sendable, Equatable {
        /// The dialect.
        public let shape: APIShape
        /// Where the base URL is written.
        public let addresses: [Address]
        /// Variables that hold the key.
        public let keys: [String]
        /// The only provider that this tool's paths fit, and the path behind it; nil: any provider of the shape.
        public let only: Target?

        init(_ shape: APIShape, _ addresses: Address..., keys: String..., only: Target? = nil) {
            self.shape = shape
            self.addresses = addresses
            self.keys = keys
            self.only = only
        }
    }

    /// A provider and the path a tool's base URL has on it.
    public struct Target: Sendable, Equatable {
        /// The provider's id.
        public let provider: String
        /// What stands behind `/<provider>`.
        public let path: String
    }

    /// Where a base URL is written.
    public struct Address: Sendable, Equatable, ExpressibleByStringLiteral {
        /// The variable.
        public let name: String
        /// The variable holds a JSON document, and the URL is this member of it; empty: the variable is the URL.
        public let member: [String]
        /// What this tool expects behind the usual base URL of the dialect.
        public let suffix: String

        init(_ name: String, member: [String] = [], suffix: String = "") {
            self.name = name
            self.member = member
            self.suffix = suffix
        }

        /// A variable with the usual base URL.
        public init(stringLiteral name: String) { self.init(name) }
    }

    /// A variable with a value.
    public struct Variable: Sendable, Equatable {
        /// Its name.
        public let name: String
        /// Its value.
        public let value: String

        /// A variable.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    init(
        _ id: String, _ name: String, programs: [String] = [], way: Way = .environment, dialects: [Dialect] = [],
        variables: [Variable] = [], conflicts: [String] = [], fieldsVariable: String? = nil, notes: [String] = []
    ) {
        self.id = id
        self.name = name
        self.programs = programs
        self.way = way
        self.dialects = dialects
        self.variables = variables
        self.conflicts = conflicts
        self.fieldsVariable = fieldsVariable
        self.notes = notes
    }

    /// In place of a key: most tools stop before any request without one. Keybearer removes it, whatever it is.
    public static let placeholder = EnvironmentKey.placeholder
}
