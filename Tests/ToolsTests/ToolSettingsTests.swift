import Glibc
import Testing

@testable import Tools

@Suite struct ToolSettingsTests {
    private let folder: Folder
    init() throws { folder = try Folder() }

    /// What a tool's file is to say when every dialect of it is ready.
    private static func content(_ kind: ToolSettings.Kind) throws -> ToolFileContent {
        let tool = try #require(ToolCatalogue.tool(kind.rawValue))
        let routes = try ToolRoute.choose(for: tool, among: Providers.all) { _ in true }
        let endpoint = Endpoint(host: "127.0.0.1", port: 5392)
        return ToolFileContent(try ToolPlan(for: tool, at: endpoint, routes: routes), routes: routes, endpoint: endpoint)
    }

    private func install(_ settings: ToolSettings) throws -> ToolSettings.Outcome { try settings.install(Self.content(settings.kind)) }

    private static let editable: [(ToolSettings.Kind, String)] = [
        (.claude, "{\n\t\"model\": \"x\"\n}"), (.codex, "model = 'x'\n[a]\nb = 1"), (.claude, ""), (.codex, ""),
        (.codex, "# only\r\n"), (.opencode, "{\n  // mine\n  \"theme\": \"x\",\n}\n"), (.opencode, "{}"),
        (.zed, "// Zed settings\n{\n  \"language_models\": {\n    \"openai\": { \"api_url\": \"https://x/v1\", },\n  },\n}"), (.zed, ""),
        (.aider, "model: x\nset-env:\n  - A=b\nopenai-api-key: sk-1 # mine\n"), (.aider, "# nothing"), (.aider, ""),
        (.gptme, "[user]\nname = 'x'\n[[providers]]\nname = 'local'\nbase_url = 'http://127.0.0.1:1/v1'"), (.gptme, "\n"),
    ]

    @Test(arguments: editable)
    func `A file keeps its mode, its copy is kept while we are there, and undo leaves no trace`(kind: ToolSettings.Kind, text: String)
        throws
    {
        let path = try folder.write(text, to: "settings", mode: 0o644)
        let settings = ToolSettings(kind, path: path)
        #expect(try install(settings) == .written(copy: path + ".before-keybearer"))
        #expect(try settings.base()?.hasPrefix("http://127.0.0.1:5392/") == true)
        #expect(Folder.mode(path) == 0o644)
        #expect(Folder.text(path + ".before-keybearer") == text)
        #expect(Folder.mode(path + ".before-keybearer") == 0o600, "it may hold keys")
        #expect(try install(settings) == .unchanged)
        #expect(try settings.undo() == .restored(isGone: false))
        #expect(Folder.text(path) == text && Folder.mode(path) == 0o644)
        #expect(Process.run(["/bin/ls", "-A", folder.path]) == "settings\n")
    }

    @Test(arguments: ToolSettings.Kind.allCases)
    func `A file that was not there is made with its folder, for the owner alone, and taken away again`(kind: ToolSettings.Kind) throws {
        let path = folder.path + "/new/settings"
        let settings = ToolSettings(kind, path: path)
        #expect(try install(settings) == .written(copy: nil))
        #expect(Folder.mode(path) == 0o600)
        #expect(try settings.undo() == .restored(isGone: true))
        #expect(Folder.text(path) == nil)
        let error = #expect(throws: ToolSettingsFailure.self) { try settings.undo() }
        #expect(error?.error == .absent)
    }

    @Test func `A link stays a link, and the file behind it is edited`() throws {
        let target = try folder.write("model = 'x'\n", to: "dotfiles.toml", mode: 0o664)
        let link = folder.path + "/config.toml"
        #expect(symlink("dotfiles.toml", link) == 0)
        let settings = ToolSettings(.codex, path: link)
        _ = try install(settings)
        #expect(Folder.mode(link) & 0o777 == 0o777 && Folder.text(target)?.contains("keybearer") == true)
        #expect(Folder.mode(target) == 0o664)
        _ = try settings.undo()
        #expect(Folder.text(target) == "model = 'x'\n")
    }

