import Glibc

@testable import Credentials

/// A sink of its own in a fresh folder, removed at the end.
final class TemporarySink {
    let path: String
    let store: AgentStore

    init(profiles: String? = nil, state: String? = nil) {
        var template = Array("/tmp/keybearer-credentials-XXXXXX".utf8CString)
        path = String(cString: mkdtemp(&template))
        store = AgentStore(sink: path)
        makeDirectories(store.directory)
        if let profiles { write(profiles, to: store.profilesPath) }
        if let state { write(state, to: store.statePath) }
    }

    deinit { removeTree(path) }

    func write(_ text: String, to path: String, mode: mode_t = 0o600) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode)
        precondition(descriptor >= 0, "cannot write \(path)")
        _ = fchmod(descriptor, mode)
        var bytes = Array(text.utf8)
        precondition(Glibc.write(descriptor, &bytes, bytes.count) == bytes.count)
        close(descriptor)
    }

    func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }

    /// Where neighbours lock the store.
    var lockPath: String { store.profilesPath + ".lock" }

    var profiles: String { read(store.profilesPath) ?? "" }
    var state: String { read(store.statePath) ?? "" }

    /// The names in a folder, sorted.
    func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private func makeDirectories(_ path: String) {
        var built = ""
        for component in path.split(separator: "/") {
            built += "/" + component
            mkdir(built, 0o700)
        }
    }

    private func removeTree(_ path: String) {
        guard rmdir(path) != 0, unlink(path) != 0 else { return }
        for name in names(in: path) { removeTree(path + "/" + name) }
        rmdir(path)
    }
}
