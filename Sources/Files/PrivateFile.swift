internal import CLinux
internal import Glibc

/// Files that hold secrets: regular, ours, one name, and closed to everyone else. Whatever breaks a rule is refused and left as it is,
/// but for a mode that is too wide, which is repaired and reported.
public enum PrivateFile {
    /// What a file held, and which state of it that was.
    public struct Contents: Sendable, Equatable {
        /// The whole content. Whoever is done with it wipes it.
        public var bytes: [UInt8]
        /// The state that was read.
        public let identity: FileIdentity
        /// The mode that let others in before it was repaired; nil when it was private already.
        public let repairedMode: UInt32?
    }

    /// The content of the file at `path`; nil when there is none. Never blocks on a FIFO or device.
    public static func read(_ path: String, limit: Int = 16 << 20) throws(FileError) -> Contents? {
        try read(path, limit: limit, owner: System.user)
    }

    /// As above, for the owner that the file must have.
    static func read(_ path: String, limit: Int, owner: uid_t) throws(FileError) -> Contents? {
        do {
            let place = try ResolvedPath.follow(path, owner: owner, for: .open)
            guard let before = place.status else { return nil }
            // Looked at before it is opened, too: opening a device can have effects.
            try check(before, of: path, through: place.isThroughLink, owner: owner, for: .open)
            let file = try FileError.naming(.open, path) { () throws(Errno) in try place.directory.open(place.name, O_RDONLY) }
            let repaired = try secure(file, path, through: place.isThroughLink, owner: owner)
            let (bytes, identity) = try stableContent(of: file, path, limit: limit)
            return Contents(bytes: bytes, identity: identity, repairedMode: repaired)
        } catch {
            if error.code == ENOENT { return nil }
            throw error
        }
    }

    /// Which state the file at `path` is in, links followed; nil when there is none or it cannot be told. Costs one system call.
    public static func identity(of path: String) -> FileIdentity? {
        var info = stat()
        guard unsafe stat(path, &info) == 0 else { return nil }
        return Status(info).identity
    }

    /// The path behind all links, for watching the directory that a linked file is really in; nil when there is no such file.
    public static func realPath(of path: String) -> String? {
        guard let resolved = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// Checks what is open against the rules, and closes it to others if need be; the mode it had before that.
    static func secure(_ file: borrowing FileDescriptor, _ path: String, through link: Bool, owner: uid_t) throws(FileError) -> UInt32? {
        let status: Status
        do { status = try file.status() } catch { throw FileError(.stat, path, code: error.code) }
        try check(status, of: path, through: link, owner: owner, for: .open)
        guard status.isOpenToOthers else { return nil }
        do { try file.setMode(status.mode & 0o700) } catch { throw FileError(.open, path, breaks: .notPrivate) }
        return status.mode
    }

    /// The rules. A file behind a link is not repaired: its mode may be the wish of someone who never heard of us.
    static func check(
        _ status: Status, of path: String, through link: Bool, owner: uid_t, for operation: FileError.Operation
    ) throws(FileError) {
        guard status.kind == .regular else { throw FileError(operation, path, breaks: .notRegular) }
        guard status.owner == owner else { throw FileError(operation, path, breaks: .wrongOwner) }
        // None at all means that it was replaced while we opened it: what we hold is whole, only old.
        guard status.links <= 1 else { throw FileError(operation, path, breaks: .multipleLinks) }
        guard !link || !status.isOpenToOthers else { throw FileError(operation, path, breaks: .notPrivate) }
    }

    /// The content and the state it belongs to. Neighbours write in place, not atomically (spec/credential-formats.md §1.4), so a file
    /// that changed while it was read is read again, a few times.
    static func stableContent(
        of file: borrowing FileDescriptor, _ path: String, limit: Int
    ) throws(FileError) -> ([UInt8], FileIdentity) {
        var attemptsLeft = 5
        while true {
            let before = try identity(of: file, path)
            guard before.size <= limit else { throw FileError(.read, path, breaks: .tooLarge) }
            let bytes = try FileError.naming(.read, path) { () throws(Errno) in try file.read(at: 0, count: Int(before.size)) }
            attemptsLeft -= 1
            if try identity(of: file, path) == before || attemptsLeft == 0 { return (bytes, before) }
            System.sleep(.milliseconds(2))
        }
    }

    private static func identity(of file: borrowing FileDescriptor, _ path: String) throws(FileError) -> FileIdentity {
        do { return try file.status().identity } catch { throw FileError(.stat, path, code: error.code) }
    }
}
