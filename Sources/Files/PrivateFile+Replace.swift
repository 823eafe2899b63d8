internal import Glibc

extension PrivateFile {
    /// Puts `bytes` in the place of the file at `path`, or makes it: mode 0600, whole or not at all, and on the disk when this returns.
    ///
    /// Through a link of ours the target is replaced, and the link stays. On an error before the rename the old file is untouched and
    /// nothing is left behind; only an error of operation `sync` on the directory may come after it.
    @discardableResult
    public static func replace(_ path: String, with bytes: [UInt8]) throws(FileError) -> FileIdentity {
        try replace(path, with: bytes, owner: System.user)
    }

    /// As above, for the owner that a file already there must have.
    static func replace(_ path: String, with bytes: [UInt8], owner: uid_t) throws(FileError) -> FileIdentity {
        let place = try ResolvedPath.follow(path, owner: owner, for: .write)
        if let status = place.status {
            try check(status, of: path, through: place.isThroughLink, owner: owner, for: .write)
        }
        let temporary = temporaryPrefix(for: place.name) + String(UInt64.random(in: .min ... .max), radix: 36) + temporarySuffix
        let file = try FileError.naming(.create, path) { () throws(Errno) in
            try place.directory.open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        }
        do {
            try FileError.naming(.write, path) { () throws(Errno) in try file.write(bytes, at: 0) }
            try FileError.naming(.sync, path) { () throws(Errno) in try file.sync() }
            let identity = try FileError.naming(.stat, path) { () throws(Errno) in try file.status().identity }
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

    /// Hidden, beside its target, and within the 255 bytes a name may have, 13 digits and the suffix included.
    private static func temporaryPrefix(for name: String) -> String {
        ".\(String(decoding: name.utf8.prefix(200), as: UTF8.self))."
    }

    private static let temporarySuffix = ".keybearer-tmp"
}
