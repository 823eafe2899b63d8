/// Finds the lines of a head as its bytes arrive, and proves that nothing but HTAB, 0x20-0x7e and 0x80-0xff is in them.
///
/// It remembers where its search stood, so that a head which comes byte by byte costs one look at each byte. It keeps offsets only: the
/// bytes may have moved between two calls.
struct LineScanner {
    /// The first byte of the line that is looked for.
    private(set) var lineStart = 0
    /// Up to here the line holds no control byte.
    private var scanned = 0

    /// The next line without its CR LF; nil while it is incomplete.
    ///
    /// What it says of some bytes depends on those bytes alone and not on the calls they were handed in with.
    @inline(__always)
    mutating func nextLine(in view: ByteView) throws(Rejection) -> Range<Int>? {
        let control = view.firstControl(from: scanned)
        guard control < view.count else {
            scanned = control
            return nil
        }
        guard view[control] == Byte.carriageReturn else { throw Rejection.forControl(view[control]) }
        guard control + 1 < view.count else {
            scanned = control
            return nil
        }
        guard view[control + 1] == Byte.lineFeed else { throw .bareCarriageReturn }
        let line = lineStart..<control
        lineStart = control + 2
        scanned = lineStart
        return line
    }
}
