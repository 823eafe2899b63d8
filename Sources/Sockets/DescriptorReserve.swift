internal import CLinux
internal import Glibc

/// The last descriptors of the process, which no connection gets: they are for files, the store's above all, so that a token which a
/// provider has renewed can be written down however many clients there are.
///
/// The kernel gives the lowest free number, so that a high one tells that the others are taken.
public enum DescriptorReserve {
    /// What a few refreshes need side by side: each a connection, locks, a journal, a file and its folder.
    private static let wanted: Int32 = 64

    /// The first number that is not for connections. The limit may be changed while the process runs (prlimit), so that it is asked for.
    public static var ceiling: Int32 {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .max }
        let files = Int32(clamping: limit.rlim_cur)
        return files - min(wanted, files / 3)
    }

    /// Whether a connection could have a descriptor now.
    public static var hasRoom: Bool {
        let probe = kb_lowest_free()
        guard probe >= 0 else { return false }
        close(probe)
        return probe < ceiling
    }
}
