/// A tool's own configuration file, with Keybearer's part in it or not.
public struct ToolSettings: Sendable {
    /// A tool whose file can be edited.
    public enum Kind: String, Sendable, CaseIterable {
        case claude, codex

        /// The file, by the tool's own rules.
        ///
        /// - Parameter home: the user's home folder.
        public func path(home: String, environment: [String: String]) -> String {
            folder(home, environment) + (self == .claude ? "/settings.json" : "/config.toml")
        }

        /// Where the tool keeps its own login.
        public func loginPath(home: String, environment: [String: String]) -> String {
            folder(home, environment) + (self == .claude ? "/.credentials.json" : "/auth.json")
        }

        private func folder(_ home: String, _ environment: [String: String]) -> String {
            let variable = environment[self == .claude ? "CLAUDE_CONFIG_DIR" : "CODEX_HOME"]
            guard let variable, variable.hasPrefix("/") else { return home + (self == .claude ? "/.claude" : "/.codex") }
            return variable
        }
    }

    /// What was done.
    public enum Outcome: Sendable, Equatable {
        /// Our part was put in or changed; where the file before it is kept, if there was one.
        case written(copy: String?)
        /// It was there already, just so.
        case unchanged
        /// Our part was taken out; the file is gone when it held nothing else.
        case restored(isGone: Bool)
    }

    /// Whose file it is.
    public let kind: Kind
    /// Where it is.
    public let path: String
    private var file: ToolFile { ToolFile(path: path) }

    /// The file of a tool.
    public init(_ kind: Kind, path: String) {
        self.kind = kind
        self.path = path
    }

    /// The base URL that our part of the file leads to; nil when it is not there.
    public func base() throws(ToolFileError) -> String? {
        try file.read().flatMap { kind == .claude ? ClaudeSettings.base(in: $0) : CodexSettings.base(in: $0) }
    }

    /// What in the file goes before our part, for people; empty when nothing does.
    public func obstacles() throws(ToolFileError) -> [String] {
        guard let bytes = try file.read() else { return [] }
        switch kind {
        case .codex:
            return CodexSettings.overridingProfile(in: bytes).map { ["its profile \"\($0)\" names another model_provider"] } ?? []
        case .claude:
            let names = ToolCatalogue.tool("claude")?.conflicts ?? []
            return ClaudeSettings.conflicts(in: bytes, names).map { "its env sets \($0)" }
        }
    }

    /// Puts our part in; what the file was before it is kept beside it.
    ///
    /// - Parameters:
    ///   - variables: for Claude Code: what its `env` is to hold.
    ///   - base: for Codex: the base URL.
    /// - Throws: ``ToolSettingsFailure`` or ``ToolFileError``; the file is then as it was.
    public func install(variables: [Tool.Variable], base: String) throws -> Outcome {
        let bytes = try file.read()
        let installed = try naming { () throws(ToolSettingsError) in
            switch kind {
            case .claude: try ClaudeSettings(variables: variables).installed(in: bytes)
            case .codex: try CodexSettings(base: base).installed(in: bytes ?? [])
            }
        }
        guard installed != bytes else { return .unchanged }
        let isFirst = try self.base() == nil
        if isFirst {
            // A copy that is left from an earlier time is of something that is gone.
            if let bytes { try file.copy.replace(try file.copy.read(), with: bytes) } else { file.copy.remove() }
        }
        try file.replace(bytes, with: installed)
        return .written(copy: isFirst && bytes != nil ? file.copy.path : nil)
    }

    /// Takes our part out again.
    ///
    /// - Throws: ``ToolSettingsFailure`` or ``ToolFileError``; the file is then as it was.
    public func undo() throws -> Outcome {
        guard let bytes = try file.read() else { throw ToolSettingsFailure(path: path, error: .absent) }
        let copy = try file.copy.read()
        let restored = try naming { () throws(ToolSettingsError) -> [UInt8]? in
            switch kind {
            case .claude: return try ClaudeSettings.removed(from: bytes, kept: copy)
            case .codex:
                let rest = try CodexSettings.removed(from: bytes)
                guard rest != bytes else { throw .absent }
                return rest.isEmpty && copy == nil ? nil : rest
            }
        }
        if let restored { try file.replace(bytes, with: restored) } else { file.remove() }
        file.copy.remove()
        return .restored(isGone: restored == nil)
    }

    private func naming<Result>(_ body: () throws(ToolSettingsError) -> Result) throws(ToolSettingsFailure) -> Result {
        do { return try body() } catch { throw ToolSettingsFailure(path: path, error: error) }
    }
}

/// A settings file of another program that is left as it is.
public struct ToolSettingsFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file.
    public let path: String
    /// Why.
    public let error: ToolSettingsError

    /// What is wrong and what to do.
    public var description: String { error.description(of: path) }
}
