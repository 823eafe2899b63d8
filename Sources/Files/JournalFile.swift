internal import Glibc

/// A file of fixed size whose every byte has its place on the disk beforehand, so that writing and syncing it needs no space, no new
/// block and no directory change: what must not fail between the spending of a token and the storing of its successor (DESIGN §7).
public struct JournalFile: ~Copyable, Sendable {
    /// How many bytes it holds.
    public let size: Int
    private let file: FileDescriptor
    private let path: String

    /// Opens the journal at `path`, with what it holds, or makes it, mode 0600 and full of zeros. Its directory must exist. Whoever opens
    /// it holds the lane's lock.
    public init(open path: String, size: Int = 64 << 10) throws(FileError) {
        let owner = System.user
        let place = try ResolvedPath.follow(path, owner: owner, for: .open)
        if let status = place.status {
            try PrivateFile.check(status, of: path, through: place.isThroughLink, owner: owner, for: .open)
        }
        let file = try FileError.naming(.open, path) { () throws(Errno) in
            try place.directory.open(place.name, O_RDWR | O_CREAT, mode: 0o600)
        }
        _ = try PrivateFile.secure(file, path, through: place.isThroughLink, owner: owner)
        try FileError.naming(.reserve, path) { () throws(Errno) in
            let present = Int(try file.status().identity.size)
            guard present < size else { return }
            try file.reserve(size)
            // Reserved blocks still count as unwritten; marking them written later is work that can fail. Zeros do it now.
            try file.write([UInt8](repeating: 0, count: size - present), at: present)
            try file.sync()
            try place.directory.syncNames()
        }
        self.size = size
        self.file = file
        self.path = path
    }

    /// Writes `bytes` from `offset` on. They are on the disk only after ``sync()``.
    public func write(_ bytes: [UInt8], at offset: Int) throws(FileError) {
        try checkBounds(offset, bytes.count, for: .write)
        do { try file.write(bytes, at: offset) } catch { throw FileError(.write, path, code: error.code) }
    }

    /// Waits until all that was written is on the disk (fdatasync).
    public func sync() throws(FileError) {
        do { try file.syncData() } catch { throw FileError(.sync, path, code: error.code) }
    }

    /// The `count` bytes from `offset` on.
    public func read(at offset: Int, count: Int) throws(FileError) -> [UInt8] {
        try checkBounds(offset, count, for: .read)
        do { return try file.read(at: offset, count: count) } catch { throw FileError(.read, path, code: error.code) }
    }

    /// Overwrites `count` bytes from `offset` on with zeros: tokens do not stay in a journal.
    public func zero(at offset: Int, count: Int) throws(FileError) {
        try write([UInt8](repeating: 0, count: count), at: offset)
    }

    private func checkBounds(_ offset: Int, _ count: Int, for operation: FileError.Operation) throws(FileError) {
        guard offset >= 0, count >= 0, offset <= size, count <= size - offset else {
            throw FileError(operation, path, breaks: .outOfBounds)
        }
    }
}
