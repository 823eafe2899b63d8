/// A tool's own configuration file, with Keybearer's part in it or not.
public struct ToolSettings: Sendable {
    /// A tool whose file can be edited.
    public enum Kind: String, Sendable, CaseIterable {
        case claude, codex, opencode, zed, aider, gptme

        /// The tool's own name.
        public var toolName: String { ToolCatalogue.tool(rawValue)?.name ?? rawValue }

        /// Where the file can be, by the tool's own rules; the first that is there is the one, else the last.
        ///
        /// - Parameter home: the user's home folder.
        public func paths(home: String, environment: [String: String]) -> [String] {
            let folder = { (variable: String, usual: String) in
                environment[variable].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "\(home)/\(usual)"
            }
            switch self {
            case .claude: return [folder("CLAUDE_CONFIG_DIR", ".claude") + "/settings.json"]
            case .codex: return [folder("CODEX_HOME", ".codex") + "/config.toml"]
            case .opencode:
                if let named = environment["OPENCODE_CONFIG"], named.hasPrefix("/") { return [named] }
                // The one with comments is read last, and so goes before the other.
                return ["opencode.jsonc", "opencode.json"].map { "\(folder("XDG_CONFIG_HOME", ".config"))/opencode/\($0)" }
            case .zed: return [folder("XDG_CONFIG_HOME", ".config") + "/zed/settings.json"]
            case .aider: return [home + "/.aider.conf.yml"]
            case .gptme: return [home + "/.config/gptme/config.toml"]
            }
        }

        /// Where the tool keeps its own login; nil where it keeps none in a file of its own.
        public func loginPath(home: String, environment: [String: String]) -> String? {
            let folder = { (variable: String, usual: String) in
                environment[variable].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "\(home)/\(usual)"
            }
            switch self {
            case .claude: return folder("CLAUDE_CONFIG_DIR", ".claude") + "/.credentials.json"
            case .codex: return folder("CODEX_HOME", ".codex") + "/auth.json"
            case .opencode: return folder("XDG_DATA_HOME", ".local/share") + "/opencode/auth.json"
            case .zed, .aider, .gptme: return nil
            }
        }

        /// What a person has to do in the tool beside what the file says; nil when that is nothing.
        public var afterwards: String? {
            switch self {
            case .claude, .codex, .opencode: nil
            case .zed: "Zed keeps keys in the keychain: in its settings of language models give any key, once"
            case .aider: "an .aider.conf.yml or .env of a project, if there is one, goes before this file"
            case .gptme: "choose a model of the provider keybearer: gptme -m keybearer/gpt-5"
            }
        }

        func editor(_ content: ToolFileContent) -> any ToolFileEditor {
            switch self {
            case .claude: ClaudeSettings(variables: content.variables)
            case .codex: CodexSettings(base: content.base)
            case .opencode: OpenCodeSettings(content: content)
            case .zed: ZedSettings(content: content)
            case .aider: AiderSettings(content: content)
            case .gptme: GptmeSettings(content: content)
            }
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
    /// One that finds and takes out.
    private var finder: any ToolFileEditor { kind.editor(.none) }

    /// The file of a tool.
    public init(_ kind: Kind, path: String) {
        self.kind = kind
        self.path = path
    }

    /// The file of a tool, where it is on this machine.
    public init(_ kind: Kind, home: String, environment: [String: String]) {
        let paths = kind.paths(home: home, environment: environment)
        self.init(kind, path: paths.first { ToolFile(path: $0).exists } ?? paths[paths.count - 1])
    }

    /// The base URL that our part of the file leads to; nil when it is not there.
    public func base() throws(ToolFileError) -> String? { try file.read().flatMap { finder.base(in: $0) } }

    /// What in the file goes before our part, for people; empty when nothing does.
    public func obstacles() throws(ToolFileError) -> [String] { try file.read().map { finder.obstacles(in: $0) } ?? [] }

    /// Puts our part in; what the file was before it is kept beside it.
    ///
    /// - Throws: ``ToolSettingsFailure`` or ``ToolFileError``; the file is then as it was.
    public func install(_ content: ToolFileContent) throws -> Outcome {
        let bytes = try file.read()
        let installed = try naming { () throws(ToolSettingsError) in try kind.editor(content).installed(in: bytes) }
        guard installed != bytes else { return .unchanged }
        let isFirst = try base() == nil
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
        let restored = try naming { () throws(ToolSettingsError) in try finder.removed(from: bytes, kept: copy) }
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
