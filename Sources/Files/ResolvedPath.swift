internal import CLinux
internal import Glibc

/// Where a path leads: an open directory and the last name in it. What follows happens relative to that directory, so that nobody can
/// turn the path elsewhere between our checks and our use.
///
/// A path without links is opened in one step. On any other, each component is opened without following links. Links are followed by
/// hand, and only those that we or root made: another user's link could lead a store of ours anywhere. The last component's link must be
/// ours (spec/threats.md §4).
struct ResolvedPath: ~Copyable {
    /// The directory, open for looking up only (O_PATH).
    let directory: FileDescriptor
    /// The name in it; never a link.
    let name: String
    /// What the name stands for; nil when there is nothing yet.
    let status: Status?
    /// Whether the last component that the caller gave was a link.
    let isThroughLink: Bool

    /// As in the kernel (path_resolution(7)).
    private static let linkLimit = 40

    private init(directory: consuming FileDescriptor, name: String, status: Status?, isThroughLink: Bool) {
        self.directory = directory
        self.name = name
        self.status = status
        self.isThroughLink = isThroughLink
    }

    /// Follows `path`. A missing directory on the way is ENOENT; a missing last component is no error.
    static func follow(_ path: String, owner: uid_t, for operation: FileError.Operation) throws(FileError) -> ResolvedPath {
        guard !path.isEmpty, !path.utf8.contains(0) else { throw FileError(operation, path, breaks: .badPath) }
        if let place = direct(path) { return place }
        do {
            return try walk(path, owner: owner)
        } catch {
            switch error {
            case .system(let error): throw FileError(operation, path, code: error.code)
            case .rule(let rule): throw FileError(operation, path, breaks: rule)
            }
        }
    }

    enum Refusal: Error {
        case system(Errno)
        case rule(FileError.Rule)
    }

    /// Follows a path on which nothing is a link; nil where something is one, where the kernel cannot tell (before Linux 5.6, or behind a
    /// filter that refuses the call), and for every error: ``walk(_:owner:)`` will find it again.
    static func direct(_ path: String) -> ResolvedPath? {
        let bytes = path.utf8
        let end = bytes.lastIndex(of: UInt8(ascii: "/"))
        let name = String(decoding: bytes[(end.map(bytes.index(after:)) ?? bytes.startIndex)...], as: UTF8.self)
        guard !name.isEmpty, name != "." else { return nil }
        let above = end.map { $0 == bytes.startIndex ? "/" : String(decoding: bytes[..<$0], as: UTF8.self) } ?? "."
        guard let opened = try? System.retrying({ unsafe kb_open_for_lookup_without_links(above) }) else { return nil }
        let directory = FileDescriptor(owning: opened)
        let status: Status?
        do { status = try directory.status(of: name) } catch { return nil }
        guard status?.kind != .link else { return nil }
        return ResolvedPath(directory: directory, name: name, status: status, isThroughLink: false)
    }

    /// Follows any path, one component after the other.
    static func walk(_ path: String, owner: uid_t) throws(Refusal) -> ResolvedPath {
        var pending = components(of: path)
        var directory = try start(of: path)
        var linksLeft = linkLimit
        var isThroughLink = false
        while let name = pending.popLast() {
            let status = try refusing { () throws(Errno) in try directory.status(of: name) }
            if let status, status.kind == .link {
                guard status.owner == owner || status.owner == 0 && !pending.isEmpty else { throw .rule(.foreignLink) }
                linksLeft -= 1
                guard linksLeft > 0 else { throw .system(Errno(code: ELOOP)) }
                if pending.isEmpty { isThroughLink = true }
                let target = try refusing { () throws(Errno) in try directory.target(ofLink: name) }
                if target.utf8.first == UInt8(ascii: "/") { directory = try start(of: target) }
                pending += components(of: target)
            } else if pending.isEmpty {
                return ResolvedPath(directory: directory, name: name, status: status, isThroughLink: isThroughLink)
            } else {
                directory = try refusing { () throws(Errno) in try directory.openForLookup(name) }
            }
        }
        // "/", "." and the like: the directory itself.
        let status = try refusing { () throws(Errno) in try directory.status(of: ".") }
        return ResolvedPath(directory: directory, name: ".", status: status, isThroughLink: isThroughLink)
    }

    /// The directory that a path's first component is looked up in.
    private static func start(of path: String) throws(Refusal) -> FileDescriptor {
        let origin = path.utf8.first == UInt8(ascii: "/") ? "/" : "."
        return try refusing { () throws(Errno) in
            FileDescriptor(owning: try System.retrying { unsafe kb_open_for_lookup(AT_FDCWD, origin) })
        }
    }

    /// The names in a path, last one first, so that the next one can be popped. Split as bytes, as the kernel does: to Swift a slash
    /// with a combining accent after it is another character, and what it hides would be looked up with links followed.
    private static func components(of path: String) -> [String] {
        path.utf8.split(separator: UInt8(ascii: "/")).reversed().map { String(decoding: $0, as: UTF8.self) }.filter { $0 != "." }
    }

    private static func refusing<Result: ~Copyable>(_ body: () throws(Errno) -> Result) throws(Refusal) -> Result {
        do { return try body() } catch { throw .system(error) }
    }
}
