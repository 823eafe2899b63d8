internal import Credentials
internal import Files
internal import Glibc
internal import Tools

/// Programs of this user's that run now and may have a login in memory. What other users run cannot be seen.
struct RunningTools {
    /// A process.
    struct Found {
        let id: Int
        let name: String
    }

    private let owner: LoginOwner
    private let programs: [String]
    private let file: String

    /// Looks for the program of `owner`, and for whoever has its file at `path` open.
    init(_ owner: LoginOwner, path: String) {
        self.owner = owner
        programs = [owner.program] + (ToolCatalogue.tool(owner.program)?.programs ?? [])
        file = PrivateFile.realPath(of: path) ?? path
    }

    /// The first of them; nil when there is none.
    var first: Found? {
        for name in Directory.names(in: "/proc") {
            guard let id = Int(name), id != Int(getpid()), isOurs("/proc/\(name)") else { continue }
            if let program = program("/proc/\(name)"), mayUseFile("/proc/\(name)") { return Found(id: id, name: program) }
            if hasFileOpen("/proc/\(name)") { return Found(id: id, name: Self.text("/proc/\(name)/comm").first ?? "a program") }
        }
        return nil
    }

    private func isOurs(_ process: String) -> Bool {
        var status = stat()
        return unsafe stat(process, &status) == 0 && status.st_uid == geteuid()
    }

    /// Its name when it is one of the programs: by its file, or as the script that an interpreter runs.
    private func program(_ process: String) -> String? {
        let words = Self.text("\(process)/cmdline").prefix(3).map(Self.lastName)
        let isScript = words.first.map { first in Self.interpreters.contains { first.hasPrefix($0) } } ?? false
        let names = [Self.link("\(process)/exe").map(Self.lastName)].compactMap(\.self) + (isScript ? words : Array(words.prefix(1)))
        return names.first(where: programs.contains)
    }

    /// Whether its environment leads it to the file: one with a home of its own has a login of its own.
    private func mayUseFile(_ process: String) -> Bool {
        var variables: [String: String] = [:]
        for word in Self.text("\(process)/environ", limit: 256 << 10) {
            guard let equals = word.firstIndex(of: "=") else { continue }
            variables[String(word[..<equals])] = String(word[word.index(after: equals)...])
        }
        guard let home = variables["HOME"], let path = owner.path(home: home, environment: variables) else { return true }
        return path == file || PrivateFile.realPath(of: path) == file
    }

    private func hasFileOpen(_ process: String) -> Bool {
        Directory.names(in: "\(process)/fd").contains { Self.link("\(process)/fd/\($0)") == file }
    }

    private static let interpreters = ["node", "bun", "deno", "sh", "bash", "dash", "python", "env"]

    private static func lastName(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    private static func link(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe readlink(path, $0.baseAddress.unsafelyUnwrapped, $0.count) }
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    /// The words of a file of /proc, which parts them by NUL or line feed.
    private static func text(_ path: String, limit: Int = 4096) -> [String] {
        guard let stream = unsafe fopen(path, "re") else { return [] }
        defer { unsafe fclose(stream) }
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, stream) }
        return bytes[..<count].split { $0 == 0 || $0 == UInt8(ascii: "\n") }.map { String(decoding: $0, as: UTF8.self) }
    }
}
