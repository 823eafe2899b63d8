internal import Glibc

/// Finds processes by their sockets in `/proc` (proc(5)). Reads thousands of names: not for a worker's loop.
public enum SocketHolder {
    /// A process that has the socket with this inode open, among those whose descriptors we may see; with `user`, among that user's.
    public static func process(holding inode: UInt32, user: UInt32? = nil) -> Int32? {
        let wanted = "socket:[\(inode)]"
        return names(in: "/proc").lazy.compactMap { Int32($0) }.first { id in
            if let user, owner(of: "/proc/\(id)") != user { return false }
            return has(id, wanted)
        }
    }

    /// Whether this process has the socket with this inode open.
    public static func holds(_ process: Int32, _ inode: UInt32) -> Bool { has(process, "socket:[\(inode)]") }

    private static func has(_ process: Int32, _ wanted: String) -> Bool {
        names(in: "/proc/\(process)/fd").contains { link("/proc/\(process)/fd/\($0)") == wanted }
    }

    /// A person's words for the process that listens on a TCP port of this machine: `nginx (process 812)`.
    public static func describe(listenerOn port: UInt16) -> String {
        guard let (inode, user) = listener(on: port) else { return "another program" }
        guard let id = process(holding: inode) else { return "a process of user \(user)" }
        let name = String(decoding: contents("/proc/\(id)/comm").filter { $0 >= 0x20 }, as: UTF8.self)
        return "\(name.isEmpty ? "a process" : name) (process \(id))"
    }

    /// The listening socket's inode and owner (`/proc/net/tcp`, proc(5)): state 0A is LISTEN.
    private static func listener(on port: UInt16) -> (inode: UInt32, user: Substring)? {
        let digits = String(port, radix: 16, uppercase: true)
        let wanted = ":" + String(repeating: "0", count: 4 - digits.count) + digits
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            for line in String(decoding: contents(table), as: UTF8.self).split(separator: "\n").dropFirst() {
                let columns = line.split(separator: " ")
                guard columns.count > 9, columns[1].hasSuffix(wanted), columns[3] == "0A", let inode = UInt32(columns[9]) else { continue }
                return (inode, columns[7])
            }
        }
        return nil
    }

    /// The folder in which a process works; nil when it is gone, or not ours to ask about.
    public static func workingDirectory(of process: Int32) -> String? { link("/proc/\(process)/cwd") }

    private static func owner(of path: String) -> UInt32? {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? status.st_uid : nil
    }

    private static func link(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe readlink(path, $0.baseAddress.unsafelyUnwrapped, $0.count) }
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    /// Files of /proc have no size to go by.
    private static func contents(_ path: String) -> [UInt8] {
        guard let stream = unsafe fopen(path, "re") else { return [] }
        defer { unsafe fclose(stream) }
        var bytes = [UInt8](repeating: 0, count: 4 << 20)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, stream) }
        return Array(bytes[..<count])
    }

    private static func names(in path: String) -> [String] {
        guard let stream = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }
}
