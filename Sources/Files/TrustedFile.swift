internal import CLinux
internal import Glibc

/// Files that say what is to be done but hold no secret: settings. Anyone may read them; nobody but us and root may have written them,
/// since whoever writes settings decides where credentials are sent. Links are followed; nothing is repaired.
public enum TrustedFile {
    /// The content of the file at `path`; nil when there is none. Never blocks on a FIFO or device.
    public static func read(_ path: String, limit: Int = 16 << 20) throws(FileError) -> [UInt8]? {
        try read(path, limit: limit, owners: [System.user, 0])
    }

    /// As above, for the owners that the file may have.
    static func read(_ path: String, limit: Int, owners: [uid_t]) throws(FileError) -> [UInt8]? {
        try contents(path, limit: limit, owners: owners)?.bytes
    }

    /// What a file of another program held, and how it stands: one that may hold secrets, and whose mode is that program's business.
    public struct Contents: Sendable {
        /// The whole content.
        public let bytes: [UInt8]
        /// The state that was read.
        public let identity: FileIdentity
        /// Whether others may read it.
        public let isReadableByOthers: Bool
        /// Whether it is this user's, and this name the only one: it can be taken away without taking it from anyone else.
        public let isOursAlone: Bool
    }

    /// The content of the file at `path` by the same rules, with what else there is to know of it; nil when there is none.
    public static func contents(_ path: String, limit: Int = 16 << 20) throws(FileError) -> Contents? {
        try contents(path, limit: limit, owners: [System.user, 0])
    }

    /// Whether there is a file at `path` that obeys the rules, for whoever reads it by other means.
    public static func check(_ path: String) throws(FileError) -> Bool {
        guard let file = try open(path) else { return false }
        _ = try status(of: file, path, owners: [System.user, 0])
        return true
    }

    private static func contents(_ path: String, limit: Int, owners: [uid_t]) throws(FileError) -> Contents? {
        guard let file = try open(path) else { return nil }
        let status = try status(of: file, path, owners: owners)
        let (bytes, identity) = try PrivateFile.stableContent(of: file, path, limit: limit)
        return Contents(
            bytes: bytes, identity: identity, isReadableByOthers: status.mode & 0o044 != 0,
            isOursAlone: status.owner == System.user && status.links == 1)
    }

    private static func open(_ path: String) throws(FileError) -> FileDescriptor? {
        let number = unsafe kb_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0)
        if number >= 0 { return FileDescriptor(owning: number) }
        if errno == ENOENT { return nil }
        throw FileError(.open, path, code: errno)
    }

    private static func status(of file: borrowing FileDescriptor, _ path: String, owners: [uid_t]) throws(FileError) -> Status {
        let status: Status
        do { status = try file.status() } catch { throw FileError(.stat, path, code: error.code) }
        guard status.kind == .regular else { throw FileError(.open, path, breaks: .notRegular) }
        guard owners.contains(status.owner) else { throw FileError(.open, path, breaks: .wrongOwner) }
        guard status.mode & 0o022 == 0 else { throw FileError(.open, path, breaks: .writableByOthers) }
        return status
    }
}
