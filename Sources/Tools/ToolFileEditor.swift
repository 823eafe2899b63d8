/// How Keybearer's part is put into one tool's settings file, found there and taken out again. Pure: bytes in, bytes out.
protocol ToolFileEditor {
    /// The file with our part in it, in place of an earlier one. nil stands for no file.
    func installed(in original: [UInt8]?) throws(ToolSettingsError) -> [UInt8]

    /// The file without our part, whatever it was made for; nil when it was ours alone.
    ///
    /// - Parameters:
    ///   - bytes: the file as it is now.
    ///   - kept: the copy made when our part was put in; nil when there was no file then, or the copy is gone.
    func removed(from bytes: [UInt8], kept: [UInt8]?) throws(ToolSettingsError) -> [UInt8]?

    /// The base URL that our part leads to, the first if there are several; nil when it is not there.
    func base(in bytes: [UInt8]) -> String?

    /// What in the file goes before our part, for people.
    func obstacles(in bytes: [UInt8]) -> [String]
}

extension ToolFileEditor {
    func obstacles(in bytes: [UInt8]) -> [String] { [] }
}

/// What a tool's file is to say.
public struct ToolFileContent: Sendable {
    /// Variables that the tool is to see.
    let variables: [Tool.Variable]
    /// Where each of its dialects goes.
    let routes: [ToolRoute]
    let endpoint: Endpoint

    /// The content for what `plan` does at a start.
    public init(_ plan: ToolPlan, routes: [ToolRoute], endpoint: Endpoint) {
        variables = plan.variables
        self.routes = routes
        self.endpoint = endpoint
    }

    /// Nothing: for looking at a file, and for taking out.
    static let none = ToolFileContent(variables: [], routes: [], endpoint: Endpoint(host: "127.0.0.1", port: 0))

    private init(variables: [Tool.Variable], routes: [ToolRoute], endpoint: Endpoint) {
        self.variables = variables
        self.routes = routes
        self.endpoint = endpoint
    }

    /// The base URL of the first route.
    var base: String { routes.first.map { endpoint.base($0.provider, path: $0.path) } ?? "" }
    /// The base URLs of all routes.
    public var bases: [String] { routes.map { endpoint.base($0.provider, path: $0.path) } }
}
