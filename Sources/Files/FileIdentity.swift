/// Tells one state of a file from another without reading it: a file replaced or written since has another identity.
public struct FileIdentity: Sendable, Hashable {
    /// The device that holds it.
    public let device: UInt64
    /// Its number there. An atomic replacement always changes it.
    public let inode: UInt64
    /// Its size in bytes.
    public let size: Int64
    /// When its content last changed, in nanoseconds since 1970.
    public let modified: Int64

    /// Whether it is the same file, whatever was written since.
    func isSameFile(as other: FileIdentity?) -> Bool { device == other?.device && inode == other?.inode }
}

/// What `fstat` says of a file, as far as our rules ask.
struct Status {
    enum Kind { case regular, directory, link, other }

    let kind: Kind
    let owner: UInt32
    /// How many names it has.
    let links: UInt64
    /// Permission bits, 0o7777 at most.
    let mode: UInt32
    let identity: FileIdentity

    /// Whether group or others have any permission.
    var isOpenToOthers: Bool { mode & 0o077 != 0 }
    /// Whether it is a directory in which everybody may make files, and remove only their own.
    var isSticky: Bool { mode & 0o1000 != 0 }
}
