import Glibc

/// A folder of this test's own, private as a state directory is; removed with everything in it at the end.
final class TestFolder: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/keybearer-proxy-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { fatalError("mkdtemp failed") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    deinit { Self.remove(path) }

    func storePath(of agent: String) -> String { "\(path)/agents/\(agent)/agent/auth-profiles.json" }
    var accessLogPath: String { "\(path)/logs/access.jsonl" }
    func statePath(of agent: String) -> String { "\(path)/agents/\(agent)/agent/auth-state.json" }

    /// Writes a private file into the folder and gives its path.
    func put(_ text: String, as name: String) -> String {
        let path = "\(path)/\(name)"
        let fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        precondition(fd >= 0 && write(fd, text, text.utf8.count) == text.utf8.count)
        close(fd)
        return path
    }

    /// Replaces a store as other tools do: a new file renamed over the old one.
    func putStore(_ text: String, of agent: String) { put(text, over: storePath(of: agent), of: agent) }
    /// The same of the state beside it.
    func putState(_ text: String, of agent: String) { put(text, over: statePath(of: agent), of: agent) }

    private func put(_ text: String, over path: String, of agent: String) {
        var folder = self.path
        for name in ["agents", agent, "agent"] {
            folder += "/" + name
            mkdir(folder, 0o700)
        }
        rename(put(text, as: "agents/\(agent)/agent/new"), path)
    }

    static func text(of path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&block, 1, block.count, file), count > 0 { bytes += block[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private static func remove(_ path: String) {
        for name in names(in: path) {
            let child = "\(path)/\(name)"
            if unlink(child) != 0 { remove(child) }
        }
        rmdir(path)
    }
}
