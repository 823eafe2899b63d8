import Files
import Glibc

/// A private folder of a test's own, removed with everything in it when the test lets go of it.
final class TestFolder: Sendable {
    let path: String

    init(_ name: String) {
        var template = Array("/tmp/keybearer-\(name)-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { fatalError("mkdtemp failed") }
        path = String(cString: made)
    }
    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        guard unlink(path) != 0 else { return }
        for name in Directory.names(in: path) { remove("\(path)/\(name)") }
        rmdir(path)
    }
}