    private static let refused: [(ToolSettings.Kind, String)] = [
        (.claude, "{ oops"), (.codex, "oops"), (.claude, "{\"env\": []}"), (.codex, "model_providers = {}"),
        (.opencode, "{ 'a': 1 }"), (.zed, "{ a: 1 }"), (.zed, "{\"language_models\": []}"), (.aider, "{a: 1}"), (.aider, "set-env: [a=b]"),
        (.aider, "a: 1\na: 2"), (.gptme, "providers = []"), (.gptme, "[[providers]]\nname = 'keybearer'"),
    ]

    @Test(arguments: refused)
    func `A file that cannot be edited is left as it is, and nothing is put beside it`(kind: ToolSettings.Kind, text: String) throws {
        let path = try folder.write(text, to: "settings")
        #expect(throws: ToolSettingsFailure.self) { try install(ToolSettings(kind, path: path)) }
        #expect(throws: ToolSettingsFailure.self) { try ToolSettings(kind, path: path).undo() }
        #expect(Folder.text(path) == text)
        #expect(Process.run(["/bin/ls", "-A", folder.path]) == "settings\n")
    }

    @Test func `A folder or a FIFO is no settings file, and does not block`() throws {
        let path = folder.path + "/fifo"
        #expect(mkfifo(path, 0o600) == 0)
        for path in [path, folder.path] {
            let error = #expect(throws: ToolFileError.self) { try install(ToolSettings(.codex, path: path)) }
            #expect(error?.reason == .notAFile)
        }
    }

    @Test func `What another program wrote meanwhile wins`() throws {
        let path = try folder.write("new", to: "settings")
        let error = #expect(throws: ToolFileError.self) { try ToolFile(path: path).replace(Array("old".utf8), with: Array("ours".utf8)) }
        #expect(error?.reason == .changed)
        #expect(Folder.text(path) == "new")
        #expect(Process.run(["/bin/ls", "-A", folder.path]) == "settings\n")
    }

    private static let places: [(ToolSettings.Kind, [String: String], [String])] = [
        (.codex, ["CODEX_HOME": "/c"], ["/c/config.toml"]), (.claude, ["CLAUDE_CONFIG_DIR": "relative"], ["/h/.claude/settings.json"]),
        (.opencode, [:], ["/h/.config/opencode/opencode.jsonc", "/h/.config/opencode/opencode.json"]),
        (.opencode, ["OPENCODE_CONFIG": "/o.json", "XDG_CONFIG_HOME": "/x"], ["/o.json"]),
        (.zed, ["XDG_CONFIG_HOME": "/x"], ["/x/zed/settings.json"]), (.aider, [:], ["/h/.aider.conf.yml"]),
        (.gptme, ["XDG_CONFIG_HOME": "/x"], ["/h/.config/gptme/config.toml"]),
    ]

    @Test(arguments: places)
    func `The tools' own variables say where their files are`(kind: ToolSettings.Kind, environment: [String: String], paths: [String]) {
        #expect(kind.paths(home: "/h", environment: environment) == paths)
    }

    @Test func `Their own logins are where they keep them`() {
        let paths = ToolSettings.Kind.allCases.compactMap { $0.loginPath(home: "/h", environment: ["XDG_DATA_HOME": "/d"]) }
        #expect(paths == ["/h/.claude/.credentials.json", "/h/.codex/auth.json", "/d/opencode/auth.json"])
    }

    @Test func `Of two places the one that is used by the tool is edited`() throws {
        let home = folder.path
        #expect(ToolSettings(.opencode, home: home, environment: [:]).path == home + "/.config/opencode/opencode.json")
        #expect(Process.run(["/bin/mkdir", "-p", home + "/.config/opencode"]).isEmpty)
        let path = try folder.write("{}", to: ".config/opencode/opencode.jsonc")
        #expect(ToolSettings(.opencode, home: home, environment: [:]).path == path)
    }

    @Test func `What goes before our part is named`() throws {
        let path = try folder.write("{\"env\": {\"ANTHROPIC_API_KEY\": \"k\"}}", to: "settings")
        #expect(try ToolSettings(.claude, path: path).obstacles() == ["its env sets ANTHROPIC_API_KEY"])
    }
}
