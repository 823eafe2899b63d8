internal import Files

/// Where settings are read from: `keybearer.json5` in the state directory, or the file that `--config` names.
public enum SettingsFile {
    /// The file's name in the state directory.
    public static let name = "keybearer.json5"

    /// Longest settings file in octets; a larger one is something else.
    static let limit = 1 << 20

    /// Reads and checks everything. Without a file, the defaults are in force; a file that was named has to exist.
    ///
    /// - Parameters:
    ///   - path: the value of `--config`; `nil`: `keybearer.json5` in the state directory.
    ///   - providerFiles: provider files to read before it, in this order (`<state>/providers/*.json5`).
    /// - Throws: every flaw of every file and flag at once.
    public static func load(
        path: String? = nil, stateDirectory: String, providerFiles: [String] = [], overrides: SettingsOverrides = SettingsOverrides()
    ) throws(SettingsError) -> Settings {
        let file = try text(of: path ?? "\(stateDirectory)/\(name)", mustExist: path != nil)
        var plugIns: [SettingsText] = []
        for path in providerFiles {
            if let text = try text(of: path, mustExist: true) { plugIns.append(text) }
        }
        return try Settings(file: file, providerFiles: plugIns, overrides: overrides)
    }

    /// The same without the provider files that are wrong, and what is wrong with them: for those who want to see how things stand.
    ///
    /// - Throws: what is wrong elsewhere.
    public static func loadPassingOver(
        path: String? = nil, stateDirectory: String, providerFiles: [String], overrides: SettingsOverrides = SettingsOverrides()
    ) throws(SettingsError) -> (settings: Settings, problems: [SettingsError.Problem]) {
        var (files, problems) = (providerFiles, [SettingsError.Problem]())
        while true {
            do throws(SettingsError) {
                return (try load(path: path, stateDirectory: stateDirectory, providerFiles: files, overrides: overrides), problems)
            } catch {
                let wrong = Set(error.problems.map(\.source))
                guard files.contains(where: wrong.contains) else { throw error }
                problems += error.problems.filter { files.contains($0.source) }
                files.removeAll(where: wrong.contains)
            }
        }
    }

    /// Whoever can write the file can send credentials elsewhere (`baseURL`), so that only ours or root's is taken; reading it is no harm.
    private static func text(of path: String, mustExist: Bool) throws(SettingsError) -> SettingsText? {
        let message: String
        do throws(FileError) {
            if let bytes = try TrustedFile.read(path, limit: limit) { return SettingsText(path: path, bytes: bytes) }
            guard mustExist else { return nil }
            message = "there is no such file; name one that is there, or leave it out"
        } catch {
            message = error.rule == .notRegular ? "expected a file of settings, and this is none" : error.description
        }
        throw SettingsError([SettingsError.Problem(source: path, line: nil, column: nil, member: "", message: message)])
    }
}
