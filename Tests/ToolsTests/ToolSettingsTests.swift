import Glibc
import Testing

@testable import Tools

@Suite struct ToolSettingsTests {
    private let folder: Folder
    private static let variables = [
        Tool.Variable("ANTHROPIC_BASE_URL", "http://127.0.0.1:5392/anthropic"), Tool.Variable("ANTHROPIC_AUTH_TOKEN", Tool.placeholder),
    ]
    private static let base = "http://127.0.0.1:5392/openai-codex"

    init() throws { folder = try Folder() }

    private func install(_ settings: ToolSettings) throws -> ToolSettings.Outcome {
        try settings.install(variables: Self.variables, base: Self.base)
    }

    @Test(arguments: [
        (ToolSettings.Kind.claude, "{\n\t\"model\": \"x\"\n}"), (.codex, "model = 'x'\n[a]\nb = 1"), (.claude, ""), (.codex, ""),
        (.codex, "# only\r\n"),
    ])
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

    @Test(arguments: [(ToolSettings.Kind.claude, "{ oops"), (.codex, "oops"), (.claude, "{\"env\": []}"), (.codex, "model_providers = {}")])
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

    @Test func `The tools' own variables say where their files are`() {
        let environment = ["CODEX_HOME": "/c", "CLAUDE_CONFIG_DIR": "relative"]
        #expect(ToolSettings.Kind.codex.path(home: "/h", environment: environment) == "/c/config.toml")
        #expect(ToolSettings.Kind.codex.loginPath(home: "/h", environment: [:]) == "/h/.codex/auth.json")
        #expect(ToolSettings.Kind.claude.path(home: "/h", environment: environment) == "/h/.claude/settings.json")
        #expect(ToolSettings.Kind.claude.loginPath(home: "/h", environment: [:]) == "/h/.claude/.credentials.json")
    }

    @Test func `What goes before our part is named`() throws {
        let path = try folder.write("{\"env\": {\"ANTHROPIC_API_KEY\": \"k\"}}", to: "settings")
        #expect(try ToolSettings(.claude, path: path).obstacles() == ["its env sets ANTHROPIC_API_KEY"])
    }
}
