import Glibc
import Testing

@testable import Configuration

/// Reads real files, in a folder that each test has to itself.
@Suite final class SettingsFileTests {
    private let folder: String

    init() throws {
        var template = Array("/tmp/keybearer-settings-XXXXXX".utf8CString)
        folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit {
        for name in ["keybearer.json5", "other.json5", "p.json5"] { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }

    private func write(_ text: String, to name: String) throws {
        let file = try #require(fopen("\(folder)/\(name)", "w"))
        fputs(text, file)
        fclose(file)
    }

    /// What loading a named file says against it.
    private func refusal(of path: String) -> String? {
        do throws(SettingsError) {
            _ = try SettingsFile.load(path: path, stateDirectory: folder)
            return nil
        } catch {
            return error.description
        }
    }

    @Test("Without a file the defaults are in force; a file that was named has to exist")
    func absent() throws {
        #expect(try SettingsFile.load(stateDirectory: folder).workers == nil)
        #expect(refusal(of: "\(folder)/x.json5") == "\(folder)/x.json5: there is no such file; name one that is there, or leave it out")
    }

    @Test("The state directory's file is read, and another one in its place when it is named")
    func files() throws {
        try write("{ workers: 2 }", to: "keybearer.json5")
        try write("{ workers: 3 }", to: "other.json5")
        try write(#"{ mine: { baseURL: "https://x.example" } }"#, to: "p.json5")
        #expect(try SettingsFile.load(stateDirectory: folder).workers == 2)
        let other = try SettingsFile.load(path: "\(folder)/other.json5", stateDirectory: folder, providerFiles: ["\(folder)/p.json5"])
        #expect(other.workers == 3)
        #expect(other.provider("mine") != nil)
        #expect(other.origins["workers"] == .file(path: "\(folder)/other.json5", line: 1))
    }

    @Test("A folder in the file's place is an error, not a default")
    func unreadable() throws {
        #expect(refusal(of: folder)?.hasPrefix("\(folder): ") == true)
    }
}
