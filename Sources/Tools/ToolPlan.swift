public import Configuration
internal import JSON

/// What is done to one tool so that it talks to Keybearer: variables to set and to remove, and arguments to put before its own. Pure.
public struct ToolPlan: Sendable, Equatable {
    /// Variables to set, in a stable order.
    public let variables: [Tool.Variable]
    /// Variables to remove.
    public let removed: [String]
    /// Arguments for the tool, before its own.
    public let arguments: [String]

    /// The plan for `tool` at `endpoint`.
    ///
    /// - Parameters:
    ///   - routes: which provider each of the tool's dialects is sent to; see ``ToolRoute/choose(for:among:named:isReady:)``.
    ///   - session: the session to report to Keybearer.
    ///   - environment: what is set already, for variables that are added to.
    public init(
        for tool: Tool, at endpoint: Endpoint, routes: [ToolRoute], session: String? = nil, environment: [String: String] = [:]
    ) throws(ToolMismatch) {
        var variables = Self.addresses(routes, endpoint)
        for name in routes.flatMap(\.dialect.keys) { variables.append(Tool.Variable(name, Tool.placeholder)) }
        variables += tool.variables
        if let session, tool.way != .arguments {
            guard let name = tool.fieldsVariable else { throw .noSession(tool: tool.name) }
            variables.append(Tool.Variable(name, RequestFields.adding(session: session, to: environment[name])))
        }
        variables += NoProxy.variables(environment)
        self.variables = variables
        removed = tool.conflicts
        let route = tool.way == .arguments ? routes.first : nil
        arguments = route.map { CodexProvider(base: endpoint.base($0.provider, path: $0.path), session: session).arguments } ?? []
    }

    /// One variable an address; addresses that are members of one document become that document.
    private static func addresses(_ routes: [ToolRoute], _ endpoint: Endpoint) -> [Tool.Variable] {
        var variables: [Tool.Variable] = []
        var documents: [(name: String, root: Value)] = []
        for route in routes {
            for address in route.dialect.addresses {
                let url = endpoint.base(route.provider, path: route.path + address.suffix)
                guard !address.member.isEmpty else {
                    variables.append(Tool.Variable(address.name, url))
                    continue
                }
                let index = documents.firstIndex { $0.name == address.name } ?? documents.count
                if index == documents.count { documents.append((address.name, .object(Object()))) }
                set(url, at: address.member[...], in: &documents[index].root)
            }
        }
        return variables + documents.map { Tool.Variable($0.name, String(decoding: Writer.compact($0.root), as: UTF8.self)) }
    }

    private static func set(_ text: String, at path: ArraySlice<String>, in value: inout Value) {
        guard let name = path.first else { return value = .string(text) }
        var object = value.object ?? Object()
        set(text, at: path.dropFirst(), in: &object[name, default: .object(Object())])
        value = .object(object)
    }
}

/// One dialect of a tool on its way to a provider.
public struct ToolRoute: Sendable, Equatable {
    /// What the tool speaks.
    public let dialect: Tool.Dialect
    /// The provider's id.
    public let provider: String
    /// What stands behind `/<provider>` in the tool's base URL.
    public let path: String

    /// Chooses the providers for a tool.
    ///
    /// Without a name each dialect gets the first of its usual providers that is ready. Dialects without a ready one are left alone, so
    /// that a tool's other accounts go on working; only when none is ready, all of them are shown.
    ///
    /// - Parameters:
    ///   - named: the provider that was asked for.
    ///   - isReady: whether requests to a provider can be given a credential.
    public static func choose(
        for tool: Tool, among providers: [Provider], named: String? = nil, isReady: (Provider) -> Bool
    ) throws(ToolMismatch) -> [ToolRoute] {
        guard tool.way != .none else { throw .impossible(tool: tool.name, why: tool.notes.first ?? "") }
        if let named {
            let routes = tool.dialects.compactMap { dialect in
                providers.first { $0.id == named }.flatMap { route(dialect, to: $0) }
            }
            if routes.isEmpty { throw .otherDialect(tool: tool.name, provider: named, fitting: fitting(tool, providers)) }
            return routes
        }
        let usual = tool.dialects.map { dialect in
            let names = dialect.only.map { [$0.provider] } ?? dialect.shape.preferredProviders
            return names.compactMap { name in providers.first { $0.id == name } }
        }
        let ready = zip(tool.dialects, usual).compactMap { dialect, candidates in
            candidates.first(where: isReady).flatMap { route(dialect, to: $0) }
        }
        guard ready.isEmpty else { return ready }
        return zip(tool.dialects, usual).compactMap { dialect, candidates in candidates.first.flatMap { route(dialect, to: $0) } }
    }

    private static func route(_ dialect: Tool.Dialect, to provider: Provider) -> ToolRoute? {
        if let only = dialect.only {
            return only.provider == provider.id ? ToolRoute(dialect: dialect, provider: provider.id, path: only.path) : nil
        }
        return dialect.shape.path(on: provider).map { ToolRoute(dialect: dialect, provider: provider.id, path: $0) }
    }

    /// The providers that a tool could be sent to.
    private static func fitting(_ tool: Tool, _ providers: [Provider]) -> [String] {
        providers.filter { provider in tool.dialects.contains { route($0, to: provider) != nil } }.map(\.id)
    }
}

/// Why a tool cannot be pointed where it was asked to.
public enum ToolMismatch: Error, Sendable, Equatable, CustomStringConvertible {
    /// It cannot use Keybearer at all.
    case impossible(tool: String, why: String)
    /// It does not speak the provider's dialect.
    case otherDialect(tool: String, provider: String, fitting: [String])
    /// It has no way to add a field to its requests.
    case noSession(tool: String)

    /// What is wrong and what would be right.
    public var description: String {
        switch self {
        case .impossible(let tool, let why): "\(tool) cannot use Keybearer: \(why)"
        case .otherDialect(let tool, let provider, []):
            "\(tool) is not pointed at \(provider) by variables; `keybearer tools` says what it needs"
        case .otherDialect(let tool, let provider, let fitting):
            "\(tool) does not speak what \(provider) serves; it can be sent to \(fitting.joined(separator: ", "))"
        case .noSession(let tool): "\(tool) has no way to name a session; leave --session out"
        }
    }
}
