internal import Files
internal import Glibc

/// Folders.
enum Folder {
    /// Makes folders, each for its owner alone.
    static func make(_ path: String) throws {
        if unsafe mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        throw BenchFailure.failed("\(path): \(unsafe String(cString: strerror(errno)))")
    }
}

/// A folder of ours alone, removed with everything in it when its owner goes.
struct TemporaryFolder: ~Copyable {
    /// Absolute.
    let path: String

    /// Makes it where the system has such.
    init() throws {
        var parent = "/tmp"
        if let named = unsafe getenv("TMPDIR"), case let text = unsafe String(cString: named), text.hasPrefix("/") { parent = text }
        var template = Array("\(parent)/keybearer-bench-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else {
            throw BenchFailure.failed("cannot make a folder in \(parent): \(unsafe String(cString: strerror(errno)))")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(path) }

    /// Removes what is there without following links out of it.
    private static func remove(_ path: String) {
        guard unsafe unlink(path) != 0, errno == EISDIR || errno == EPERM else { return }
        for name in Directory.names(in: path) { remove("\(path)/\(name)") }
        unsafe rmdir(path)
    }
}
