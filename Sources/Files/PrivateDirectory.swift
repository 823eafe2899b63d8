internal import CLinux
internal import Glibc

/// Directories that hold secrets: ours, and closed to everyone else.
public enum PrivateDirectory {
    /// Makes sure that `path` is a directory of ours with mode 0700, and makes it, with all that is missing above it, if it isn't there.
    /// Returns the mode that let others in before it was repaired; nil when there was nothing to repair. What exists above it is not
    /// changed.
    @discardableResult
    public static func ensure(_ path: String) throws(FileError) -> UInt32? {
        try ensure(path, owner: System.user)
    }

    /// As above, for the owner that the directory must have.
    static func ensure(_ path: String, owner: uid_t) throws(FileError) -> UInt32? {
        try make(path, owner: owner)
        return try secure(path, owner: owner)
    }

    /// The same of a directory that is there already; nothing happens, and nil is returned, where there is none.
    public static func secure(_ path: String) throws(FileError) -> UInt32? {
        guard PrivateFile.identity(of: path) != nil else { return nil }
        return try secure(path, owner: System.user)
    }

    private static func secure(_ path: String, owner: uid_t) throws(FileError) -> UInt32? {
        let place = try ResolvedPath.follow(path, owner: owner, for: .open)
        guard place.status?.kind == .directory else { throw FileError(.open, path, breaks: .notDirectory) }
        let directory = try FileError.naming(.open, path) { () throws(Errno) in
            try place.directory.open(place.name, O_RDONLY | O_DIRECTORY)
        }
        let status: Status
        do { status = try directory.status() } catch { throw FileError(.stat, path, code: error.code) }
        guard status.owner == owner else { throw FileError(.open, path, breaks: .wrongOwner) }
        guard status.isOpenToOthers else { return nil }
        guard !isOfTheSystem(directory, status, called: place.name) else { throw FileError(.open, path, breaks: .systemDirectory) }
        guard !place.isThroughLink else { throw FileError(.open, path, breaks: .notPrivate) }
        do { try directory.setMode(0o700) } catch { throw FileError(.open, path, breaks: .notPrivate) }
        return status.mode
    }

    /// Whether closing the directory would shut everybody else out of the system: `/`, what the Filesystem Hierarchy Standard puts there,
    /// and what many share (sticky: `/tmp`). Root may name one by mistake, and root's chmod would succeed.
    private static func isOfTheSystem(_ directory: borrowing FileDescriptor, _ status: Status, called name: String) -> Bool {
        let root = PrivateFile.identity(of: "/")
        if status.isSticky || status.identity.isSameFile(as: root) { return true }
        guard let above = try? directory.status(of: "..") else { return true }
        return above.identity.isSameFile(as: root) && standard.contains(name)
    }

    /// FHS 3.0, §3.2.
    private static let standard: Set<String> = [
        "bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "media", "mnt", "opt", "proc", "root", "run", "sbin", "srv", "sys",
        "tmp",
        "usr", "var",
    ]

    /// The names in the directory at `path`, in no order.
    public static func names(_ path: String) throws(FileError) -> [String] {
        let place = try ResolvedPath.follow(path, owner: System.user, for: .open)
        return try FileError.naming(.read, path) { () throws(Errno) in try place.directory.openForLookup(place.name).names() }
    }

    /// Whether a file of `size` bytes can be made, filled and removed in the directory at `path` now.
    public static func isWritable(_ path: String, size: Int = 64 << 10) -> Bool {
        (try? proveWritable(path, size: size)) != nil
    }

    /// Proves that the directory at `path` takes a new file of `size` bytes, by making one: permissions alone say nothing of a full disk,
    /// a spent quota or a read-only mount. To be asked before a token is spent whose successor must be stored (DESIGN §7, step 4).
    public static func proveWritable(_ path: String, size: Int = 64 << 10) throws(FileError) {
        let place = try ResolvedPath.follow(path, owner: System.user, for: .open)
        let directory = try FileError.naming(.open, path) { () throws(Errno) in try place.directory.openForLookup(place.name) }
        // Without a name where the file system can, so that not even a kill leaves anything behind.
        if let unnamed = try? directory.open(".", O_WRONLY | Int32(KB_OPEN_UNNAMED), mode: 0o600) {
            return try FileError.naming(.reserve, path) { () throws(Errno) in try unnamed.reserve(size) }
        }
        let name = ".probe." + String(UInt64.random(in: .min ... .max), radix: 36) + ".keybearer-tmp"
        let file = try FileError.naming(.create, path) { () throws(Errno) in
            try directory.open(name, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        }
        defer { directory.remove(name) }
        try FileError.naming(.reserve, path) { () throws(Errno) in try file.reserve(size) }
    }

    /// Makes the directory and its missing parents.
    private static func make(_ path: String, owner: uid_t) throws(FileError) {
        do {
            try makeLast(path, owner: owner)
        } catch {
            guard error.code == ENOENT, let parent = parent(of: path) else { throw error }
            try make(parent, owner: owner)
            try makeLast(path, owner: owner)
        }
    }

    /// Makes the directory in its parent. Each new name is synced, so that what is stored below survives a power cut.
    private static func makeLast(_ path: String, owner: uid_t) throws(FileError) {
        let place = try ResolvedPath.follow(path, owner: owner, for: .create)
        guard place.status == nil else { return }
        try FileError.naming(.create, path) { () throws(Errno) in
            if try place.directory.makeDirectory(place.name) { try place.directory.syncNames() }
        }
    }

    /// The path without its last component; nil when nothing is left.
    private static func parent(of path: String) -> String? {
        var components = path.utf8.split(separator: UInt8(ascii: "/"))
        guard components.popLast() != nil, !components.isEmpty else { return nil }
        let parent = components.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/")
        return path.utf8.first == UInt8(ascii: "/") ? "/" + parent : parent
    }
}
