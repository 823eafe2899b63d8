internal import CLinux
internal import Glibc

/// Tells processes apart, also after the number of one has been given to another.
public enum ProcessMark {
    /// Our own number.
    public static var own: Int32 { getpid() }

    /// Whether there is a process of this number, ours or not.
    public static func isAlive(_ process: Int32) -> Bool {
        guard process > 0 else { return false }
        return kill(process, 0) == 0 || errno == EPERM
    }

    /// When the process was started, in clock ticks since the machine was (field 22 of `/proc/PID/stat`, proc(5)); nil when it cannot be
    /// told.
    public static func startTime(of process: Int32) -> Int64? {
        guard let number = try? System.retrying({ unsafe kb_openat(AT_FDCWD, "/proc/\(process)/stat", O_RDONLY | O_CLOEXEC, 0) }) else {
            return nil
        }
        let file = FileDescriptor(owning: number)
        guard let bytes = try? file.read(at: 0, count: 4096), let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        // The second field, the program's name, may hold blanks and parentheses; the third comes after its end.
        let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " "))
        return fields.count > 19 ? Int64(String(decoding: fields[19], as: UTF8.self)) : nil
    }
}
