// What the holder of a lock leaves in its file for the next one to find, should it not get to clean up.
extension FileLock {
    /// The longest note.
    private static let noteLimit = 4096

    /// The note that is there; empty when there is none.
    public var note: [UInt8] { (try? file.read(at: 0, count: Self.noteLimit)) ?? [] }

    /// Leaves `bytes`, at most 4096, in place of the note before. Not synced: it speaks of things that no restart of the machine survives
    /// either. One that cannot be written is none, which its reader has to expect anyway.
    public func leave(note bytes: [UInt8]) {
        try? file.setSize(0)
        try? file.write(Array(bytes.prefix(Self.noteLimit)), at: 0)
    }
}
