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
        let number = unsafe kb_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0)
        guard number >= 0 else {
            if errno == ENOENT { return nil }
            throw FileError(.open, path, code: errno)
        }
        let file = FileDescriptor(owning: number)
        let status: Status
        do { status = try file.status() } catch { throw FileError(.stat, path, code: error.code) }
        guard status.kind == .regular else { throw FileError(.open, path, breaks: .notRegular) }
        guard owners.contains(status.owner) else { throw FileError(.open, path, breaks: .wrongOwner) }
        guard status.mode & 0o022 == 0 else { throw FileError(.open, path, breaks: .writableByOthers) }
        return try PrivateFile.stableContent(of: file, path, limit: limit).0
    }
}
