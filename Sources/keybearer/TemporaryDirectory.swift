internal import Files
internal import Glibc

/// A folder of ours alone (0700), removed with everything in it when its owner goes.
struct TemporaryDirectory: ~Copyable {
    /// Absolute.
    let path: String

    /// Makes it in `parent`.
    init(in parent: String) throws {
        var template = Array("\(parent)/keybearer-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else {
            throw Failure.failed("cannot make a temporary folder in \(parent): \(unsafe String(cString: strerror(errno)))")
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
