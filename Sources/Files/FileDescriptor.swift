internal import CLinux
internal import Glibc

/// An open file, closed when it goes out of scope. Always close-on-exec: no child inherits it.
public struct FileDescriptor: ~Copyable, Sendable {
    /// The number, valid as long as this value lives.
    public let rawValue: Int32

    /// Takes over a descriptor that nobody else will close.
    public init(owning rawValue: Int32) { self.rawValue = rawValue }

    deinit { close(rawValue) }
}

extension FileDescriptor {
    /// The status of the open file itself, which no rename or link can change under us.
    func status() throws(Errno) -> Status {
        var info = stat()
        try System.check(unsafe fstat(rawValue, &info))
        return Status(info)
    }

    /// The status of what `name` is in this directory, links not followed; nil when there is nothing.
    func status(of name: String) throws(Errno) -> Status? {
        var info = stat()
        do {
            try System.check(unsafe fstatat(rawValue, name, &info, AT_SYMLINK_NOFOLLOW))
        } catch {
            if error.code == ENOENT { return nil }
            throw error
        }
        return Status(info)
    }

    /// Opens `name` in this directory. A link in its place is an error (O_NOFOLLOW), and a FIFO does not block (O_NONBLOCK).
    func open(_ name: String, _ flags: Int32, mode: mode_t = 0) throws(Errno) -> FileDescriptor {
        let flags = flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY
        return FileDescriptor(owning: try System.retrying { unsafe kb_openat(rawValue, name, flags, mode) })
    }

    /// Opens the directory `name` in this one, for looking up only: search permission is enough.
    func openForLookup(_ name: String) throws(Errno) -> FileDescriptor {
        FileDescriptor(owning: try System.retrying { unsafe kb_open_for_lookup(rawValue, name) })
    }

    /// What the link `name` in this directory says.
    func target(ofLink name: String) throws(Errno) -> String {
        var text = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = try System.check(unsafe readlinkat(rawValue, name, &text, text.count))
        guard length < text.count else { throw Errno(code: ENAMETOOLONG) }
        return String(decoding: text[..<length].lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Bytes from `offset` on: `count` of them, or fewer where the file ends.
    func read(at offset: Int, count: Int) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let now = try System.retrying {
                unsafe bytes.withUnsafeMutableBytes { buffer in
                    unsafe pread(rawValue, buffer.baseAddress.unsafelyUnwrapped + filled, count - filled, offset + filled)
                }
            }
            if now == 0 { break }
            filled += now
        }
        bytes.removeLast(count - filled)
        return bytes
    }

    /// Writes all the bytes at `offset`.
    func write(_ bytes: [UInt8], at offset: Int) throws(Errno) {
        var written = 0
        while written < bytes.count {
            let now = try System.retrying {
                unsafe bytes.withUnsafeBytes { buffer in
                    unsafe pwrite(rawValue, buffer.baseAddress.unsafelyUnwrapped + written, bytes.count - written, offset + written)
                }
            }
            // POSIX lets a regular file's write return 0 in theory; a loop that never ends would be worse than an error.
            guard now > 0 else { throw Errno(code: EIO) }
            written += now
        }
    }

    /// Waits until content and metadata are on the disk.
    func sync() throws(Errno) { try System.retrying { fsync(rawValue) } }

    /// Waits until the content, and what is needed to read it, are on the disk.
    func syncData() throws(Errno) { try System.retrying { fdatasync(rawValue) } }

    /// Waits until this directory's names are on the disk. One opened with O_PATH cannot be synced itself, so it is opened again.
    func syncNames() throws(Errno) { try open(".", O_RDONLY | O_DIRECTORY).sync() }

    /// Makes sure that `size` bytes have their place on the disk.
    func reserve(_ size: Int) throws(Errno) {
        // Unlike its siblings it returns the error number.
        var code: Int32
        repeat { code = posix_fallocate(rawValue, 0, size) } while code == EINTR
        if code != 0 { throw Errno(code: code) }
    }

    func setSize(_ size: Int) throws(Errno) { try System.retrying { ftruncate(rawValue, size) } }

    func setMode(_ mode: mode_t) throws(Errno) { try System.check(fchmod(rawValue, mode)) }
}

/// How system calls report failure.
enum System {
    /// The result, unless it is -1.
    @discardableResult
    static func check<Result: SignedInteger>(_ result: Result) throws(Errno) -> Result {
        guard result == -1 else { return result }
        throw Errno(code: errno)
    }

    /// The result, unless it is -1; a call that a signal cut short is made again.
    @discardableResult
    static func retrying<Result: SignedInteger>(_ call: () -> Result) throws(Errno) -> Result {
        while true {
            let result = call()
            if result != -1 { return result }
            let code = errno
            if code != EINTR { throw Errno(code: code) }
        }
    }

    /// Our effective user: the owner that private files must have.
    static var user: uid_t { geteuid() }
}

extension Status {
    init(_ info: stat) {
        kind =
            switch info.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFLNK: .link
            default: .other
            }
        owner = info.st_uid
        links = UInt64(info.st_nlink)
        mode = info.st_mode & 0o7777
        identity = FileIdentity(
            device: UInt64(info.st_dev), inode: UInt64(info.st_ino), size: Int64(info.st_size),
            modified: Int64(info.st_mtim.tv_sec) * 1_000_000_000 + Int64(info.st_mtim.tv_nsec))
    }
}
