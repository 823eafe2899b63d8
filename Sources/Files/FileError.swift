internal import CLinux

/// A file operation that failed, or that our own rules forbid.
public struct FileError: Error, Sendable, Equatable {
    /// What was being done.
    public let operation: Operation
    /// The file or directory, as the caller named it.
    public let path: String
    /// The system's error number; 0 when a rule of ours was broken.
    public let code: Int32
    /// The rule that was broken; nil when the system refused.
    public let rule: Rule?

    /// What was being done; the raw value is the verb for people.
    public enum Operation: String, Sendable {
        case open, read, write, sync, rename, lock, watch, stat, create, reserve
    }

    /// What we ask of a file that holds secrets (spec/threats.md §4).
    public enum Rule: Sendable {
        /// A FIFO, device, socket or directory where a file is expected.
        case notRegular
        /// Something else where a directory is expected.
        case notDirectory
        /// It belongs to another user.
        case wrongOwner
        /// A second hard link names it, out of our sight.
        case multipleLinks
        /// A symbolic link on the way was made by another user.
        case foreignLink
        /// It is reached by a symbolic link and others may read it, or its mode could not be repaired.
        case notPrivate
        /// A directory that the system's other users need, such as `/` or `/tmp`.
        case systemDirectory
        /// Others can write it.
        case writableByOthers
        /// More bytes than the caller allows.
        case tooLarge
        /// An offset outside a journal.
        case outOfBounds
        /// An empty path, or one with a NUL.
        case badPath
        /// The lock under which it was to be replaced had been lost by then.
        case lostLock
        /// A program's path that does not begin at the root.
        case notAbsolute
        /// A program that is reached by a symbolic link, where none is allowed.
        case link
        /// A program that we may not run.
        case notExecutable
        /// A program outside of the folders that are trusted.
        case notTrusted
    }

    init(_ operation: Operation, _ path: String, code: Int32) {
        self.operation = operation
        self.path = path
        self.code = code
        rule = nil
    }

    init(_ operation: Operation, _ path: String, breaks rule: Rule) {
        self.operation = operation
        self.path = path
        code = 0
        self.rule = rule
    }

    /// Does `body`, and says in its error which operation on which path failed.
    static func naming<Result: ~Copyable>(
        _ operation: Operation, _ path: String, _ body: () throws(Errno) -> Result
    ) throws(FileError) -> Result {
        do {
            return try body()
        } catch {
            throw FileError(operation, path, code: error.code)
        }
    }
}

extension FileError: CustomStringConvertible {
    /// One sentence for people: what failed, why, and what to do.
    public var description: String {
        guard let rule else { return "cannot \(operation.rawValue) \(path): \(Errno(code: code).text)\(advice)" }
        return switch rule {
        case .notRegular: "\(path) is not a regular file; move it away, Keybearer makes a new one"
        case .notDirectory: "\(path) is not a directory; move it away or name another"
        case .wrongOwner: "\(path) belongs to another user; run Keybearer as that user, or change the owner with chown"
        case .multipleLinks: "\(path) has a second name (a hard link); copy it, delete it and put the copy in its place"
        case .foreignLink: "\(path) leads through a symbolic link that another user made; name the real path"
        case .notPrivate: "others can read \(path); run: chmod go-rwx on the file itself"
        case .systemDirectory: "\(path) is a directory of the system and stays open to others; name one of your own, such as ~/.keybearer"
        case .writableByOthers: "others can write \(path), and with it decide where credentials go; run: chmod go-w on it"
        case .tooLarge: "\(path) is larger than a file of its kind can be; it is left untouched"
        case .outOfBounds: "\(path): the record does not fit into the journal"
        case .lostLock: "another program took over the lock of \(path); it was not replaced"
        case .badPath: "\"\(path)\" is not a path"
        case .notAbsolute: "\"\(path)\" is not an absolute path"
        case .link: "\(path) is a symbolic link; name what it leads to, or set allowSymlinkCommand"
        case .notExecutable: "\(path) cannot be executed by this user; run: chmod u+x on it"
        case .notTrusted: "\(path) is in none of the trustedDirs"
        }
    }

    /// What a person can do about the commoner refusals of the system.
    private var advice: String {
        switch code {
        case EACCES, EPERM: "; check its owner and mode, and those of its directory"
        case EROFS: "; the file system is mounted read-only"
        case ENOSPC: "; free some space on that disk"
        case EDQUOT: "; free some space, your quota is used up"
        case EMFILE, ENFILE: "; raise the limit on open files (ulimit -n)"
        case ELOOP: "; a symbolic link took its place or links form a circle"
        default: ""
        }
    }
}

/// The error number of a failed system call, before anyone knows which path it was about.
struct Errno: Error, Equatable {
    let code: Int32

    /// The C library's words for it, and its number.
    var text: String {
        guard let text = unsafe kb_error_text(code) else { return "error \(code)" }
        return unsafe "\(String(cString: text)) (errno \(code))"
    }
}
