internal import CLinux
internal import Glibc

/// Programs that are run for what they say: whoever could put another in its place would have the secret, or a say in where it goes. The
/// file, and every folder on the way to it, belong to us or root, and nobody else can write them (spec/credential-formats.md §1.8).
public enum TrustedProgram {
    /// What a user may allow for one program.
    public struct Rules: Sendable, Equatable {
        /// Folders outside of which no program is run; nil: anywhere.
        public var trustedDirectories: [String]?
        /// Owner and modes are not looked at.
        public var allowsInsecurePath: Bool
        /// The last component may be a link; what it leads to is checked, and run.
        public var allowsLink: Bool

        /// The rules, which allow nothing unless told to.
        public init(trustedDirectories: [String]? = nil, allowsInsecurePath: Bool = false, allowsLink: Bool = false) {
            self.trustedDirectories = trustedDirectories
            self.allowsInsecurePath = allowsInsecurePath
            self.allowsLink = allowsLink
        }
    }

    /// Where a shell would find the program called `name`: in the first absolute folder of `path` that has it. Nil when none has.
    public static func find(_ name: String, path: String?) -> String? {
        for folder in (path ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":") where folder.hasPrefix("/") {
            let candidate = "\(folder)/\(name)"
            var info = stat()
            if unsafe access(candidate, X_OK) == 0, unsafe stat(candidate, &info) == 0, Status(info).kind == .regular { return candidate }
        }
        return nil
    }

    /// The path to run for the program at `path`, with all links followed.
    public static func check(_ path: String, _ rules: Rules = Rules()) throws(FileError) -> String {
        try check(path, rules, owners: [System.user, 0])
    }

    /// As above, for the owners that file and folders may have.
    static func check(_ path: String, _ rules: Rules, owners: [uid_t]) throws(FileError) -> String {
        guard path.utf8.first == UInt8(ascii: "/"), !path.utf8.contains(0) else { throw FileError(.open, path, breaks: .notAbsolute) }
        var info = stat()
        guard unsafe lstat(path, &info) == 0 else { throw FileError(.stat, path, code: errno) }
        if Status(info).kind == .link, !rules.allowsLink { throw FileError(.open, path, breaks: .link) }
        guard let real = PrivateFile.realPath(of: path), unsafe stat(real, &info) == 0 else { throw FileError(.stat, path, code: errno) }
        guard Status(info).kind == .regular else { throw FileError(.open, path, breaks: .notRegular) }
        guard unsafe access(real, X_OK) == 0 else { throw FileError(.open, path, breaks: .notExecutable) }
        if let trusted = rules.trustedDirectories, !trusted.contains(where: { isInside(real, $0) }) {
            throw FileError(.open, path, breaks: .notTrusted)
        }
        if !rules.allowsInsecurePath {
            try checkOwner(Status(info), of: real, owners)
            for folder in folders(above: real) {
                guard unsafe stat(folder, &info) == 0 else { throw FileError(.stat, folder, code: errno) }
                try checkOwner(Status(info), of: folder, owners)
            }
        }
        return real
    }

    /// A folder that everyone may write, but with the sticky bit (`/tmp`), lets nobody replace what is another's.
    private static func checkOwner(_ status: Status, of path: String, _ owners: [uid_t]) throws(FileError) {
        guard owners.contains(status.owner) else { throw FileError(.open, path, breaks: .wrongOwner) }
        guard status.mode & 0o022 == 0 || status.kind == .directory && status.mode & 0o1000 != 0 else {
            throw FileError(.open, path, breaks: .writableByOthers)
        }
    }

    private static func isInside(_ path: String, _ folder: String) -> Bool {
        guard let real = PrivateFile.realPath(of: folder) else { return false }
        return path.hasPrefix(real.hasSuffix("/") ? real : real + "/")
    }

    /// `/a/b/c`: `/a/b`, `/a`, `/`.
    private static func folders(above path: String) -> [String] {
        var folders: [String] = []
        var rest = Substring(path)
        while let slash = rest.lastIndex(of: "/") {
            rest = rest[..<slash]
            folders.append(rest.isEmpty ? "/" : String(rest))
        }
        return folders
    }
}
