internal import CLinux
internal import Glibc

/// A name in a directory that is a lock for as long as something has it: made exclusively by whoever takes the lock, removed by whoever
/// gives it back. That is how programs lock that share no flock(2) with us; what is stale, and who may remove what, is for the caller's
/// rules. Nothing is ever followed: a link of that name is a thing in the way.
public struct LockName: ~Copyable, Sendable {
    /// What a lock can be.
    public enum Form: String, Sendable {
        /// An empty directory, kept alive by its modification time.
        case directory
        /// A file that says who holds it.
        case file
    }

    /// What had the name at one moment.
    public struct Sighting: Sendable, Equatable {
        /// Nil for what is neither a directory nor a regular file.
        public let form: Form?
        /// Which file system and which file there.
        public let device: UInt64
        /// As above.
        public let inode: UInt64
        /// Nanoseconds since 1970.
        public let modified: Int64
        /// What a file says, as far as one of a lock's size can; empty if it may not be read.
        public let content: [UInt8]

        /// A sighting from its parts.
        public init(form: Form?, device: UInt64, inode: UInt64, modified: Int64, content: [UInt8] = []) {
            self.form = form
            self.device = device
            self.inode = inode
            self.modified = modified
            self.content = content
        }

        /// Whether this is the lock that `other` is. The number of a file is not enough, for it is given to the next one at once: a
        /// directory is told by its time as well, a file, whose time the kernel sets, by what it says.
        public func isSame(as other: Sighting) -> Bool {
            guard device == other.device, inode == other.inode, form == other.form else { return false }
            return form == .file ? content == other.content : modified == other.modified
        }
    }

    /// The whole path.
    public let path: String
    /// Open for as long as the lock may be held, so that it is given back where it was taken, whatever is renamed meanwhile.
    private let directory: FileDescriptor
    private let name: String

    private static let contentLimit = 4096

    /// The name at the end of `path`, whose directory must be there.
    public init(_ path: String) throws(FileError) {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex, path.last != "/" else {
            throw FileError(.lock, path, breaks: .badPath)
        }
        let place = try ResolvedPath.follow(String(path[..<slash]), owner: System.user, for: .lock)
        directory = try FileError.naming(.lock, path) { () throws(Errno) in try place.directory.openForLookup(place.name) }
        name = String(path[path.index(after: slash)...])
        self.path = path
    }

    /// What has the name now; nil when it is free.
    public func look() throws(FileError) -> Sighting? {
        try FileError.naming(.lock, path) { () throws(Errno) in try sighting(of: name) }
    }

    /// Takes the name with an empty directory; false when something has it.
    public func makeDirectory() throws(FileError) -> Bool {
        try FileError.naming(.lock, path) { () throws(Errno) in try directory.makeDirectory(name) }
    }

    /// Takes the name with a file that says `content`, mode 0600; false when something has it.
    public func makeFile(_ content: [UInt8]) throws(FileError) -> Bool {
        do throws(Errno) {
            let file = try directory.open(name, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
            do throws(Errno) {
                try file.write(content, at: 0)
            } catch {
                directory.remove(name)
                throw error
            }
            return true
        } catch {
            if error.code == EEXIST { return false }
            throw FileError(.lock, path, code: error.code)
        }
    }

    /// Says in the file that was seen that it is still held: `bytes` in place, one write of equal length. False when it is another one.
    public func rewrite(_ bytes: [UInt8], at offset: Int, in seen: Sighting) throws(FileError) -> Bool {
        do throws(Errno) {
            let file = try directory.open(name, O_WRONLY)
            let now = try file.status()
            guard now.identity.inode == seen.inode, now.identity.device == seen.device else { return false }
            try file.write(bytes, at: offset)
            return true
        } catch {
            if error.code == ENOENT { return false }
            throw FileError(.lock, path, code: error.code)
        }
    }

    /// Sets the modification time, in nanoseconds since 1970.
    public func setModified(_ time: Int64) throws(FileError) {
        let (seconds, nanoseconds) = time.quotientAndRemainder(dividingBy: 1_000_000_000)
        let both = [timespec](repeating: timespec(tv_sec: Int(seconds), tv_nsec: Int(nanoseconds)), count: 2)
        try FileError.naming(.lock, path) { () throws(Errno) in
            _ = try System.check(unsafe utimensat(directory.rawValue, name, both, AT_SYMLINK_NOFOLLOW))
        }
    }

    /// Frees the name if what was seen still has it. For its holder; anyone else calls ``takeAway(_:)``.
    public func remove(_ seen: Sighting) -> Bool {
        guard let now = try? sighting(of: name), now.isSame(as: seen) else { return false }
        return remove(name, now.form)
    }

    /// Frees the name of a lock that is stale. Between the look and the removal it may have been given back and taken anew: so it is
    /// moved aside, looked at again, and put back if it is another one or still in use. False when the name is not free because of us.
    public func takeAway(_ stale: Sighting) -> Bool {
        guard let now = try? sighting(of: name), now == stale else { return false }
        let aside = "\(name).stale.\(getpid()).\(String(UInt32.random(in: .min ... .max), radix: 36))"
        guard (try? directory.rename(name, to: aside)) != nil else { return false }
        if let moved = try? sighting(of: aside), moved == stale, remove(aside, moved.form) { return true }
        _ = unsafe kb_rename_unless_taken(directory.rawValue, aside, name)
        return false
    }

    private func remove(_ name: String, _ form: Form?) -> Bool {
        switch form {
        case .directory: unsafe unlinkat(directory.rawValue, name, AT_REMOVEDIR) == 0
        case .file: unsafe unlinkat(directory.rawValue, name, 0) == 0
        case nil: false
        }
    }

    private func sighting(of name: String) throws(Errno) -> Sighting? {
        guard let status = try directory.status(of: name) else { return nil }
        let form: Form? =
            switch status.kind {
            case .directory: .directory
            case .regular: .file
            case .link, .other: nil
            }
        let identity = status.identity
        return Sighting(
            form: form, device: identity.device, inode: identity.inode, modified: identity.modified,
            content: form == .file ? (try? directory.open(name, O_RDONLY).read(at: 0, count: Self.contentLimit)) ?? [] : [])
    }
}
