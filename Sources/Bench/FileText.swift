internal import Glibc

/// Small files, whole.
enum FileText {
    /// The content of the file at `path`.
    static func read(_ path: String) throws -> String {
        guard let text = content(of: path) else { throw BenchFailure.failed("\(path): \(unsafe String(cString: strerror(errno)))") }
        return text
    }

    /// The same; nil when it cannot be read, as of a process that has ended.
    static func content(of path: String) -> String? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = unsafe Glibc.read(file, &block, block.count)
            if count < 0 { return nil }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += block[..<count]
        }
    }

    /// Writes a file anew, for its owner alone.
    static func write(_ text: String, to path: String, appending: Bool = false) throws {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (appending ? O_APPEND : O_TRUNC), 0o600)
        guard file >= 0 else { throw failure(path) }
        defer { close(file) }
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
            guard count > 0 else { throw failure(path) }
            bytes = bytes.dropFirst(count)
        }
    }

    private static func failure(_ path: String) -> BenchFailure {
        .failed("\(path): \(unsafe String(cString: strerror(errno)))")
    }
}

/// What the system lets a process have.
enum Limits {
    /// As many open files as are allowed: a connection is one.
    static func raiseOpenFiles() {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
