internal import CLinux
internal import Glibc

extension PrivateFile {
    /// Puts `bytes` in the place of the file at `path`, or makes it: mode 0600, whole or not at all, and on the disk when this returns.
    ///
    /// Through a link of ours the target is replaced, and the link stays. On an error before the rename the old file is untouched and
    /// nothing is left behind; only an error of operation `sync` on the directory may come after it. `isAllowed` is asked last, when
    /// all that is left to do is the rename: whether the lock under which this happens is still held.
    @discardableResult
    public static func replace(
        _ path: String, with bytes: [UInt8], if isAllowed: () -> Bool = { true }
    ) throws(FileError) -> FileIdentity {
        try replace(path, with: bytes, owner: System.user, if: isAllowed)
    }

    /// As above, for the owner that a file already there must have.
    static func replace(
        _ path: String, with bytes: [UInt8], owner: uid_t, if isAllowed: () -> Bool = { true }
    ) throws(FileError) -> FileIdentity {
        let place = try ResolvedPath.follow(path, owner: owner, for: .write)
        if let status = place.status {
            try check(status, of: path, through: place.isThroughLink, owner: owner, for: .write)
        }
        let temporary = temporaryPrefix(for: place.name) + String(UInt64.random(in: .min ... .max), radix: 36) + temporarySuffix
        let file = try FileError.naming(.create, path) { () throws(Errno) in
            try place.directory.open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        }
        do throws(FileError) {
            try FileError.naming(.write, path) { () throws(Errno) in try file.write(bytes, at: 0) }
            try FileError.naming(.sync, path) { () throws(Errno) in try file.sync() }
            let identity = try FileError.naming(.stat, path) { () throws(Errno) in try file.status().identity }
            guard isAllowed() else { throw FileError(.rename, path, breaks: .lostLock) }
            try FileError.naming(.rename, path) { () throws(Errno) in try place.directory.rename(temporary, to: place.name) }
            try FileError.naming(.sync, path) { () throws(Errno) in try place.directory.syncNames() }
            return identity
        } catch {
            // After the rename the name is gone already, which is no error here.
            place.directory.remove(temporary)
            throw error
        }
    }

    /// Removes what a killed process left of its attempts to replace the file at `path`: those hold secrets, too. For the holder of
    /// the lock under which the file is replaced, because another's attempt under way looks the same. Returns how many there were.
    @discardableResult
    public static func removeLeftovers(of path: String) throws(FileError) -> Int {
        let place = try ResolvedPath.follow(path, owner: System.user, for: .open)
        let names = try FileError.naming(.read, path) { () throws(Errno) in try place.directory.names() }
        let prefix = temporaryPrefix(for: place.name)
        var removed = 0
        for name in names where name.hasPrefix(prefix) && name.hasSuffix(temporarySuffix) {
            place.directory.remove(name)
            removed += 1
        }
        return removed
    }

    /// Gives the file at `path` the name `name` in its own directory, with mode 0600: one that is not to be read under its old name any
    /// more, and is not to be lost. Nothing of that name may be there.
    public static func setAside(_ path: String, as name: String) throws(FileError) {
        let place = try ResolvedPath.follow(path, owner: System.user, for: .rename)
        try FileError.naming(.rename, path) { () throws(Errno) in
            let file = try place.directory.open(place.name, O_RDONLY)
            try file.setMode(0o600)
            try System.check(unsafe kb_rename_unless_taken(place.directory.rawValue, place.name, name))
            try place.directory.syncNames()
        }
    }

    /// Removes the file at `path`, if there is one.
    public static func remove(_ path: String) throws(FileError) {
        let place = try ResolvedPath.follow(path, owner: System.user, for: .write)
        place.directory.remove(place.name)
    }

    /// Hidden, beside its target, and within the 255 bytes a name may have, 13 digits and the suffix included.
    private static func temporaryPrefix(for name: String) -> String {
        ".\(String(decoding: name.utf8.prefix(200), as: UTF8.self))."
    }

    private static let temporarySuffix = ".keybearer-tmp"
}
