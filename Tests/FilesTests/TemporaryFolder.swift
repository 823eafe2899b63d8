import Glibc

/// A folder for one test, private and emptied afterwards.
final class TemporaryFolder {
    let path: String

    init() {
        var template = Array("/tmp/keybearer-files-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { remove() }

    /// For a process that ends by `exit`, which runs no deinit.
    func remove() { system("rm -rf '\(path)'") }

    /// The path of `name` in the folder.
    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file as a careless neighbour would: in place, with any mode.
    func put(_ name: String, _ text: String, mode: mode_t = 0o600) {
        let descriptor = Glibc.open(self(name), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        precondition(descriptor >= 0)
        precondition(Glibc.write(descriptor, text, text.utf8.count) == text.utf8.count)
        fchmod(descriptor, mode)
        close(descriptor)
    }

    /// The permission bits of `name`.
    func mode(_ name: String) -> mode_t {
        var info = stat()
        precondition(lstat(self(name), &info) == 0, "no \(name)")
        return info.st_mode & 0o7777
    }

    func isLink(_ name: String) -> Bool {
        var info = stat()
        return lstat(self(name), &info) == 0 && info.st_mode & S_IFMT == S_IFLNK
    }

    /// The names in the folder, sorted.
    var names: [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
            )
        }
        return names.filter { $0 != "." && $0 != ".." }.sorted()
    }
}

extension Array<UInt8> {
    init(_ text: String) { self = Array(text.utf8) }
}

/// A thread of its own for what blocks: tasks share a few threads, and a test that blocks one would hold up the others.
struct TestThread {
    private let number: pthread_t

    init(_ body: @escaping @Sendable () -> Void) {
        var number = pthread_t()
        let box = Unmanaged.passRetained(Box(body))
        precondition(
            pthread_create(
                &number, nil,
                { argument in
                    Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
                    return nil
                }, box.toOpaque()) == 0)
        self.number = number
    }

    func join() { pthread_join(number, nil) }

    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
