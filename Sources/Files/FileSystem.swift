internal import CLinux

/// What kind of file system a path is on.
public enum FileSystem {
    /// Whether the directory at `path` may be written by another host, unseen by inotify and unguarded by flock. False when it can't be told.
    public static func isNetwork(_ path: String) -> Bool {
        guard let descriptor = try? System.retrying({ unsafe kb_open_following(path) }) else { return false }
        let directory = FileDescriptor(owning: descriptor)
        return networkKinds.contains(kb_file_system_kind(directory.rawValue))
    }

    /// Magic numbers from statfs(2) and linux/magic.h: NFS, SMB and its two successors, AFS, Coda, 9P, Ceph, FUSE (sshfs and the shared
    /// folders of virtual machines among it), VirtualBox's folders, and the cluster file systems GFS2, OCFS2 and Lustre.
    private static let networkKinds: Set<UInt64> = [
        0x6969, 0x517B, 0xFF53_4D42, 0xFE53_4D42, 0x5346_414F, 0x7375_7245, 0x0102_1997, 0x00C3_6400, 0x6573_5546,
        0x786F_4256, 0x0116_1970, 0x7461_636F, 0x0BD0_0BD0,
    ]
}
